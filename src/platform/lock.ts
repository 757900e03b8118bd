/** A claim that is held for a moment: who finds it taken waits. The dead hold none. */
import { ProcletError } from '../errors.js';
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';
import { claim } from './claim.js';
import { clearDraftsOf } from './drafts.js';
import { draftSuffix, isDraft, isMakerGone, makerOf } from './maker.js';
import { createProcessTable, type ProcessTable } from './process-table.js';

const pause: Millis = 5;
const patience: Millis = 10_000;

/**
 * Waits until nobody else has it, then answers the end of it. Throws ProcletError when one process keeps it for too long.
 */
export async function acquireLock(path: string, clock: Clock): Promise<() => void> {
  const table = createProcessTable();
  const text = `lock${draftSuffix()}\n`;
  clearDraftsOf(path, table);
  const until = clock.now() + patience;
  for (;;) {
    try {
      return claim({ path, text, mode: 0o600, assertStale: (found) => assertDead(found, path, table) });
    } catch (error) {
      if (!(error instanceof ProcletError) || clock.now() >= until) throw error;
      await new Promise<void>((go) => void clock.wakeAt(clock.now() + pause, go));
    }
  }
}

/** Whether who wrote the text of a lock is gone. */
export function isLockStale(text: string, table: ProcessTable): boolean {
  return !isDraft(text) || isMakerGone(text, table);
}

function assertDead(text: string, path: string, table: ProcessTable): void {
  if (isLockStale(text, table)) return;
  throw new ProcletError('REFUSED', `process ${makerOf(text)} holds ${path}, and does not let it go`);
}
