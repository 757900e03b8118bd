import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { createClock } from '../../src/platform/clock.js';
import { lookOnce } from '../../src/platform/last-look.js';
import { LifeNumbers } from '../../src/platform/life-numbers.js';
import { guardianMark, markingScript, markOf, newRun } from '../../src/platform/mark.js';
import { createProcessTable } from '../../src/platform/process-table.js';
import { eventually } from '../support/eventually.js';
import { isRunning } from '../support/survivors.js';

const table = createProcessTable();

/** A process with a mark, in a session of its own, and no child of anybody who would look for it. */
async function marked(mark: string, command: string): Promise<number> {
  const args = ['-c', markingScript, 'test', '', mark, '', '', '/bin/sh', '-c', command];
  const child = spawn('/bin/sh', args, { detached: true, stdio: 'ignore', env: { PATH: process.env['PATH'] } });
  const pid = child.pid ?? 0;
  await eventually(() => expect(table.find(pid)?.mark).toBe(mark));
  return pid;
}

test('what carries the mark of a run is ended and named, though no life of it is left; what others have is not', async () => {
  const [clock, run] = [createClock(), newRun()];
  const numbers = new LifeNumbers(run, table);
  const looking = { clock, table, run, cgroups: undefined, numbers };
  const notices: string[] = [];
  const notice = (text: string) => void notices.push(text);
  expect(lookOnce(looking, notice)).toBeUndefined();

  // With guardians, so that another test's reap does not take what follows for a dead run's.
  const others = newRun();
  const guardians = [
    await marked(guardianMark(run), 'exec sleep 65'),
    await marked(guardianMark(others), 'exec sleep 66'),
  ];
  const own = await marked(markOf(run, numbers.take() ?? 0), 'exec sleep 61');
  expect(lookOnce(looking, notice)).toBeUndefined();
  const stray = await marked(markOf(run, 42), 'exec sleep 62');
  const deaf = await marked(markOf(run, 43), 'trap "" TERM; sleep 63; sleep 63');
  const other = await marked(markOf(others, 42), 'exec sleep 64');
  await lookOnce(looking, notice);

  expect(notices).toHaveLength(1);
  for (const pid of [stray, deaf]) {
    expect(notices[0]).toMatch(new RegExp(`ended now: .*pid ${pid} \\([^)]*sleep`));
    expect(isRunning(pid)).toBe(false);
  }
  const rest = [own, other, ...guardians];
  expect(rest.filter(isRunning)).toEqual(rest);
  for (const pid of rest) process.kill(pid, 'SIGKILL');
  await eventually(() => expect(rest.filter(isRunning)).toEqual([]));
  expect(lookOnce(looking, notice)).toBeUndefined();
  clock.close();
});
