/** Another plan for a run: what is done about what it changes. */
import type { Happening, Instance, InstanceId, Plan, ServiceSpec, StopCause, Tag } from '../model.js';
import { differences } from './differences.js';
import type { Held } from './exchanged-ports.js';
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
    roster.leave(tag);
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
  const { exchangedPorts } = roster;
  for (const [tag, how] of changed) {
    if (how !== 'no') renew(tag, how, exchangedPorts, parts);
  }
}

/** New lives in place of those that are out of date. What others are to get is given back now, not when it suits. */
function renew(tag: Tag, how: 'anew' | 'elsewhere', exchanged: ReadonlyMap<InstanceId, readonly Held[]>, parts: Parts) {
  const { roster, lineup, reloads, stop } = parts;
  const cause: StopCause = { reason: 'replaced' };
  const isGiver = [...exchanged.values()].some((holders) => holders.some((life) => life.tag === tag));
  const serving = roster.servingOf(tag);
  const takers = serving.filter(({ spec }) => exchanged.has(spec.id));
  if (takers.length === 0 && !isGiver) {
    if (how === 'anew') reloads.reload(tag, cause);
    else reloads.restart(tag, cause);
    return;
  }
  reloads.stop(tag);
  const coming = roster.of(tag).filter(({ role }) => role === 'coming');
  stop(
    [...coming, ...takers].map(({ key }) => key),
    cause,
  );
  for (const { key, goal } of takers) if (goal === 'up') lineup.resume(key);
  const others = serving.filter(({ spec }) => !exchanged.has(spec.id)).map(({ spec }) => spec.id);
  reloads.restart(tag, cause, others);
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
function goOn({ was, service, stood, added }: Change, { roster, lineup, schedules }: Parts): void {
  const { tag, after } = service;
  if (schedules.has(tag)) schedules.set(service);
  else if (stood.isWanted && !lineup.wants(tag)) for (const { key } of added) lineup.resume(key);
  const needed = after.filter((each) => !was.after.includes(each) && !roster.isBusy(each));
  if (stood.isBusy) for (const each of needed) lineup.want(each);
}
