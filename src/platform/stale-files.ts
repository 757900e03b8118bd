/** What proclets that were killed have left in the file system, beside the records of their runs. */
import { readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAttended } from './attendance.js';
import { clearDrafts } from './drafts.js';
import { isLauncherGone } from './launcher-record.js';
import { isLockStale } from './lock.js';
import type { Places } from './places.js';
import { readPlain } from './plain-file.js';
import type { Processes, ProcessTable } from './process-table.js';
import { searchRun } from './run-search.js';
import { readRecords } from './runtime-dir.js';

/** Removes it, and answers the paths: nothing of a run that may live, and nothing of another user's. */
export function clearStaleFiles({ runtime, own, cache, state }: Places, table: ProcessTable): string[] {
  return [
    ...clearDrafts(runtime, table),
    ...clearDrafts(own, table),
    ...clearDrafts(tmpdir(), table, 'proclet-'),
    ...clearAll(runtime, isOfNoRun(runtime, table)),
    ...namesIn(state).flatMap((name) => removeIfEmpty(join(state, name))),
    ...removeIfEmpty(state),
    ...clearAll(own, (name, path) => name.endsWith('.lock') && isLockStale(textOf(path), table)),
    ...(cache === undefined
      ? []
      : clearAll(cache, (name, path) => /\.v8\.\d+$/.test(name) && !hasProcess(name) && isPlainFile(path))),
  ];
}

/** Whether a file in the runtime directory belongs to a run that has no record, and that nobody attends to. */
function isOfNoRun(runtime: string, table: ProcessTable): (name: string, path: string) => boolean {
  const recorded = new Set(readRecords(runtime).map(({ run }) => run));
  let processes: Processes | undefined;
  const isNone = (run: string) => {
    if (recorded.has(run)) return false;
    processes ??= table.read();
    if (isAttended({ run, record: undefined }, processes, table)) return false;
    const { rows, trouble } = searchRun({ run, cgroup: '' }, processes);
    return rows.length === 0 && trouble === undefined;
  };
  return (name, path) => {
    if (name === 'launcher.claim') return isLauncherGone(textOf(path));
    const claimant = name.endsWith('.claim') ? /^(\d{11})\n/.exec(textOf(path))?.[1] : undefined;
    const run = claimant ?? /^(\d{11})\.(?:run|sock|lives|run\.detach)$/.exec(name)?.[1];
    return run !== undefined && isNone(run);
  };
}

function clearAll(directory: string, isStale: (name: string, path: string) => boolean): string[] {
  return namesIn(directory).flatMap((name) => {
    const path = join(directory, name);
    if (!isStale(name, path)) return [];
    rmSync(path, { recursive: true, force: true, maxRetries: 2 });
    return [path];
  });
}

/** A directory. */
function removeIfEmpty(path: string): string[] {
  try {
    rmdirSync(path);
    return [path];
  } catch {
    return []; // ENOTEMPTY: the usual case
  }
}

function hasProcess(name: string): boolean {
  try {
    process.kill(Number(name.split('.').at(-1)), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function isPlainFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function textOf(path: string): string {
  try {
    return readPlain(path);
  } catch {
    return ''; // ENOENT: gone since
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // ENOENT: nothing was ever made there
  }
}
