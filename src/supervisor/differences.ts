/** What of a plan is another in the next one: its services, and how their lives are out of date. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { InstanceSpec, Plan, ServiceSpec, Tag } from '../model.js';

/**
 * How its lives are out of date: not at all; they would be started in another way; or they hold an address themselves
 * that is held for them now, and have to go before anything else can be had there.
 */
type Difference = 'no' | 'anew' | 'elsewhere';

interface Differences {
  readonly added: readonly Tag[];
  readonly removed: readonly Tag[];
  readonly changed: ReadonlyMap<Tag, Difference>;
  readonly scaled: readonly { readonly tag: Tag; readonly instances: number }[];
}

export function differences(before: Plan, after: Plan): Differences {
  const old = new Map(before.services.map((service) => [service.tag, service]));
  const now = new Map(after.services.map((service) => [service.tag, service]));
  const changed = new Map<Tag, Difference>();
  const scaled: { tag: Tag; instances: number }[] = [];
  for (const [tag, service] of now) {
    const was = old.get(tag);
    if (was !== undefined && !isDeepStrictEqual(comparable(was), comparable(service))) {
      changed.set(tag, differenceOf(was, service));
      if (isDeepStrictEqual(withoutNumber(was), withoutNumber(service)))
        scaled.push({ tag, instances: service.instances.length });
    }
  }
  return {
    added: [...now.keys()].filter((tag) => !old.has(tag)),
    removed: [...old.keys()].filter((tag) => !now.has(tag)),
    changed,
    scaled,
  };
}

/** All of a service but how many instances it has. */
function withoutNumber(service: ServiceSpec) {
  const [first] = comparable(service).instances;
  return { ...service, instances: first, fronts: service.fronts.map(({ instances: _, ...front }) => front) };
}

function differenceOf(was: ServiceSpec, is: ServiceSpec): Difference {
  const before = new Map(was.instances.map((spec) => [spec.id, spec]));
  const others = is.instances.filter((spec) => {
    const old = before.get(spec.id);
    return old !== undefined && !isDeepStrictEqual(beginning(was, old), beginning(is, spec));
  });
  if (others.length === 0) return 'no';
  const isFronted = (service: ServiceSpec) => service.fronts.some(({ hidesPort, inherited }) => hidesPort || inherited);
  return !isFronted(was) && isFronted(is) ? 'elsewhere' : 'anew';
}

function comparable(service: ServiceSpec) {
  return { ...service, instances: service.instances.map((spec) => essence(service, spec)) };
}

/** What a life cannot get any more once it runs: how its end is judged is not of that. */
function beginning(service: ServiceSpec, spec: InstanceSpec) {
  const { expected: _expected, backoff: _backoff, ...rest } = essence(service, spec);
  return rest;
}

/** All that a life is started with: also the sockets it inherits, and whether its port is its own. */
function essence({ fronts }: ServiceSpec, { env, ...spec }: InstanceSpec) {
  // That of the siblings' ports is not worth a restart.
  const own = Object.entries(env).filter(([name]) => !name.startsWith('PROCLET_PORT_'));
  const before = fronts.filter(({ instances }) => instances.includes(spec.id));
  return {
    ...spec,
    env: new Map(own),
    hidesPort: before.some(({ hidesPort }) => hidesPort),
    inherits: before.filter(({ inherited }) => inherited).map(({ listen }) => listen),
  };
}
