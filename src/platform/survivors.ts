/** Sending signals to processes that were seen in the table, and telling about those that no signal ends. */
import type { Survivor } from '../model.js';
import type { ProcessRow, ProcessTable } from './process-table.js';

/** Signals a process only if it is still the one that was seen: same pid, same start. */
export function send(row: ProcessRow, signal: NodeJS.Signals, table: ProcessTable): void {
  if (!table.isSame(row)) return;
  try {
    process.kill(row.pid, signal);
  } catch {
    // ESRCH: gone in this very moment. EPERM: it became another user's, and is not ours to end.
  }
}

/** What is left, for people; `denied` is what this user may not signal. */
export function survivorsOf(rows: readonly ProcessRow[], table: ProcessTable): Survivor[] {
  return rows.map(({ pid, state }) => ({
    ...{ pid, state, command: table.command(pid) },
    ...(isDenied(pid) && { denied: true as const }),
  }));
}

/** Of processes that were seen before, those that exist, as far as that can be asked where nothing can be read. */
export function unseenSurvivors(known: readonly number[]): Survivor[] {
  return known.filter(exists).map((pid) => ({ pid, state: '?', command: 'a process that cannot be seen' }));
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether only another user may signal it. */
export function isDenied(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
