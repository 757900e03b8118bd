/** Waiting for a process that is not our child. */
import type { Millis } from '../model.js';
import { createClock } from './clock.js';
import { createProcessTable } from './process-table.js';

const lookEvery: Millis = 5;
/** What takes longer than this is not waited for: it hangs, and whoever looks will see it. */
const longest: Millis = 5_000;

/** Resolves when the process with this pid and start is gone, or after a while. */
export async function untilGone(
  { pid, started }: { readonly pid: number; readonly started: string },
  within: Millis = longest,
): Promise<void> {
  const [clock, table] = [createClock(), createProcessTable()];
  const end = clock.now() + within;
  while (table.find(pid)?.started === started && clock.now() < end) {
    await new Promise<void>((look) => void clock.wakeAt(clock.now() + lookEvery, look));
  }
  clock.close();
}
