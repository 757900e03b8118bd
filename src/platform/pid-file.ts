/** A file with proclet's pid, claimed at the start and removed at the end. */
import { ProcletError } from '../errors.js';
import { claim } from './claim.js';
import { clearDraftsOf } from './drafts.js';
import type { ProcessTable } from './process-table.js';

/**
 * Claims the file for this process and answers its end. A file that a dead process left, or whose pid has become
 * another program's, is replaced. Throws ProcletError when a running proclet has it, when it holds anything but a pid, or
 * when it cannot be written.
 */
export function claimPidFile(path: string, table: ProcessTable): () => void {
  const assertStale = (text: string) => {
    if (!/^\s*\d{0,10}\s*$/.test(text)) {
      throw new ProcletError('OS', `${path} is no pid file: it holds something else, and was left as it is`, {
        hint: 'Name another file with --pid-file.',
      });
    }
    const pid = Number(text);
    // Its own number, in a container that was started again.
    if (pid === process.pid) return;
    if (pid <= 0 || !table.find(pid) || !table.command(pid).includes('proclet')) return;
    throw new ProcletError('OS', `${path} belongs to a proclet that runs (pid ${pid})`, {
      hint: 'Stop that one first, or give this one a file of its own.',
    });
  };
  clearDraftsOf(path, table);
  try {
    return claim({ path, text: `${process.pid}\n`, mode: 0o644, assertStale });
  } catch (cause) {
    if (cause instanceof ProcletError) throw cause;
    throw new ProcletError('OS', `the pid file ${path} cannot be written: ${(cause as Error).message}`, { cause });
  }
}
