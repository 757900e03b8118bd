/**
 * Whether somebody attends to a run: its runner, or a guardian that still has to do its work. What nobody attends to
 * may be ended by others. Only reads.
 */
import { guardianMark, runOf } from './mark.js';
import type { Processes, ProcessTable } from './process-table.js';
import { bootId, pidNamespace, type RunRecord } from './runtime-dir.js';

/** What is known of a run. */
export interface Evidence {
  readonly run: string;
  /** Undefined when it is gone, or cannot be read. */
  readonly record: RunRecord | undefined;
}

/** A run whose pids are of another namespace counts as attended: whether its runner lives cannot be seen from here. */
export function isAttended({ run, record }: Evidence, processes: Processes, table: ProcessTable): boolean {
  if ([...processes.values()].some(({ mark }) => mark === guardianMark(run))) return true;
  if (record !== undefined) return mayLive(record, (pid) => processes.get(pid)?.started);
  // Nobody wrote down who the runner is: a parent that is a proclet and not of the run itself may be.
  return [...processes.values()].some(
    ({ mark, ppid }) =>
      runOf(mark) === run &&
      runOf(processes.get(ppid)?.mark) !== run &&
      ppid > 1 &&
      table.command(ppid).includes('proclet'),
  );
}

/** Who made something, and where that number means something. */
export type Maker = Pick<RunRecord, 'boot' | 'pids' | 'pid' | 'started'>;

/** Whether a process may still run; `startOf` tells when the process with a pid started. */
export function mayLive({ boot, pids, pid, started }: Maker, startOf: (pid: number) => string | undefined): boolean {
  if (boot !== bootId()) return false;
  return pids !== pidNamespace() || startOf(pid) === started;
}
