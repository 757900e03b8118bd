/**
 * Where nothing shows processes, kill(2) still tells whether a process group has any. Here a group stands for its
 * processes, as one row whose pid is the group's number with a minus, which is what kill(2) takes for all of them.
 */
import type { ProcessRow, ProcessTable } from './process-table.js';

/** The processes that were asked for by their pids: leaders, whose groups bear their numbers. */
const leaders = new Set<number>();

function isThere(target: number): boolean {
  try {
    process.kill(target, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function row(pid: number, leader: number): ProcessRow {
  // It may be stopped: then it has to be woken before it can obey.
  return { pid, ppid: 0, pgid: leader, sid: leader, state: 'T', started: '' };
}

/** The group of a leader; one that was left in the group of its parent stands for itself alone. */
function rowsOf(leader: number): ProcessRow[] {
  if (isThere(-leader)) return [row(-leader, leader)];
  return isThere(leader) ? [row(leader, leader)] : [];
}

export const groupTable: ProcessTable = {
  read() {
    const rows = [...leaders].flatMap((leader) => {
      const found = rowsOf(leader);
      if (found.length === 0) leaders.delete(leader);
      return found;
    });
    return new Map(rows.map((found) => [found.pid, found]));
  },
  readNew(seen, meet) {
    const rows = [...groupTable.read().values()].filter(({ pid }) => !seen.has(pid));
    for (const row of rows) {
      seen.add(row.pid);
      meet?.(row);
    }
    return { rows, missed: 0 };
  },
  find(pid) {
    if (pid <= 1 || !isThere(pid)) return undefined;
    leaders.add(pid);
    return row(pid, pid);
  },
  isSame: ({ pid }) => isThere(pid),
  ignores: () => false,
  command: (pid) => `process group ${Math.abs(pid)}`,
};
