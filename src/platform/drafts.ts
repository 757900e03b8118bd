/**
 * What a proclet that was killed has left half made. Every file and directory that is not meant to stay is a draft: it
 * has its maker in its name (maker.ts). A start clears the drafts in the runtime directory, and beside its pid file;
 * `proclet reap` also those elsewhere.
 *
 * What a run makes for its user to keep, in places of the user's own, is noted in the runtime directory while the run
 * lives: after a kill those that are empty or name only its processes are removed too.
 */
import { existsSync, lstatSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isDraft, isMakerGone, makerOf } from './maker.js';
import { isOpenSomewhere } from './open-files.js';
import { readPlain } from './plain-file.js';
import type { ProcessTable } from './process-table.js';
import { runtimeDirectory } from './runtime-dir.js';
import { removeIfThere, writeDraft } from './whole-file.js';

const noteName = 'files';

/** No file of pids is longer, in bytes. */
const mostOfPids = 64 * 1024;

interface Note {
  /** Absolute. */
  readonly files: readonly string[];
  /** Those that were missing when the note was made, the innermost first. */
  readonly directories: readonly string[];
}

let notes = 0;

export interface NotedFiles {
  /** They are the user's from now on. */
  forget(): void;
  /** Nothing came of it: removes those that say nothing. */
  clear(table: ProcessTable): void;
}

/** Notes files that are about to be made. Nothing is noted where there is no place for it. */
export function noteFiles(files: readonly string[]): NotedFiles {
  const nothing = { forget() {}, clear() {} };
  if (files.length === 0) return nothing;
  try {
    const directories = [...new Set(files.flatMap((file) => missing(dirname(file))))].sort(
      (a, b) => b.length - a.length,
    );
    notes += 1;
    const path = join(runtimeDirectory(), `${noteName}-${notes}`);
    const note = writeDraft(path, JSON.stringify({ files, directories } satisfies Note), 0o600);
    const forget = () => removeIfThere(note);
    process.once('exit', forget); // of a start that failed, too
    return {
      forget() {
        process.off('exit', forget);
        forget();
      },
      clear(table) {
        clearNoted(note, table);
        this.forget();
      },
    };
  } catch {
    return nothing; // EACCES, ENOSPC: what is left then is found by whoever looks into those directories
  }
}

/** Removes this user's drafts whose makers are gone, of names that begin so, and answers their paths. */
export function clearDrafts(directory: string, table: ProcessTable, start = ''): string[] {
  return namesIn(directory).flatMap((name) => {
    const path = join(directory, name);
    if (!name.startsWith(start) || !isDraft(name) || !isOwn(path) || !isMakerGone(name, table)) return [];
    const noted = name.startsWith(`${noteName}-`) ? clearNoted(path, table) : [];
    rmSync(path, { recursive: true, force: true, maxRetries: 2 });
    return [...noted, path];
  });
}

/** Removes those that are left of a file that is about to be written. */
export function clearDraftsOf(path: string, table: ProcessTable): string[] {
  return clearDrafts(dirname(path), table, `${basename(path)}.`);
}

/** Of what a killed run has noted: drafts, what says nothing any more and nobody has open, directories with nothing in them. */
function clearNoted(note: string, table: ProcessTable): string[] {
  const { files, directories } = readNote(note);
  const cleared = files.flatMap((file) => {
    const drafts = clearDraftsOf(file, table);
    if (!isOwn(file) || !isOfTheRun(file, makerOf(note)) || isOpenSomewhere(file)) return drafts;
    removeIfThere(file);
    return [...drafts, file];
  });
  for (const directory of directories) {
    try {
      rmdirSync(directory);
      cleared.push(directory);
    } catch {
      // ENOTEMPTY: something is in it. ENOENT: it was not made.
    }
  }
  return cleared;
}

function readNote(path: string): Note {
  try {
    return JSON.parse(readPlain(path)) as Note;
  } catch {
    return { files: [], directories: [] }; // killed while it was written
  }
}

/** Whether a file says nothing, or only which processes there were, as pid files and status files do. */
function isOfTheRun(file: string, pid: number): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile() || found.size > mostOfPids) return false;
  const text = readPlain(file);
  return text === `${pid}\n` || /^(?:\d+:\d+\n)*$/.test(text);
}

function missing(directory: string): string[] {
  return existsSync(directory) ? [] : [directory, ...missing(dirname(directory))];
}

function isOwn(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found !== undefined && (process.getuid === undefined || found.uid === process.getuid());
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // ENOENT: nothing was ever made there
  }
}
