/**
 * What runs on this machine, as the operating system shows it: /proc on Linux, `ps` elsewhere.
 * Only reads; who belongs to a service is decided in membership.ts.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

export interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** One letter, as in `ps`. The dead (Z, X) are never listed: they only wait to be reaped. */
  readonly state: string;
  /** When it started, in the system's own unit: with the pid, an identity that is never used twice. */
  readonly started: string;
  /** The soft limit on file locks, which is how proclet marks what it starts (see mark.ts). */
  readonly mark?: string;
}

export type Processes = ReadonlyMap<number, ProcessRow>;

export interface Newcomers {
  readonly rows: ProcessRow[];
  /** How many were dead before they could be read: somebody starts processes faster than they are looked at. */
  readonly missed: number;
}

export interface ProcessTable {
  /** Every live process, now. */
  read(): Map<number, ProcessRow>;
  /**
   * The processes whose pid is not in `seen`; adds what it looked at to `seen`. Fast enough to be repeated.
   * `meet` is called with each as it is found: in a program that goes on in new processes it lives for moments.
   */
  readNew(seen: Set<number>, meet?: (row: ProcessRow) => void): Newcomers;
  /** One process, now; undefined when it is gone. */
  find(pid: number): ProcessRow | undefined;
  /** Whether it is still the process that was seen: same pid, same start. */
  isSame(row: ProcessRow): boolean;
  /** The command line for people, at most 80 characters. */
  command(pid: number): string;
}

export function createProcessTable(platform: NodeJS.Platform = process.platform): ProcessTable {
  return platform === 'linux' ? linuxTable : psTable;
}

const buffer = Buffer.allocUnsafe(4096);

/** The first 4 KB of a /proc file, or '' when the process is gone or not ours to read. */
function peek(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return ''; // ENOENT: gone; EACCES: another user's
  }
  try {
    return buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, null));
  } catch {
    return ''; // ESRCH: gone since the open
  } finally {
    closeSync(fd);
  }
}

const lockLimit = /^Max file locks +(\d+) /m;

/** Whether a soft limit of fifteen digits can be set here: the hard limit is usually `unlimited`. */
export function limitsCarryMarks(): boolean {
  const hard = /^Max file locks +\S+ +(\S+)/m.exec(peek('/proc/self/limits'))?.[1];
  return hard === 'unlimited' || Number(hard) >= 10 ** 15;
}

const markOf = limitsCarryMarks() ? markInLimits : markInEnvironment;

function markInLimits(pid: number): string | undefined {
  return lockLimit.exec(peek(`/proc/${pid}/limits`))?.[1];
}

/** The second best: lost by whoever clears its environment or writes its title over it. */
function markInEnvironment(pid: number): string | undefined {
  try {
    return /(?:^|\0)PROCLET_(?:MARK|GUARDIAN)=(\d+)/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'))?.[1];
  } catch {
    return undefined; // gone, or another user's
  }
}

/** The fields of /proc/PID/stat after the name, which may contain anything. */
function statOf(pid: number): string[] {
  const stat = peek(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** proc(5): the fields after the last `)`, which ends the command's name, are state ppid pgrp session … starttime(22). */
function linuxRow(pid: number): ProcessRow | undefined {
  const fields = statOf(pid);
  const [state, ppid, pgid, sid] = fields;
  const started = fields[19];
  if (!state || started === undefined || isDead(state, Number(fields[17]))) return undefined;
  // Kernel threads are children of 2 and carry nobody's mark.
  const mark = ppid === '2' ? undefined : markOf(pid);
  return { pid, ppid: Number(ppid), pgid: Number(pgid), sid: Number(sid), state, started, ...(mark && { mark }) };
}

/** A process whose first thread has ended shows as a zombie while the others run: pthread_exit(3) in main(). */
function isDead(state: string, threads: number): boolean {
  return state === 'X' || (state === 'Z' && threads <= 1);
}

/** A reading is repeated for what was born during it, at most this often. */
const readings = 20;

const linuxTable: ProcessTable = {
  read() {
    const rows = new Map<number, ProcessRow>();
    const seen = new Set<number>();
    for (let reading = 0; reading < readings; reading += 1) {
      const fresh = linuxTable.readNew(seen);
      for (const row of fresh.rows) rows.set(row.pid, row);
      if (fresh.rows.length === 0 && fresh.missed === 0) break;
    }
    return rows;
  },
  readNew(seen, meet) {
    const rows: ProcessRow[] = [];
    let missed = 0;
    for (const name of readdirSync('/proc')) {
      const first = name.charCodeAt(0);
      if (first < 49 || first > 57) continue; // '1' to '9': the directories named for a pid
      const pid = Number(name);
      if (seen.has(pid)) continue;
      seen.add(pid);
      const row = linuxRow(pid);
      if (!row) missed += 1;
      else {
        rows.push(row);
        meet?.(row);
      }
    }
    return { rows, missed };
  },
  find: linuxRow,
  isSame: ({ pid, started }) => statOf(pid)[19] === started,
  command(pid) {
    const words = peek(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
    const name = /\((.*)\)/s.exec(peek(`/proc/${pid}/stat`))?.[1] ?? '';
    return (words || name).slice(0, 80);
  },
};

/** POSIX `ps`, with the columns that Linux, macOS and the BSDs share. `lstart` has five words. */
const psTable: ProcessTable = {
  read: () => parsePs(ps(['-A'])),
  readNew(seen, meet) {
    const rows = [...parsePs(ps(['-A'])).values()].filter(({ pid }) => !seen.has(pid));
    for (const row of rows) {
      seen.add(row.pid);
      meet?.(row);
    }
    return { rows, missed: 0 };
  },
  find: (pid) => parsePs(ps(['-p', String(pid)])).get(pid),
  isSame: (row) => psTable.find(row.pid)?.started === row.started,
  command(pid) {
    try {
      return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
        .trim()
        .slice(0, 80);
    } catch {
      return ''; // ps exits 1 for a process that is gone
    }
  },
};

function ps(which: string[]): string {
  try {
    const columns = 'pid=,ppid=,pgid=,sess=,stat=,lstart=';
    return execFileSync('ps', [...which, '-o', columns], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  } catch {
    return ''; // ps exits 1 when nothing matches
  }
}

export function parsePs(text: string): Map<number, ProcessRow> {
  const rows = new Map<number, ProcessRow>();
  for (const line of text.split('\n')) {
    const [pid, ppid, pgid, sid, stat, ...lstart] = line.trim().split(/\s+/);
    const state = stat?.[0];
    if (!state || state === 'Z' || lstart.length < 5) continue;
    // macOS prints the session as an address; 0 then says that it is not known.
    rows.set(Number(pid), {
      pid: Number(pid),
      ppid: Number(ppid),
      pgid: Number(pgid),
      sid: Number(sid) || 0,
      state,
      started: lstart.join(' '),
    });
  }
  return rows;
}
