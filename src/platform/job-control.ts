/**
 * Where proclet stands in front of its terminal. A process in the background that reads the terminal, or changes it, or
 * writes under `stty tostop`, gets SIGTTIN or SIGTTOU from the kernel with its whole group; with a handler for it the
 * call is made again at once, for ever. So nothing of proclet touches a terminal from the background, and a signal that
 * comes all the same was sent.
 */
import { readFileSync } from 'node:fs';
import type { Processes } from './process-table.js';

/** `none`: there is no terminal. `unknown`: this system does not say. */
export type Standing = 'none' | 'foreground' | 'background' | 'unknown';

export function standing(): Standing {
  try {
    return standingIn(readFileSync('/proc/self/stat', 'latin1'));
  } catch {
    return 'unknown'; // not Linux
  }
}

/** proc(5): the fields after the last `)` are state ppid pgrp session tty_nr tpgid. */
export function standingIn(stat: string): Standing {
  const [, , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (terminal === '0' || foreground === '-1') return 'none';
  return group === foreground ? 'foreground' : 'background';
}

/**
 * Whether a SIGTTIN or SIGTTOU to proclet was sent by a process. The kernel sends them to a group in the background
 * only, and to all of it: whoever shares proclet's group there, but for proclet's own helpers, may be the cause.
 */
export function wasSentByProcess(now: Standing, processes: Processes, self: number = process.pid): boolean {
  if (now !== 'background') return true;
  const group = processes.get(self)?.pgid;
  return ![...processes.values()].some(({ pid, ppid, pgid }) => pgid === group && pid !== self && ppid !== self);
}
