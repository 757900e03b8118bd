/**
 * The lives of a run, in a file beside its record: for those who look for what is left when proclet and its guardian are
 * both gone. A line is added for each; what has ended stays in it until the file is written anew, as whoever reads it has to
 * look anyway whether a process is still the one that was meant.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { bootId, pidNamespace } from './boot.js';
import type { Kept } from './keep-there.js';
import { type GuardedLife, lifeOf, wordOf } from './lives.js';
import { readPlain } from './plain-file.js';
import { livesPath, type RunRecord, runtimeDirectory } from './runtime-dir.js';
import { writeWhole } from './whole-file.js';

export interface LivesFile extends Kept {
  /** Also when something else is known of it. */
  born(life: GuardedLife): void;
  ended(leader: number): void;
}

/** So many lines of lives that have ended, besides as many as there are lives, are not worth a new file. */
const mostEnded = 64;

/** How what is left is ended is for its finder to say. */
const noTerms = { signal: 'SIGTERM', to: 'tree', grace: 0 } as const;

/** `failed` is called once for a series of failures. */
export function createLivesFile(path: string, failed: (error: unknown) => void): LivesFile {
  const words = new Map<number, string>();
  let lines = 0;
  let isTroubled = false;
  const remake = () => {
    if (dirname(path) !== runtimeDirectory()) return;
    writeWhole(path, [...words.values()].map((word) => `${word}\n`).join(''), { mode: 0o600 });
    lines = words.size;
  };
  return {
    born(life) {
      const word = wordOf({ ...life, terms: noTerms });
      if (words.get(life.pid) === word) return;
      words.set(life.pid, word);
      try {
        if (lines >= 2 * words.size + mostEnded) remake();
        else appendFileSync(path, `${word}\n`, { mode: 0o600 });
        lines += 1;
        isTroubled = false;
      } catch (error) {
        // ENOENT: the directory was removed, and is made again in a moment.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
        if (!isTroubled) failed(error);
        isTroubled = true;
      }
    },
    ended: (leader) => void words.delete(leader),
    isThere: () => words.size === 0 || existsSync(path),
    remake,
  };
}

/** What was written of a run's lives, where their numbers still mean something. */
export function readLives(directory: string, { run, boot, pids }: RunRecord): GuardedLife[] {
  if (boot !== bootId() || pids !== pidNamespace()) return [];
  try {
    const lines = readPlain(livesPath(directory, run)).split('\n').slice(0, -1); // the last may not be whole
    return lines.filter((line) => whole.test(line)).map(lifeOf);
  } catch {
    return []; // ENOENT: nothing was started, or an earlier version did not write it
  }
}

const whole = /^\d+,(?:group|alone),\d+,\w+,\w+,\d+,[^,]*,[^,]*,[^,]*,\d{15}(?:,\d+:\d+:[\d.]+)*$/;
