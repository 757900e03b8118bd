/**
 * Whether somebody attends to a run: its runner, or a guardian that still has to do its work. What nobody attends to
 * may be ended by others. Only reads.
 */

import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { bootId, pidNamespace } from './boot.js';
import { guardianMark, runOf } from './mark.js';
import type { Processes, ProcessTable } from './process-table.js';
import type { RunRecord } from './runtime-dir.js';

/** What is known of a run. */
export interface Evidence {
  readonly run: string;
  /** Undefined when it is gone, or cannot be read. */
  readonly record: RunRecord | undefined;
}

/**
 * A guardian that was stopped (SIGSTOP) does no work. A run whose pids are of another namespace counts as attended:
 * whether its runner lives cannot be seen from here.
 */
export function isAttended({ run, record }: Evidence, processes: Processes, table: ProcessTable): boolean {
  if ([...processes.values()].some(({ mark, state }) => mark === guardianMark(run) && state !== 'T')) return true;
  if (record !== undefined) return mayLive(record, (pid) => processes.get(pid)?.started);
  // Nobody wrote down who the runner is: a parent that may be a proclet, and is not of the run itself, may be it.
  return [...processes.values()].some(
    ({ mark, ppid }) =>
      runOf(mark) === run && runOf(processes.get(ppid)?.mark) !== run && ppid > 1 && mayBeProclet(ppid, table),
  );
}

/** By its program: a script that uses the library is one too. Orphans have another parent, as the session's systemd. */
function mayBeProclet(pid: number, table: ProcessTable): boolean {
  if (table.command(pid).includes('proclet')) return true;
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`)) === basename(process.execPath);
  } catch {
    return false; // EACCES: another user's
  }
}

/** Who made something, and where that number means something. */
export type Maker = Pick<RunRecord, 'boot' | 'pids' | 'pid' | 'started'>;

/** Whether a process may still run; `startOf` tells when the process with a pid started. */
export function mayLive({ boot, pids, pid, started }: Maker, startOf: (pid: number) => string | undefined): boolean {
  if (boot !== bootId()) return false;
  return pids !== pidNamespace() || startOf(pid) === started;
}
