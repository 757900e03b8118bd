/** What of a plan is another in the next one: its services, and how their lives are out of date. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { Address, InstanceId, InstanceSpec, Plan, ServiceSpec, Tag } from '../model.js';

/**
 * How its lives are out of date: not at all; they would be started in another way; or what stands at their addresses is
 * something else now, and they have to go before others can come.
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
  return isOtherForm(was, is, others) ? 'elsewhere' : 'anew';
}

/**
 * Whether two lives cannot stand side by side: something else stands at an address of both, or only one of them has its
 * port to itself. A front knows no way to a life without a port of its own, and what inherits a socket accepts from it.
 */
function isOtherForm(was: ServiceSpec, is: ServiceSpec, others: readonly InstanceSpec[]): boolean {
  const [before, after] = [standing(was), standing(is)];
  const isOther = [...after].some(([place, what]) => (before.get(place) ?? what) !== what);
  return isOther || others.some(({ id }) => hidesPort(was, id) !== hidesPort(is, id));
}

/** What stands at each port and path. */
function standing(service: ServiceSpec): ReadonlyMap<number | string, 'itself' | 'front' | 'socket'> {
  const own = service.instances.filter(({ id, port }) => port > 0 && !hidesPort(service, id));
  return new Map([
    ...own.map(({ port }) => [port, 'itself'] as const),
    ...service.fronts.map(({ listen, inherited }) => [placeOf(listen), inherited ? 'socket' : 'front'] as const),
  ]);
}

function hidesPort({ fronts }: Pick<ServiceSpec, 'fronts'>, id: InstanceId): boolean {
  return fronts.some((front) => front.hidesPort && front.instances.includes(id));
}

function placeOf(address: Address): number | string {
  return 'path' in address ? address.path : address.port;
}

function comparable(service: ServiceSpec) {
  return { ...service, instances: service.instances.map((spec) => essence(service, spec)) };
}

/** What a life cannot get any more once it runs: how its end is judged is not of that. */
function beginning(service: ServiceSpec, spec: InstanceSpec) {
  const { expected: _expected, backoff: _backoff, isToListen: _isToListen, ...rest } = essence(service, spec);
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
    hidesPort: hidesPort({ fronts }, spec.id),
    inherits: before.filter(({ inherited }) => inherited).map(({ listen }) => listen),
  };
}
