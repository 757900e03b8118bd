/** A small file that several processes read and change: each change sees the one before, and no reader half of one. */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { ProcletError } from '../errors.js';
import type { Clock } from '../ports.js';
import { claim } from './claim.js';
import { createProcessTable } from './process-table.js';

const pause = 10;
const patience = 10_000;

/** Undefined when there is none. */
export function readShared(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
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
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const release = await claimSoon(`${path}.lock`, clock);
    try {
      await writeFileAtomic(path, change(readShared(path)), { mode: 0o600 });
    } finally {
      release();
    }
  } catch (error) {
    if (error instanceof ProcletError) throw error;
    throw new ProcletError('OS', `${path} cannot be written: ${(error as Error).message}`, { cause: error });
  }
}

async function claimSoon(path: string, clock: Clock): Promise<() => void> {
  const table = createProcessTable();
  const text = `${process.pid} ${table.find(process.pid)?.started ?? ''}\n`;
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

function assertDead(text: string, path: string, table: ReturnType<typeof createProcessTable>): void {
  const [pid = '', started] = text.trim().split(' ');
  const row = table.find(Number(pid));
  if (row !== undefined && row.started === started) {
    throw new ProcletError('REFUSED', `process ${pid} holds ${path}, and does not let it go`);
  }
}
