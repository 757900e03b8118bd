/** Where a detached run keeps its output: a directory of the user's own for each project and name. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ownPlaces } from '../platform/home.js';
import { makeDirectory } from '../platform/make-directory.js';
import { readPlain } from '../platform/plain-file.js';
import { writeWhole } from '../platform/whole-file.js';

export function stateDirectory(root: string, name: string): string {
  const hash = createHash('sha256').update(`${root}\0${name}`).digest('hex').slice(0, 10);
  return join(ownPlaces().state, `${basename(root) || 'root'}-${hash}`);
}

/** What the newest run that kept its output has left. */
export interface KeptLogs {
  readonly files: readonly string[];
  /** When it began; wall time in milliseconds. */
  readonly since: number;
}

/** Notes where a run of a directory keeps its output, for when it has ended. What keeps none is not noted. */
export function noteLogs(root: string, name: string, { files, since }: KeptLogs): void {
  if (files.length === 0) return;
  const directory = stateDirectory(root, name);
  try {
    makeDirectory(directory);
    writeWhole(join(directory, noteName), `${JSON.stringify({ files, since })}\n`, { mode: 0o600 });
  } catch {
    // ENOSPC, EROFS, no home: while the run lives it says itself where they are
  }
}

const noteName = 'newest.json';

/** Removes the notes of runs that have ended and left no file that is noted. Answers their paths. */
export function clearNotes(live: readonly { readonly root: string; readonly name: string }[]): string[] {
  const lived = new Set(live.map(({ root, name }) => stateDirectory(root, name)));
  const { state } = ownPlaces();
  return namesIn(state).flatMap((name) => {
    const directory = join(state, name);
    const note = join(directory, noteName);
    if (lived.has(directory) || !existsSync(note) || noted(directory)?.files.some((file) => existsSync(file)))
      return [];
    rmSync(note, { force: true });
    return [note];
  });
}

/** Those of a directory, or of the nearest above it that has any. */
export function keptLogs(directory: string, name: string): KeptLogs | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const found = noted(stateDirectory(at, name));
    if (found !== undefined || dirname(at) === at) return found;
  }
}

function noted(directory: string): KeptLogs | undefined {
  try {
    const { files, since } = JSON.parse(readPlain(join(directory, noteName)));
    return { files, since };
  } catch {
    // ENOENT, or an earlier version wrote none
    const files = logsIn(directory);
    return files.length === 0 ? undefined : { files, since: 0 };
  }
}

function logsIn(directory: string): string[] {
  return namesIn(directory).flatMap((name) => (name.endsWith('.log') ? [join(directory, name)] : []));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // ENOENT
  }
}
