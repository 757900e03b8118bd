/** Files of which only one live process has each: claimed whole or not at all, and taken over from the dead. */
import { linkSync, renameSync } from 'node:fs';
import { draftSuffix } from './maker.js';
import { readPlain } from './plain-file.js';
import { removeIfThere, writeDraft } from './whole-file.js';

export interface Claim {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
  /** Throws when whoever wrote this text lives, and so has the file. */
  readonly assertStale: (text: string) => void;
}

/** Answers the end of the claim, which throws when the file cannot be removed. */
export function claim({ path, text, mode, assertStale }: Claim): () => void {
  const draft = writeDraft(path, text, mode);
  try {
    for (let tries = 0; ; tries += 1) {
      try {
        linkSync(draft, path); // fails if the file is there, so that of two only one has it
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries === 3) throw error;
        const found = textOf(path);
        if (found !== undefined) {
          assertStale(found);
          takeAway(path, found);
        }
      }
    }
  } finally {
    leave(draft);
  }
  return () => {
    leave(draft);
    if (textOf(path) === text) removeIfThere(path);
  };
}

/** Removes what is of no use. It is in nobody's way, and known for what it is by its name. */
function leave(draft: string): void {
  try {
    removeIfThere(draft);
  } catch {
    // EACCES, EIO: the end of the claim tries again
  }
}

/** Removes the file if it still is the stale one: another process may have taken its place since it was read. */
function takeAway(path: string, stale: string): void {
  const aside = `${path}.stale${draftSuffix()}`;
  try {
    renameSync(path, aside);
    if (textOf(aside) !== stale) linkSync(aside, path);
  } catch {
    // ENOENT: gone already. EEXIST: a third one was faster, which the next try sees.
  }
  removeIfThere(aside);
}

function textOf(path: string): string | undefined {
  try {
    return readPlain(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}
