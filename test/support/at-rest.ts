import { readdirSync, readFileSync } from 'node:fs';
import { eventually } from './eventually.js';

/**
 * Waits until a process waits for others: every thread of it sleeps and none has run for twenty looks. One that only
 * gets no processor is not at rest.
 */
export async function isAtRest(pid: number): Promise<void> {
  let last = '';
  let times = 0;
  await eventually(() => {
    const threads = threadsOf(pid);
    times = threads === last && !/^State:\s+[^S]/m.test(threads) ? times + 1 : 0;
    last = threads;
    if (times < 20) throw new Error(`process ${pid} goes on:\n${threads}`);
  });
}

/** The state of each thread, and how often it stopped running. */
function threadsOf(pid: number): string {
  const texts = readdirSync(`/proc/${pid}/task`).map((thread) => {
    try {
      return readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1');
    } catch {
      return ''; // ENOENT, ESRCH: it ended while we looked
    }
  });
  return texts.flatMap((text) => text.match(/^(State|(non)?voluntary_ctxt_switches):.*$/gm) ?? []).join('\n');
}
