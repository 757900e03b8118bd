/** The end of a run: what asks for it, what is owed to children before it, and its status. */
import type { Happening, InstanceId, Plan, StopCause } from '../model.js';
import type { Child, Clock } from '../ports.js';
import { type Input, patience } from './instance.js';
import type { Leases } from './leases.js';
import type { Lineup } from './lineup.js';
import type { Reloads } from './reloads.js';
import type { Roster } from './roster.js';
import { statusOfRun } from './run-status.js';
import type { Schedules } from './schedules.js';
import { causeOf, type ShutdownStep } from './shutdown.js';
import type { Wakers } from './wakers.js';

export interface EndingParts {
  readonly roster: Roster;
  readonly leases: Leases;
  readonly lineup: Lineup;
  readonly reloads: Reloads;
  readonly schedules: Schedules;
  readonly wakers: Wakers;
  receive(key: string, input: Input): void;
  tell(event: Happening): void;
  stop(keys: readonly string[], cause: StopCause, patient?: boolean): void;
}

/**
 * Nothing is begun any more; what runs is then stopped in its order, or with more haste. Returns whom it concerns.
 */
export function shutDown({ ending, haste, isFirst }: ShutdownStep, parts: EndingParts): readonly InstanceId[] {
  const { roster, leases, lineup, reloads, schedules, wakers } = parts;
  const ids = roster.busy.map(({ spec }) => spec.id);
  if (isFirst) parts.tell({ type: 'ending', why: ending.first.why, ids: [...new Set(ids)] });
  lineup.clear();
  reloads.stop();
  schedules.stop();
  wakers.close(new Error('proclet is ending'));
  leases.receiveAll({ type: 'stopped' });
  const cause = causeOf(ending);
  if (haste === 'patient') parts.stop(roster.keys, cause, true);
  else if (haste === 'kill') for (const key of roster.keys) parts.receive(key, { type: 'kill', cause });
  return ids;
}

/** A run does not end before its children, whatever the instances say: nobody else would end these. */
export function killForgotten(children: readonly Child[], clock: Clock): void {
  for (const child of children) {
    child.kill();
    clock.wakeAt(clock.now() + patience, () => child.abandon());
  }
}

export function statusAtEnd(
  asked: number | undefined,
  { plan, roster, failures }: { plan: Plan; roster: Roster; failures: ReadonlyMap<InstanceId, number> },
): number {
  const [failure] = failures.values();
  return statusOfRun({ asked, failure, phases: roster.phases, expireStatus: plan.expireStatus });
}
