/** Another plan for a run: what it changes (pure), and what is done about that. */
import { isDeepStrictEqual } from 'node:util';
import type { Happening, Instance, InstanceId, InstanceSpec, Plan, ServiceSpec, StopCause, Tag } from '../model.js';
import type { Input } from './instance.js';
import type { Leases } from './leases.js';
import type { Lineup } from './lineup.js';
import type { Reloads } from './reloads.js';
import type { Roster } from './roster.js';
import type { Schedules } from './schedules.js';
import type { Wakers } from './wakers.js';

export interface Parts {
  readonly roster: Roster;
  readonly leases: Leases;
  readonly lineup: Lineup;
  readonly reloads: Reloads;
  readonly schedules: Schedules;
  readonly wakers: Wakers;
  /** The statuses of what failed for good, by instance. */
  readonly failures: Map<InstanceId, number>;
  receive(key: string, input: Input): void;
  /** Starts it, or its schedule. */
  begin(service: ServiceSpec): void;
  stop(keys: readonly string[], cause: StopCause): void;
  tell(event: Happening): void;
}

/**
 * Ends what is gone, starts what is new, reloads what is another; touches nothing else. Afterwards runs what would run
 * after a start with this plan, but for what a person or a lease has put down.
 */
export function reconfigure(before: Plan, after: Plan, parts: Parts): void {
  const { roster, leases, lineup, reloads, schedules, wakers, failures, stop, tell, begin } = parts;
  const { added, removed, changed, scaled } = differences(before, after);
  const old = new Map(before.services.map((service) => [service.tag, service]));
  tell({ type: 'reconfigured', added, removed, changed: [...changed.keys()], scaled });
  for (const tag of removed) {
    reloads.stop(tag);
    schedules.stop(tag);
    lineup.forget(tag);
    leases.remove(tag);
    wakers.failed(tag, new Error(`${tag} is not in the project any more`));
    stop(roster.keysOf(tag), { reason: 'reconfigured' });
    if (!roster.isBusy(tag)) roster.removeService(tag);
  }
  for (const service of after.services) {
    const { tag } = service;
    const was = old.get(tag);
    const stood = { isBusy: roster.isBusy(tag), isWanted: roster.isWanted(tag) };
    const slots = roster.setService(service);
    stop(
      slots.surplus.map(({ key }) => key),
      { reason: 'requested' },
    );
    for (const { key, spec } of slots.surplus) {
      failures.delete(spec.id);
      if (roster.isAtRest(key)) roster.remove(key);
    }
    leases.set(service);
    // A service that had no slot was not put down by anybody: with the first slot it is like a new one.
    if (was === undefined || was.instances.length === 0) {
      if (service.start === 'always' && service.instances.length > 0) begin(service);
    } else if (changed.has(tag)) follow({ was, service, stood, added: slots.added }, parts);
  }
  for (const [tag, how] of changed) {
    if (how === 'anew') reloads.reload(tag, { reason: 'replaced' });
    else if (how === 'elsewhere') reloads.restart(tag, { reason: 'replaced' });
  }
}

/** What begins a service: the run, its times, or whoever needs it. */
function beginningOf({ start, every }: ServiceSpec): 'run' | 'times' | 'need' {
  if (start !== 'always') return 'need';
  return every === undefined ? 'run' : 'times';
}

interface Change {
  readonly was: ServiceSpec;
  readonly service: ServiceSpec;
  /** How it stood before its slots followed. */
  readonly stood: { readonly isBusy: boolean; readonly isWanted: boolean };
  /** Instances for which there was no slot. */
  readonly added: readonly Instance[];
}

/** One that changed: what it now begins by, and what else of it is no matter of its instances. */
function follow(change: Change, parts: Parts): void {
  const { was, service, stood } = change;
  const { roster, leases, lineup, reloads, schedules, begin, stop } = parts;
  const { tag } = service;
  if (was.reloadEvery !== service.reloadEvery) reloads.setPeriod(service);
  const [before, after] = [beginningOf(was), beginningOf(service)];
  if (before === after) {
    goOn(change, parts);
    return;
  }
  const wasPutDown = before === 'times' ? !stood.isBusy && !schedules.has(tag) : roster.isPutDown(tag);
  schedules.stop(tag);
  if (after === 'times' || (after === 'need' && !roster.isNeeded(tag) && !roster.isAsked(tag))) {
    lineup.forget(tag);
    reloads.stop(tag);
    leases.receive(tag, { type: 'stopped' });
    stop(roster.keysOf(tag), { reason: 'reconfigured' });
  }
  if (after !== 'need' && !wasPutDown) begin(service);
}

/** Of one that runs, what is new; what was put down stays down. */
function goOn({ was, service, stood, added }: Change, { roster, lineup, schedules, receive }: Parts): void {
  const { tag, after } = service;
  if (schedules.has(tag)) schedules.set(service);
  else if (stood.isWanted && !lineup.wants(tag)) for (const { key } of added) receive(key, { type: 'start' });
  const needed = after.filter((each) => !was.after.includes(each) && !roster.isBusy(each));
  if (stood.isBusy) for (const each of needed) lineup.want(each);
}

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
