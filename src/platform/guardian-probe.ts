/** Whether a guardian can do here, with this PATH, what it is for. */
import { spawn } from 'node:child_process';
import type { Millis } from '../model.js';
import { createClock } from './clock.js';
import { startGuardian } from './guardian.js';
import { markOf, newRun } from './mark.js';
import { tableKind } from './process-table.js';

const longest: Millis = 5_000;

/**
 * Gives a guardian a process to end that it can know by nothing but its mark, or where no marks can be seen, by its
 * group. Answers why it was not ended; undefined when it was.
 */
export async function troubleOfGuardian(): Promise<string | undefined> {
  const clock = createClock();
  const run = newRun();
  const mark = markOf(run, 1);
  const troubles: string[] = [];
  const victim = spawn('/bin/sh', ['-c', 'read -r _'], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PROCLET_MARK: mark },
  });
  const gone = new Promise<string | undefined>((resolve) => {
    victim.once('error', ({ message }) => resolve(message));
    victim.once('exit', () => resolve(undefined));
  });
  const guardian = startGuardian({
    ...{ clock, run, grace: 0, cgroup: '', record: '' },
    onTrouble: (text) => troubles.push(text),
  });
  if (tableKind() !== 'proc' && victim.pid !== undefined) {
    const life = { pid: victim.pid, started: '', mark, ownsGroup: true, cgroup: '', pipes: [] };
    guardian.born({ ...life, terms: { signal: 'SIGKILL', to: 'tree', grace: 0 } });
  }
  const late = new Promise<string>((resolve) => {
    clock.wakeAt(clock.now() + longest, () => resolve('a guardian that was tried did not end what it had to'));
  });
  const released = guardian.release();
  const trouble = await Promise.race([gone, late]);
  victim.kill('SIGKILL');
  victim.unref();
  await Promise.race([released, late]);
  clock.close();
  return troubles[0] ?? trouble;
}
