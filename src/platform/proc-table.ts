/** Processes as Linux shows them in /proc, proc(5). */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, type Stats, statSync } from 'node:fs';
import { constants } from 'node:os';
import { markIn } from './mark.js';
import type { ProcessRow, ProcessTable } from './process-table.js';
import { isGoneOrForeign, withSpareDescriptor } from './spare-descriptor.js';

const page = Buffer.allocUnsafe(4096);
const environment = Buffer.allocUnsafe(64 * 1024);

/** The beginning of a /proc file, or '' when the process is gone or not ours to read. */
function peek(path: string, buffer: Buffer = page): string {
  let fd: number | undefined;
  try {
    fd = withSpareDescriptor(() => openSync(path, 'r'));
    return buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, null));
  } catch (error) {
    if (!isGoneOrForeign(error)) throw error;
    return ''; // ENOENT: gone; ESRCH: gone since the open; EACCES: another user's
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

const lockLimit = /^Max file locks +(\d+) /m;

/** Whether a soft limit of fifteen digits can be set here: the hard limit is usually `unlimited`. */
export function limitsCarryMarks(): boolean {
  const hard = /^Max file locks +\S+ +(\S+)/m.exec(peek('/proc/self/limits'))?.[1];
  return hard === 'unlimited' || Number(hard) >= 10 ** 15;
}

/** A whole environment: of most processes it is a page, and rarely more than the buffer. */
function environmentOf(pid: number): string {
  const text = peek(`/proc/${pid}/environ`, environment);
  if (text.length < environment.length) return text;
  try {
    return withSpareDescriptor(() => readFileSync(`/proc/${pid}/environ`, 'latin1'));
  } catch (error) {
    if (!isGoneOrForeign(error)) throw error;
    return ''; // gone since
  }
}

/**
 * Names a named pipe, and no other: its number is given to another once nobody has it open, so the time of its birth, which
 * does not change as it is written to, is part of the name where the file system keeps that.
 */
export function pipeKey({ dev, ino, birthtimeMs }: Pick<Stats, 'dev' | 'ino' | 'birthtimeMs'>): string {
  return `${dev}:${ino}:${birthtimeMs}`;
}

/** Of all that it has open, the pipes that had a name and have none any more, as those that proclet makes. */
function pipesOf(pid: number): string[] {
  return descriptorsOf(pid).flatMap((path) => namelessPipe(path) ?? []);
}

/** The `pipeKey` of a pipe that had a name and has none any more; undefined of whatever else, or if it was closed since. */
export function namelessPipe(path: string): string | undefined {
  try {
    const stats = readlinkSync(path).endsWith(' (deleted)') ? statSync(path) : undefined;
    return stats?.isFIFO() ? pipeKey(stats) : undefined;
  } catch (error) {
    if (!isGoneOrForeign(error)) throw error;
    return undefined;
  }
}

export function descriptorsOf(pid: number): string[] {
  try {
    return withSpareDescriptor(() => readdirSync(`/proc/${pid}/fd`)).map((fd) => `/proc/${pid}/fd/${fd}`);
  } catch (error) {
    if (!isGoneOrForeign(error)) throw error;
    return []; // gone, or not ours to look at
  }
}

/**
 * Processes without a mark and a pipe, pid to start: they do not come by one later, so that it is not looked for again.
 * Only a limit is, as the shell that sets it may have been seen before it did.
 */
const plain = new Map<number, string>();
const mostPlain = 10_000;

function tiesOf(pid: number, started: string): Pick<ProcessRow, 'mark' | 'pipes'> {
  const limit = lockLimit.exec(peek(`/proc/${pid}/limits`))?.[1];
  const isPlain = plain.get(pid) === started;
  const mark = markIn(limit, () => (isPlain ? '' : environmentOf(pid)));
  if (mark !== undefined) return { mark };
  const pipes = isPlain ? [] : pipesOf(pid);
  if (pipes.length > 0) return { pipes };
  if (plain.size > mostPlain) plain.clear();
  plain.set(pid, started);
  return {};
}

/** The fields of /proc/PID/stat after the name, which may contain anything. */
function statOf(pid: number): string[] {
  const stat = peek(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** proc(5): the fields after the last `)`, which ends the command's name, are state ppid pgrp session … starttime(22). */
function rowOf(pid: number): ProcessRow | undefined {
  const fields = statOf(pid);
  const [state, ppid, pgid, sid] = fields;
  const started = fields[19];
  if (!state || started === undefined || isDead(state, Number(fields[17]))) return undefined;
  // Kernel threads are children of 2 and carry nobody's mark.
  const ties = ppid === '2' ? {} : tiesOf(pid, started);
  return { pid, ppid: Number(ppid), pgid: Number(pgid), sid: Number(sid), state, started, ...ties };
}

/** A process whose first thread has ended shows as a zombie while the others run: pthread_exit(3) in main(). */
function isDead(state: string, threads: number): boolean {
  return state === 'X' || (state === 'Z' && threads <= 1);
}

/** A reading is repeated for what was born during it, at most this often. */
const readings = 20;

export const procTable: ProcessTable = {
  read() {
    const rows = new Map<number, ProcessRow>();
    const seen = new Set<number>();
    for (let reading = 0; reading < readings; reading += 1) {
      const fresh = procTable.readNew(seen);
      for (const row of fresh.rows) rows.set(row.pid, row);
      if (fresh.rows.length === 0 && fresh.missed === 0) break;
    }
    return rows;
  },
  readNew(seen, meet) {
    const rows: ProcessRow[] = [];
    let missed = 0;
    for (const name of withSpareDescriptor(() => readdirSync('/proc'))) {
      const first = name.charCodeAt(0);
      if (first < 49 || first > 57) continue; // '1' to '9': the directories named for a pid
      const pid = Number(name);
      if (seen.has(pid)) continue;
      seen.add(pid);
      const row = rowOf(pid);
      if (!row) missed += 1;
      else {
        rows.push(row);
        meet?.(row);
      }
    }
    return { rows, missed };
  },
  find: rowOf,
  isSame: ({ pid, started }) => statOf(pid)[19] === started,
  ignores(pid, signal) {
    const mask = /^SigIgn:\t([0-9a-f]+)$/m.exec(peek(`/proc/${pid}/status`))?.[1] ?? '0';
    return ((BigInt(`0x${mask}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
  },
  command(pid) {
    const words = peek(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
    const name = /\((.*)\)/s.exec(peek(`/proc/${pid}/stat`))?.[1] ?? '';
    return (words || name).slice(0, 80);
  },
};
