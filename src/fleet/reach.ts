/**
 * Talking to one run. Whoever has stopped a run can still be connected to, and says nothing; so every answer has a bound,
 * but those of requests that wait for something, which are only sent to a run that has answered another one.
 */
import { type ControlClient, connect } from '../control/client.js';
import { ProcletError } from '../errors.js';
import type { Millis } from '../model.js';
import type { LiveRun } from '../platform/runs.js';
import type { Clock } from '../ports.js';
import { describeSilence, isStopped, silenceError, silenceOf } from './silence.js';

type Message = Parameters<ControlClient['request']>[0];

/** How long a run that answers takes at most, unless the machine is busy. */
export const answersWithin: Millis = 1_000;

/** How long a run is waited for that is not known to be stopped. */
const answersAtLast: Millis = 5_000;

/** These answer once something has happened, however long that takes; those with a timeout of their own within that. */
const waiting = new Set(['stop', 'scale', 'events', 'attach']);

/**
 * A connection to a run that answers. Requests reject with the code TIMEOUT when it does not any more.
 * @throws ProcletError NOT_RUNNING when nobody listens, TIMEOUT when nobody answers
 */
export async function reach(run: LiveRun, clock: Clock): Promise<ControlClient> {
  const client = await connectTo(run, clock);
  const bounded = <T>(asked: Promise<T>) => answerOf(asked, run, clock);
  try {
    await bounded(client.request({ verb: 'hello' }));
  } catch (error) {
    client.close();
    throw error;
  }
  return {
    request: (message, onItem) => {
      const asked = client.request(message, onItem) as Promise<never>;
      const { timeout } = message;
      if (typeof timeout === 'number') return answerOf(asked, run, clock, timeout + answersAtLast);
      return waiting.has(message.verb) ? asked : bounded(asked);
    },
    close: () => client.close(),
  };
}

/** One request over a connection of its own. */
export async function askRun<T>(run: LiveRun, message: Message, clock: Clock): Promise<T> {
  const client = await reach(run, clock);
  return client.request<T>(message).finally(() => client.close());
}

/** One request whose answer, the connection included, has this bound. */
export function question<T>(run: LiveRun, message: Message, clock: Clock, within?: Millis): Promise<T> {
  let close = () => {};
  const asked = connectTo(run, clock).then((client) => {
    close = () => client.close();
    return client.request<T>(message);
  });
  return answerOf(asked, run, clock, within).finally(() => close());
}

/** @throws ProcletError TIMEOUT also when too many wait for the run to take their connections */
export async function connectTo(run: LiveRun, clock: Clock): Promise<ControlClient> {
  try {
    return await connect(run.socket);
  } catch (error) {
    const { code } = ((error as ProcletError).cause ?? {}) as NodeJS.ErrnoException;
    if (code === 'EAGAIN') throw silenceError(run, clock.wall());
    const silence = silenceOf(run, clock.wall());
    if (silence !== 'no-socket') throw error;
    const { text, hint } = describeSilence(run, silence);
    throw new ProcletError('NOT_RUNNING', text, { hint, cause: error, reason: 'no-socket' });
  }
}

/** The answer, or an error with the code TIMEOUT; `within` ends the wait for whatever reason there is none. */
export function answerOf<T>(asked: Promise<T>, run: LiveRun, clock: Clock, within?: Millis): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(silenceError(run, clock.wall()));
    let cancel = clock.wakeAt(clock.now() + (within ?? answersWithin), () => {
      if (within !== undefined || isStopped(run.pid)) return giveUp();
      cancel = clock.wakeAt(clock.now() + answersAtLast - answersWithin, giveUp);
    });
    asked.then(resolve, reject).finally(() => cancel());
  });
}
