/**
 * What earlier runs of this user left behind: processes that carry a run's mark although the run's proclet and
 * its guardian are gone. Anything else is not touched.
 */
import { rmSync, statSync } from 'node:fs';
import type { Millis, Survivor } from '../model.js';
import type { Clock } from '../ports.js';
import { removeCgroups } from './cgroup.js';
import { guardianMark, runOf } from './mark.js';
import type { Processes, ProcessRow, ProcessTable } from './process-table.js';
import { ProcessTrees } from './process-tree.js';
import { bootId, type RunRecord, readRecords, recordPath, removeClaims, removeRecord } from './runtime-dir.js';

export interface Leftover {
  readonly run: string;
  /** Absent when the record is gone too. */
  readonly record?: RunRecord;
  readonly processes: readonly { readonly pid: number; readonly command: string }[];
}

/** Looks, and removes the records of runs that are gone and left nothing. */
export function findLeftovers(directory: string, table: ProcessTable): Leftover[] {
  const processes = table.read();
  const records = new Map(readRecords(directory).map((record) => [record.run, record]));
  const marked = byRun(processes);
  const runs = new Set([...records.keys(), ...marked.keys()]);
  return [...runs].flatMap((run) => {
    const record = records.get(run);
    const rows = marked.get(run) ?? [];
    if (isAlive(run, record, rows, processes, table)) return [];
    if (rows.length === 0) {
      if (record) forget(directory, record);
      return [];
    }
    const named = rows.map(({ pid }) => ({ pid, command: table.command(pid) }));
    return [{ run, ...(record && { record }), processes: named }];
  });
}

/** TERM, the grace, then SIGKILL until nothing is left. Answers what the kernel would not end. */
export function endLeftover(
  leftover: Leftover,
  { clock, table, directory, grace }: { clock: Clock; table: ProcessTable; directory: string; grace: Millis },
): Promise<readonly Survivor[]> {
  return new Promise((resolve) => {
    const trees = new ProcessTrees(clock, table);
    const cancels: (() => void)[] = [];
    const tree = trees.plant(
      { leader: 0, mark: leftover.run, ownsGroup: false },
      {
        orphaned() {},
        ended({ survivors }) {
          for (const cancel of cancels) cancel();
          if (survivors.length === 0 && leftover.record) forget(directory, leftover.record);
          resolve(survivors);
        },
      },
    );
    tree.signal('SIGTERM');
    tree.leaderExited();
    cancels.push(clock.wakeAt(clock.now() + grace, tree.kill));
    cancels.push(clock.wakeAt(clock.now() + grace + 5_000, tree.abandon));
  });
}

function forget(directory: string, { run, cgroup }: RunRecord): void {
  if (cgroup !== '') removeCgroups(cgroup);
  rmSync(`${recordPath(directory, run)}.detach`, { recursive: true, force: true });
  removeRecord(recordPath(directory, run));
  removeClaims(directory, run);
}

/** A run is alive while its runner is, or a guardian that still has to do its work. */
function isAlive(
  run: string,
  record: RunRecord | undefined,
  rows: readonly ProcessRow[],
  processes: Processes,
  table: ProcessTable,
): boolean {
  if ([...processes.values()].some(({ mark }) => mark === guardianMark(run))) return true;
  if (record) return record.boot === bootId() && processes.get(record.pid)?.started === record.started;
  // Nobody wrote down who the runner is: a parent that is a proclet and not of the run itself may be.
  return rows.some(
    ({ ppid }) => runOf(processes.get(ppid)?.mark) !== run && ppid > 1 && table.command(ppid).includes('proclet'),
  );
}

/** This user's processes by the run they belong to, guardians left out. */
function byRun(processes: Processes): Map<string, ProcessRow[]> {
  const runs = new Map<string, ProcessRow[]>();
  for (const row of processes.values()) {
    const run = runOf(row.mark);
    if (run === undefined || row.mark === guardianMark(run) || !isOurs(row.pid)) continue;
    runs.set(run, [...(runs.get(run) ?? []), row]);
  }
  return runs;
}

function isOurs(pid: number): boolean {
  try {
    return statSync(`/proc/${pid}`).uid === process.getuid?.();
  } catch {
    return false; // gone
  }
}
