/**
 * What is left of a run, wherever it went: every process that carries its mark, whoever's it is, that is in its
 * control group, or that came of such a process. The one search behind `proclet reap`, `proclet doctor`, and the end of
 * a run. A record may only be removed when the search could look everywhere and found nothing.
 */
import { rmSync, statSync } from 'node:fs';
import { pidsBelow, removeCgroups, troubleReading } from './cgroup.js';
import { membersOf, type Tree } from './membership.js';
import type { Processes, ProcessRow } from './process-table.js';
import { type RunRecord, recordPath, removeClaims, removeRecord } from './runtime-dir.js';

export interface SearchResult {
  readonly rows: readonly ProcessRow[];
  /** Why the search could not look everywhere; undefined when it could. */
  readonly trouble: string | undefined;
}

/**
 * `cgroup` is the run's, or ''; `known`, pid to start, is what is known of it by other means. The searching process itself
 * is never found.
 */
export function searchRun(
  { run, cgroup }: Pick<RunRecord, 'run' | 'cgroup'>,
  processes: Processes,
  known: ReadonlyMap<number, string> = new Map(),
): SearchResult {
  const tree: Tree = {
    mark: run,
    leader: 0,
    known: new Map(known),
    ownsGroup: false,
    guests: new Set(),
    orphaned: new Set(),
  };
  const rows = membersOf(tree, processes, process.pid, cgroup === '' ? [] : pidsBelow(cgroup));
  return { rows, trouble: troubleSeeing(processes) ?? (cgroup === '' ? undefined : troubleReading(cgroup)) };
}

/**
 * Removes all that a run has left in the file system: only when a search has found no process of it. Returns false,
 * and leaves the record, while its control group cannot be removed.
 */
export function forgetRun(directory: string, { run, cgroup }: Pick<RunRecord, 'run' | 'cgroup'>): boolean {
  if (cgroup !== '' && !removeCgroups(cgroup)) return false;
  rmSync(`${recordPath(directory, run)}.detach`, { recursive: true, force: true });
  removeClaims(directory, run);
  removeRecord(recordPath(directory, run));
  return true;
}

/** Why not every process of this machine can be seen. */
function troubleSeeing(processes: Processes): string | undefined {
  if (!processes.has(process.pid)) return 'the table of processes cannot be read';
  if (process.platform !== 'linux' || process.getuid?.() === 0) return undefined;
  try {
    statSync('/proc/1');
    return undefined;
  } catch {
    return "/proc hides other users' processes (hidepid)";
  }
}
