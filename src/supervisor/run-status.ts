/** The exit status of a run, from how everything in it ended. Pure. See docs/semantics.md. */
import { statusOf } from '../exit-status.js';
import type { Phase, StopCause } from '../model.js';

export interface Outcome {
  /** What a signal or the first end under `--on-exit stop` asked for. */
  readonly asked: number | undefined;
  /** That of the first service that failed for good. */
  readonly failure: number | undefined;
  readonly phases: readonly Phase[];
  readonly expireStatus: number;
}

export function statusOfRun({ asked, failure, phases, expireStatus }: Outcome): number {
  if (asked !== undefined) return asked;
  if (failure !== undefined) return failure;
  const down = phases.flatMap((phase) => (phase.is === 'down' ? [phase] : []));
  const shutDown = down.find(({ cause }) => cause?.reason === 'shutdown');
  if (shutDown?.lastExit) return statusOf(shutDown.lastExit);
  const expired = down.some(({ cause }) => cause !== undefined && isExpiry(cause));
  return expired ? expireStatus : 0;
}

/** Whether a lease ended it, at its end or before. */
export function isExpiry({ reason }: StopCause): boolean {
  return reason === 'ttl' || reason === 'idle' || reason === 'expired';
}
