/** Another plan for a run: what it changes (pure), and what is done about that. */
import type { Happening, InstanceId, InstanceSpec, Plan, ServiceSpec, StopCause, Tag } from '../model.js';
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

/** Ends what is gone, starts what is new, reloads what is another; touches nothing else. */
export function reconfigure(before: Plan, after: Plan, parts: Parts): void {
  const { roster, leases, lineup, reloads, schedules, wakers, failures, stop, tell, begin, receive } = parts;
  const { added, removed, changed } = differences(before, after);
  tell({ type: 'reconfigured', added, removed, changed: [...changed.keys()] });
  for (const tag of removed) {
    reloads.stop(tag);
    schedules.stop(tag);
    lineup.forget(tag);
    leases.remove(tag);
    wakers.failed(tag, new Error(`${tag} is not in the project any more`));
    stop(roster.keysOf(tag), { reason: 'requested' });
    if (!roster.isBusy(tag)) roster.removeService(tag);
  }
  for (const service of after.services) {
    const { tag } = service;
    // A service that had no slot was not put down by anybody: with the first slot it is like a new one.
    const hadNone = before.services.find((one) => one.tag === tag)?.instances.length === 0;
    const isNew = added.includes(tag) || (hadNone && service.instances.length > 0);
    const wasWanted = roster.isWanted(tag);
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
    if (isNew && service.start === 'always') begin(service);
    else if (schedules.has(tag)) schedules.set(service);
    // Of one that runs, what is new; what was put down stays down.
    else if (wasWanted && !lineup.wants(tag)) for (const { key } of slots.added) receive(key, { type: 'start' });
  }
  for (const [tag, isOther] of changed) if (isOther) reloads.reload(tag, { reason: 'replaced' });
}

interface Differences {
  readonly added: readonly Tag[];
  readonly removed: readonly Tag[];
  /** Whether the instances themselves are others, so that those that run are out of date. */
  readonly changed: ReadonlyMap<Tag, boolean>;
}

export function differences(before: Plan, after: Plan): Differences {
  const old = new Map(before.services.map((service) => [service.tag, service]));
  const now = new Map(after.services.map((service) => [service.tag, service]));
  const changed = new Map<Tag, boolean>();
  for (const [tag, service] of now) {
    const was = old.get(tag);
    if (was !== undefined && textOf(was) !== textOf(service)) changed.set(tag, isOther(was, service));
  }
  return {
    added: [...now.keys()].filter((tag) => !old.has(tag)),
    removed: [...old.keys()].filter((tag) => !now.has(tag)),
    changed,
  };
}

/** Whether an instance of both would be started in another way. */
function isOther(was: ServiceSpec, is: ServiceSpec): boolean {
  const before = new Map(was.instances.map((spec) => [spec.id, essence(spec)]));
  return is.instances.some((spec) => before.has(spec.id) && before.get(spec.id) !== essence(spec));
}

function textOf(service: ServiceSpec): string {
  return JSON.stringify({ ...service, instances: service.instances.map((spec) => essence(spec)) }, finite);
}

/** That of the siblings' ports is not worth a restart. */
function essence({ env, ...spec }: InstanceSpec): string {
  const own = Object.entries(env).filter(([name]) => !name.startsWith('PROCLET_PORT_'));
  return JSON.stringify({ ...spec, env: own.sort() }, finite);
}

/** JSON knows no Infinity. */
function finite(_key: string, value: unknown): unknown {
  return value === Infinity ? 'never' : value;
}
