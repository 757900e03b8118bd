/** What the end of one life means for the other services and for the whole run. */
import { describeExit, statusOf } from '../exit-status.js';
import type { Exit, InstanceId, Plan, StopCause, Tag, Why } from '../model.js';
import type { Leases } from './leases.js';
import type { Lineup } from './lineup.js';
import type { Lives } from './lives.js';
import type { Reloads } from './reloads.js';
import type { Roster } from './roster.js';
import type { Uses } from './uses.js';
import type { Wakers } from './wakers.js';

export interface VerdictParts {
  readonly plan: Plan;
  readonly roster: Roster;
  readonly leases: Leases;
  readonly lineup: Lineup;
  readonly lives: Lives;
  readonly reloads: Reloads;
  readonly uses: Uses;
  readonly wakers: Wakers;
  /** The statuses of what failed for good, by instance. */
  readonly failures: Map<InstanceId, number>;
  stop(keys: readonly string[], cause: StopCause): void;
  /** Ends everything, with this exit status, for this reason. */
  end(asked: { readonly status: number; readonly why: Why }): void;
}

export function judge(key: string, exit: Exit, parts: VerdictParts): void {
  const { plan, roster, lineup, lives, reloads, uses, wakers, failures } = parts;
  const instance = roster.get(key);
  if (instance === undefined) return;
  const { phase, spec } = instance;
  const { tag, id } = spec;
  const isOver = reloads.ended(instance);
  if (!roster.isBusy(tag)) {
    roster.forgetAsked(tag);
    // Until now they were in use.
    for (const each of roster.services.get(tag)?.after ?? []) uses.touch(each);
  }
  const failed = phase.is === 'failed';
  const isOut = failed || phase.is === 'backoff' || phase.is === 'down';
  if (instance.role !== 'going' && isOut && !lineup.wants(tag)) {
    const how = lives.lastEnd(id)?.unready ? 'was not ready in time' : describeExit(exit);
    wakers.failed(tag, new Error(`${id} ${how}`));
  }
  const isGone = !plan.services.some((service) => service.tag === tag);
  if (isGone && !roster.isBusy(tag)) {
    letGo(tag, { reason: 'reconfigured' }, parts);
    roster.removeService(tag);
  }
  if (isGone || isOver) return;
  // What was not ready in time has failed, even if it then ended with 0.
  const status = failed ? statusOf(exit) || 1 : 0;
  if (failed) failures.set(id, status);
  const cause = phase.is === 'down' ? phase.cause : undefined;
  if (cause !== undefined && endsOthers.has(cause.reason)) letGo(tag, cause, parts);
  const endedByItself = failed || (phase.is === 'down' && phase.cause === undefined);
  const runsAgain = roster.services.get(tag)?.every !== undefined;
  // Others start once it has done its work.
  const isStep = !failed && roster.dependents(tag).length > 0;
  if (plan.onExit === 'stop' && endedByItself && !runsAgain && !isStep)
    parts.end({ status, why: { is: 'on-exit', id } });
}

const endsOthers: ReadonlySet<StopCause['reason']> = new Set(['idle', 'ttl', 'expired', 'requested', 'reconfigured']);

/** What was started only for a service that was put down is not needed any more. What has an end of its own may be asked for. */
function letGo(tag: Tag, cause: StopCause, { roster, leases, stop }: VerdictParts): void {
  for (const each of roster.dispensableWithout(tag)) {
    if (roster.isAsked(each) && leases.isLimited(each)) continue;
    leases.receive(each, { type: 'stopped' });
    stop(roster.keysOf(each), { ...cause, why: { is: 'unneeded', tag } });
  }
}
