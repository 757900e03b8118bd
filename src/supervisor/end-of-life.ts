/** The part of the instance table that says what follows the end of a life. Pure. */
import { isSuccess } from '../exit-status.js';
import type { Exit, Forced, Happening, Instance, Millis, Remains, StopCause } from '../model.js';
import type { Effect, Step } from './instance.js';

export type Ended = {
  readonly remains: Remains;
  readonly ran: Millis;
  readonly wasUp: boolean;
  readonly changed: boolean;
  readonly unready?: true;
} & {
  readonly took?: Millis;
  readonly cause?: StopCause;
  readonly forced?: Forced;
};

/** The program ended although nobody asked it to: what follows is for its policy. */
export function endedByItself(i: Instance, ended: Ended, now: Millis): Step {
  const { exit } = ended.remains;
  const { restart, backoff, expected } = i.spec;
  const well = ended.unready !== true && isSuccess(exit, expected);
  if (i.goal === 'down' || restart === 'never' || (restart === 'on-failure' && well)) {
    return {
      instance: { ...i, phase: well ? { is: 'down', lastExit: exit } : { is: 'failed', lastExit: exit } },
      effects: [exited(i, ended, well ? { is: 'done' } : { is: 'down' })],
    };
  }
  if (ended.changed && !ended.wasUp && !well) {
    // The code is new and does not run: it is more likely to be mended than to run the next time.
    return {
      instance: { ...i, phase: { is: 'failed', lastExit: exit } },
      effects: [exited(i, ended, { is: 'failed', failures: 1, awaitsChange: true })],
    };
  }
  if (!ended.wasUp && !well && isMissing(exit)) {
    return {
      instance: { ...i, phase: { is: 'failed', lastExit: exit } },
      effects: [exited(i, ended, { is: 'failed', failures: 1 })],
    };
  }
  const failures = ended.ran >= backoff.forgiveAfter ? 1 : i.failures + 1;
  const stillborn = ended.wasUp ? 0 : i.stillborn + 1;
  if (stillborn >= backoff.giveUpAfter) {
    return {
      instance: { ...i, failures, stillborn, phase: { is: 'failed', lastExit: exit } },
      effects: [exited(i, ended, { is: 'failed', failures: stillborn })],
    };
  }
  const delay = Math.min(backoff.first * 2 ** (failures - 1), backoff.max);
  return {
    instance: { ...i, failures, stillborn, phase: { is: 'backoff', retryAt: now + delay, lastExit: exit } },
    effects: [exited(i, ended, { is: 'restart', delay, failures })],
  };
}

/**
 * What a shell answers when it finds no such command (127), or may not run it (126), at the beginning of a life: the next
 * try would find the same.
 */
function isMissing(exit: Exit): boolean {
  return exit.how === 'code' && (exit.code === 127 || exit.code === 126);
}

export function exited(
  i: Instance,
  { remains, ran, took, cause, forced, unready }: Ended,
  next: Extract<Happening, { type: 'exited' }>['next'],
): Effect {
  const { id, stopSignal: signal, expected } = i.spec;
  const { exit } = remains;
  const isExpected = cause === undefined && unready !== true && !isSuccess(exit) && isSuccess(exit, expected);
  return tell({
    type: 'exited',
    id,
    generation: i.generation,
    role: i.role,
    exit,
    ...(isExpected && { expected: true as const }),
    ran,
    ...(unready && cause === undefined && { unready }),
    ...(cause && { cause }),
    ...(took !== undefined && { took }),
    ...(forced && { forced }),
    signal,
    processes: remains.processes,
    survivors: remains.survivors,
    ...(remains.nested && { nested: remains.nested }),
    ...(remains.port && { port: remains.port }),
    next,
  });
}

export function tell(event: Happening): Effect {
  return { type: 'tell', event };
}
