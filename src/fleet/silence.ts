/**
 * Why a run does not answer: it is stopped (Ctrl-Z, SIGSTOP), it has no socket, it has begun a moment
 * ago, or nothing of that can be said of it.
 * A run that does not answer still has its services, and still holds its project.
 */
import { existsSync } from 'node:fs';
import { socketPathTrouble } from '../address.js';
import { ProcletError } from '../errors.js';
import type { Millis } from '../model.js';
import { createProcessTable } from '../platform/process-table.js';
import type { LiveRun } from '../platform/runs.js';

export type Silence = 'stopped' | 'no-socket' | 'starting' | 'no-answer';

/** A run this young may still be loading. Wall time. */
const youth: Millis = 10_000;

/** `wall` is the wall time now. */
export function silenceOf({ pid, since, socket }: Pick<LiveRun, 'pid' | 'since' | 'socket'>, wall: number): Silence {
  if (isStopped(pid)) return 'stopped';
  if (socketPathTrouble(socket) !== undefined) return 'no-socket';
  if (wall - since < youth) return 'starting';
  return existsSync(socket) ? 'no-answer' : 'no-socket';
}

/** Whether a signal or a debugger has stopped a process. */
export function isStopped(pid: number): boolean {
  return createProcessTable().find(pid)?.state.toUpperCase() === 'T';
}

/** In words, and what to do next. */
export function describeSilence(
  { pid, root, command }: Pick<LiveRun, 'pid' | 'root' | 'command'>,
  silence: Silence,
): { readonly text: string; readonly hint: string } {
  const who = `proclet ${command} in ${root} (pid ${pid})`;
  const kill = `kill -9 ${pid} ends it and its services`;
  switch (silence) {
    case 'stopped':
      return {
        text: `${who} does not answer: it is stopped`,
        hint: `kill -CONT ${pid} (or fg in its terminal) continues it; ${kill}.`,
      };
    case 'no-socket':
      return {
        text: `${who} has no socket, so that no other command reaches it`,
        hint: `kill ${pid} ends it and its services; its own output says why it has none.`,
      };
    case 'starting':
      return { text: `${who} does not answer yet: it is starting`, hint: 'Ask again in a moment.' };
    case 'no-answer':
      return {
        text: `${who} does not answer (stopped?)`,
        hint: `If it hangs, kill -CONT ${pid} continues it; ${kill}.`,
      };
    default:
      return silence satisfies never;
  }
}

export function silenceError(run: LiveRun, wall: number): ProcletError {
  const { text, hint } = describeSilence(run, silenceOf(run, wall));
  return new ProcletError('TIMEOUT', text, { hint });
}
