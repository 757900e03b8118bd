/** A file with proclet's pid, claimed at the start and removed at the end. */
import { linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { ProcletError } from '../errors.js';
import type { ProcessTable } from './process-table.js';

/**
 * Claims the file for this process and answers its end. A file that a dead process left, or whose pid has become
 * another program's, is replaced. Throws ProcletError when a running proclet has it, or it cannot be written.
 */
export function claimPidFile(path: string, table: ProcessTable): () => void {
  const draft = `${path}.${process.pid}`;
  const own = `${process.pid}\n`;
  try {
    writeFileSync(draft, own, { mode: 0o644 });
    for (let tries = 0; ; tries += 1) {
      try {
        linkSync(draft, path); // fails if the file is there, so that of two only one has it
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries === 3) throw error;
        removeStale(path, table);
      }
    }
  } catch (cause) {
    if (cause instanceof ProcletError) throw cause;
    throw new ProcletError('OS', `the pid file ${path} cannot be written: ${(cause as Error).message}`, { cause });
  } finally {
    remove(draft);
  }
  return () => {
    if (textOf(path) === own) remove(path);
  };
}

function removeStale(path: string, table: ProcessTable): void {
  const pid = Number(textOf(path));
  if (Number.isInteger(pid) && pid > 0 && table.find(pid) !== undefined && table.command(pid).includes('proclet')) {
    throw new ProcletError('OS', `${path} belongs to a proclet that runs (pid ${pid})`, {
      hint: 'Stop that one first, or give this one a file of its own.',
    });
  }
  remove(path);
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // ENOENT
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // ENOENT: never made, or gone already
  }
}
