/** What one more wish for the end of the run means. Pure. */
import { isAskedAgain } from '../gesture.js';
import type { Millis, Request, StopCause } from '../model.js';

export type Shutdown = Extract<Request, { type: 'shutdown' }>;

export interface Ending {
  /** The first one: its status is the run's. */
  readonly first: Shutdown;
  /** When somebody first asked; absent while only circumstances have. */
  readonly askedAt?: Millis;
}

/** What is to be done to what still runs, besides what order demands. */
export type Haste = 'none' | 'patient' | 'kill';

export interface ShutdownStep {
  readonly ending: Ending;
  readonly haste: Haste;
  /** The end begins with this. */
  readonly isFirst: boolean;
}

/** Why what runs is stopped then. */
export function causeOf({ first: { why } }: Ending): StopCause {
  return { reason: 'shutdown', why };
}

/** A person who asks again wants no more waiting; a terminal that is closed, or a lease's end, never does. */
export function endOn(before: Ending | undefined, request: Shutdown, now: Millis): ShutdownStep {
  const first = before?.first ?? request;
  const isFirst = before === undefined;
  if (request.unasked) return { ending: before ?? { first }, haste: 'none', isFirst };
  const askedAt = before?.askedAt ?? now;
  const haste =
    before === undefined ? 'none' : request.patient ? 'patient' : isAskedAgain(before.askedAt, now) ? 'kill' : 'none';
  return { ending: { first, askedAt }, haste, isFirst };
}
