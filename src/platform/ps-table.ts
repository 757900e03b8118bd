/** Processes as `ps` prints them, where there is no /proc. */
import { execFileSync, type StdioOptions } from 'node:child_process';
import { toolEnv } from '../tools.js';
import type { ProcessRow, ProcessTable } from './process-table.js';

/** POSIX `ps`, with the columns that Linux, macOS and the BSDs share. `lstart` has five words. */
export const psTable: ProcessTable = {
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
  ignores: () => false,
  command(pid) {
    try {
      return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', stdio, env: toolEnv() })
        .trim()
        .slice(0, 80);
    } catch (error) {
      return goneOf(error); // ps exits 1 for a process that is gone
    }
  },
};

const stdio: StdioOptions = ['ignore', 'pipe', 'ignore'];

function ps(which: string[]): string {
  try {
    const columns = 'pid=,ppid=,pgid=,sess=,stat=,lstart=';
    return execFileSync('ps', [...which, '-o', columns], { encoding: 'utf8', stdio, env: toolEnv() });
  } catch (error) {
    return goneOf(error); // ps exits 1 when nothing matches
  }
}

/** Nothing, if ps ran and found nothing, or if there is none. */
function goneOf(error: unknown): '' {
  const { status, code } = error as { status?: unknown; code?: unknown };
  if (typeof status !== 'number' && code !== 'ENOENT') throw error;
  return '';
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
