/** A small file that several processes read and change: each change sees the one before, and no reader half of one. */
import { dirname } from 'node:path';
import { ProcletError } from '../errors.js';
import type { Clock } from '../ports.js';
import { causeWithPath } from '../system-error.js';
import { acquireLock } from './lock.js';
import { makeDirectory } from './make-directory.js';
import { longestText, readPlain } from './plain-file.js';
import { writeWhole } from './whole-file.js';

/** What proclet writes there is far smaller. */
const largest = 16 * longestText;

/** Undefined when there is none. Throws ProcletError for what cannot be read, or is no plain file. */
export function readShared(path: string): string | undefined {
  try {
    return readPlain(path, largest);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ProcletError('OS', `${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** Makes directories that are missing (0700). What `change` throws is thrown, and nothing is changed. */
export async function changeShared(
  path: string,
  clock: Clock,
  change: (text: string | undefined) => string,
): Promise<void> {
  try {
    makeDirectory(dirname(path));
    const release = await acquireLock(`${path}.lock`, clock);
    try {
      writeWhole(path, change(readShared(path)), { mode: 0o600, isDurable: true });
    } finally {
      release();
    }
  } catch (error) {
    if (error instanceof ProcletError) throw error;
    throw new ProcletError('OS', `${path} cannot be written: ${causeWithPath(error)}`, {
      hint: 'XDG_CONFIG_HOME and XDG_STATE_HOME name other places for what proclet keeps.',
      cause: error,
    });
  }
}
