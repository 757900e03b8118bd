/** Runs that live and by whose files they cannot be known: somebody removed these, and each run makes its own again in a moment. */
import { existsSync, readFileSync } from 'node:fs';
import { claimPath, liveRuns } from './runs.js';
import { recordPath } from './runtime-dir.js';

/** Whether there is one that could be a project's, but for its record or its claim. */
export function isAnyUnlisted(directory: string): boolean {
  const isUnclaimed = liveRuns(directory).some(
    (run) => run.command === 'start' && !existsSync(claimPath(directory, run)),
  );
  return isUnclaimed || unlistedRuns(directory).length > 0;
}

/** As the kernel tells who listens at which path, also where nothing is any more at that path. None where it does not tell. */
export function unlistedRuns(directory: string): string[] {
  let sockets: string;
  try {
    sockets = readFileSync('/proc/net/unix', 'utf8');
  } catch {
    return []; // ENOENT: not Linux
  }
  const runs = sockets.split('\n').flatMap((line) => {
    const [, run] = line.includes(` ${directory}/`) ? (socket.exec(line) ?? []) : [];
    return run === undefined ? [] : [run];
  });
  return [...new Set(runs)].filter((run) => !existsSync(recordPath(directory, run)));
}

const socket = /\/(\d{11})\.sock$/;
