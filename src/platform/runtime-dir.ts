/**
 * Where running proclets leave word of themselves: a directory of the user's own (0700), with a record per run.
 * A record outlives its run only if proclet and its guardian were both killed; `proclet reap` reads it then.
 */
import { lstatSync, readdirSync, readFileSync, type Stats, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcletError } from '../errors.js';
import { causeOf } from '../system-error.js';
import { makeDirectory } from './make-directory.js';
import { placesOf, thisSystem } from './places.js';
import { readPlain } from './plain-file.js';
import { removeIfThere, writeWhole } from './whole-file.js';

/** One run of proclet, as its record tells. */
export interface RunRecord {
  readonly run: string;
  readonly pid: number;
  /** With the pid, the identity of the runner: see process-table.ts. */
  readonly started: string;
  /** Start times and pids mean nothing after the next boot. */
  readonly boot: string;
  /** The pid namespace that the numbers are of; '' where there are none. */
  readonly pids: string;
  readonly root: string;
  /** What somebody named it; '' otherwise. */
  readonly name: string;
  /** The command; there is one `start` of a project and name at a time, and as many `run` as people want. */
  readonly command: 'start' | 'run';
  readonly cgroup: string;
  /** The mark of the life of another run that this one was started in; '' when it was in none. */
  readonly within: string;
  /** Unix sockets in the file system that it may hold for its services. Absolute. */
  readonly sockets?: readonly string[];
  /** The first of each service's ports, whether it runs or not. */
  readonly ports: readonly number[];
  /** Wall time in milliseconds. */
  readonly since: number;
}

/** Where it is, or would be. */
export function runtimePath(env: NodeJS.ProcessEnv = process.env): string {
  return placesOf(env, thisSystem()).runtime;
}

/** Where it is, or would be, for who only looks: makes nothing. Throws ProcletError when what is there is somebody else's. */
export function runtimePlace(env: NodeJS.ProcessEnv = process.env): string {
  const directory = runtimePath(env);
  const found = foundAt(directory);
  if (found !== undefined) assertOurs(directory, found);
  return directory;
}

function foundAt(directory: string): Stats | undefined {
  try {
    return lstatSync(directory, { throwIfNoEntry: false });
  } catch (cause) {
    throw new ProcletError(
      'OS',
      `${directory}, where runs leave word of themselves, cannot be read: ${causeOf(cause)}`,
      {
        hint: ownPlaceHint,
        cause,
      },
    );
  }
}

const ownPlaceHint = 'Set XDG_RUNTIME_DIR to a directory of your own that you can write to.';

/** Makes the directory if need be. Throws ProcletError when it is somebody else's, or open to others. */
export function runtimeDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const directory = runtimePath(env);
  try {
    makeDirectory(directory);
  } catch (cause) {
    throw new ProcletError('OS', `${directory} cannot be made: ${causeOf(cause)}`, { hint: ownPlaceHint, cause });
  }
  assertOurs(directory, lstatSync(directory));
  return directory;
}

function assertOurs(directory: string, found: Stats): void {
  const ours = process.getuid === undefined || found.uid === process.getuid();
  if (!found.isDirectory() || !ours || (found.mode & 0o077) !== 0) {
    throw new ProcletError('OS', `${directory} is not a directory that only you can use`, {
      hint: 'Look at whose it is, remove it, or set XDG_RUNTIME_DIR to a directory of your own.',
    });
  }
}

/** Where drafts of no particular place are made: the runtime directory, or the system's, where there can be none. */
export function draftDirectory(): string {
  try {
    return runtimeDirectory();
  } catch {
    return tmpdir();
  }
}

export function recordPath(directory: string, run: string): string {
  return join(directory, `${run}.run`);
}

/** Where a run listens for requests. */
export function socketPath(directory: string, run: string): string {
  return join(directory, `${run}.sock`);
}

/** What else its processes are known by: see lives-file.ts. */
export function livesPath(directory: string, run: string): string {
  return join(directory, `${run}.lives`);
}

export function writeRecord(directory: string, record: RunRecord): string {
  const path = recordPath(directory, record.run);
  writeWhole(path, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  return path;
}

/** Removes a record and the sockets of a run of which nothing is left; one that is gone already is as good. */
export function removeRecord(path: string): void {
  removeSockets(path);
  for (const kind of ['.run', '.sock', '.lives']) removeIfThere(path.replace(/\.run$/, kind));
}

/** Those on which nobody listens, where the system says who does. */
function removeSockets(record: string): void {
  try {
    const { sockets = [] } = JSON.parse(readPlain(record)) as RunRecord;
    if (sockets.length === 0) return;
    const held = readFileSync('/proc/net/unix', 'utf8');
    for (const path of sockets) {
      const isSocket = lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
      if (isSocket && !held.includes(` ${path}\n`)) unlinkSync(path);
    }
  } catch {
    // ENOENT: gone, or not Linux; EACCES: not ours to remove. The next start replaces what nobody listens on.
  }
}

/** Removes what a dead run has claimed. */
export function removeClaims(directory: string, run: string): void {
  for (const name of namesIn(directory)) {
    if (!name.endsWith('.claim')) continue;
    try {
      const path = join(directory, name);
      if (readPlain(path).startsWith(`${run}\n`)) unlinkSync(path);
    } catch {
      // ENOENT: given back, or taken over, since it was listed
    }
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return []; // none was made yet, or somebody has removed it
  }
}

/** Every record that can be read; half-written or foreign files are passed over. */
export function readRecords(directory: string): RunRecord[] {
  return namesIn(directory)
    .filter((name) => /^\d{11}\.run$/.test(name))
    .flatMap((name) => {
      try {
        const record = JSON.parse(readPlain(join(directory, name))) as RunRecord;
        // An earlier version does not say from within which run it was started.
        return record.run === name.slice(0, 11) && Number.isInteger(record.pid)
          ? [{ ...record, within: record.within ?? '' }]
          : [];
      } catch {
        return []; // being written, removed since, or nothing of proclet's
      }
    });
}
