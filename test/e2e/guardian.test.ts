/**
 * The promise: however proclet itself ends, everything that it started is gone soon. How soon, on a machine that has
 * time, bench/matrix.mjs measures.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { arena } from '../support/adversaries.js';
import { eventually } from '../support/eventually.js';
import { asJob, linesOf, statusOf } from '../support/launch.js';
import { isRunning } from '../support/survivors.js';
import { has, terminal } from '../support/terminal.js';
import { guardianOf, guardiansIn, recordOf, recordsIn, tracesOf } from '../support/traces.js';
import { type App, workspace } from '../support/workspace.js';

describe.each([
  ['with control groups', {}],
  ['without control groups', { PROCLET_CGROUP: 'off' }],
])('%s', (_, env: Record<string, string>) => {
  test.each<[string, (app: App) => void]>([
    ['is killed with SIGKILL', (app) => app.signal('SIGKILL')],
    ['and its whole process group are killed with SIGKILL', (app) => process.kill(-app.pid, 'SIGKILL')],
    ['crashes', (app) => app.signal('SIGSEGV')],
    ['is aborted', (app) => app.signal('SIGABRT')],
  ])('every adversary is gone when proclet %s', async (_way, kill) => {
    const fight = arena();
    const app = await fight.fight(['--timeout', '1s'], env);
    const record = recordOf(fight.ws, app);
    const guardian = guardianOf(app);
    kill(app);
    await eventually(() => expect(fight.left()).toEqual([]));
    await eventually(() => expect(tracesOf(fight.ws, record, guardian)).toEqual([]));
  });
});

test('every adversary is gone when the terminal is closed', async ({ skip }) => {
  if (!has('tmux')) skip('needs tmux');
  const fight = arena();
  const screen = await terminal(fight.ws);
  screen.enter(`proclet start --timeout 1s >screen`);
  const said = () => readFileSync(`${fight.ws.directory}/screen`, 'utf8');
  await eventually(() => {
    for (const name of fight.names) expect(said()).toMatch(new RegExp(`${name}.1 +\\| ready`));
  });
  screen.close();
  await eventually(() => expect(fight.left()).toEqual([]));
  await eventually(() => expect(recordsIn(fight.ws)).toEqual([]));
}, 30_000);

test('services that obey get their stop signal and its grace from the guardian', async () => {
  const polite = `polite: trap 'sleep 0.2; echo done >done; exit 0' TERM; echo ready; sleep 600 & wait`;
  const ws = workspace({ Procfile: polite });
  const app = ws.proclet('start', '--timeout', '1s');
  await app.line('polite.1 | ready');
  app.signal('SIGKILL');
  await eventually(() => expect(readFileSync(`${ws.directory}/done`, 'utf8')).toBe('done\n'));
  await eventually(() => expect(ws.survivors()).toEqual([]));
});

test('a start right after a kill waits for the guardian of the run that was killed, and so finds its port free', async () => {
  const slow = `process.on('SIGTERM', () => setTimeout(() => process.exit(), 700)); require('net').createServer().listen(process.env.PORT, () => console.log('listens'))`;
  const ws = workspace({ Procfile: 'web: node slow.cjs', 'slow.cjs': slow });
  const first = ws.proclet('start', '-p', String(ws.port));
  await first.line('web.1 | listens');
  first.signal('SIGKILL');
  await first.exited;
  const second = ws.proclet('start', '-p', String(ws.port));
  await second.line('web.1 | listens');
  expect(second.stderr).toBe(`proclet: waiting for the end of what an earlier run (pid ${first.pid}) has left here\n`);
  expect(second.text).not.toContain('EADDRINUSE');
  second.signal('SIGTERM');
  expect(await statusOf(second)).toBe(143);
});

describe('a proclet that is killed while it starts leaves nothing', () => {
  const Procfile = Array.from({ length: 6 }, (_, n) => `web${n}: sleep 600 & echo ready; wait`).join('\n');

  test.each([
    ['as soon as there is a record of it', (_: App, records: number) => records > 0],
    ['as soon as its first service was started', (app: App) => app.text.includes('started')],
    ['as soon as its first service is ready', (app: App) => app.text.includes('| ready')],
  ])('%s', async (_, isTime) => {
    for (let round = 0; round < 5; round += 1) {
      const ws = workspace({ Procfile });
      const app = ws.proclet('start');
      await eventually(() => expect(isTime(app, recordsIn(ws).length)).toBe(true));
      app.signal('SIGKILL');
      await app.exited;
      // In this order: while a guardian is at work, what is being started may be missed by a look.
      await eventually(() => expect([...guardiansIn(ws), ...ws.survivors()]).toEqual([]));
    }
  });
});

test('a guardian that is killed is replaced at once, and the new one does its work', async () => {
  const ws = workspace({ Procfile: 'web: setsid sleep 600 & echo ready; wait' });
  const app = ws.proclet('start');
  await app.line('web.1 | ready');
  const record = recordOf(ws, app);
  const first = guardianOf(app);
  process.kill(first, 'SIGKILL');
  const second = await eventually(() => {
    expect(guardianOf(app)).not.toBe(first);
    return guardianOf(app);
  });
  app.signal('SIGKILL');
  await eventually(() => expect(tracesOf(ws, record, second)).toEqual([]));
  expect(ws.survivors()).toEqual([]);
});

test('a guardian costs at most 2 MB and no processor time while it waits', async ({ skip }) => {
  const ws = workspace({ Procfile: 'clock: n=0; while :; do echo tick $((n += 1)); sleep 0.1; done' });
  const app = ws.proclet('start');
  await app.line('clock.1 | tick');
  const guardian = guardianOf(app);
  if (!readlinkSync(`/proc/${guardian}/exe`).endsWith('dash')) skip('/bin/sh is another shell');
  // Its own start may go on while the service has begun; then it does nothing, however much there is to see.
  await eventually(async () => {
    const before = costsOf(guardian);
    const ticks = linesOf(app, 'clock.1').length;
    await eventually(() => expect(linesOf(app, 'clock.1').length).toBeGreaterThan(ticks + 5));
    expect(costsOf(guardian)).toEqual(before);
    expect(before.rss).toBeLessThanOrEqual(2_048);
  });
  app.signal('SIGINT');
  expect(await statusOf(app)).toBe(130);
});

/** Kilobytes, clock ticks, and how often it woke up. */
function costsOf(pid: number) {
  const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8');
  const number = (file: string, field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(read(file))?.[1]);
  const stat = read('stat').split(') ').at(-1)?.split(' ') ?? [];
  return {
    rss: number('smaps_rollup', 'Rss'),
    ticks: Number(stat[11]) + Number(stat[12]),
    wakes: number('status', 'voluntary_ctxt_switches'),
  };
}

test('a run that ends by itself leaves no guardian, no record and no control group', async () => {
  const ws = workspace({
    Procfile: 'web: until [ -e end ]; do sleep 0.05; done\nworker: setsid sleep 600 & echo ready',
  });
  const app = ws.proclet('start');
  await app.line('worker.1 | ready');
  const [record, guardian] = [recordOf(ws, app), guardianOf(app)];
  expect(isRunning(guardian)).toBe(true);
  ws.write('end', '');
  expect(await statusOf(app)).toBe(0);
  expect(tracesOf(ws, record, guardian)).toEqual([]);
});

test('Ctrl-C in the terminal does not reach the guardian', async () => {
  const ws = workspace({ Procfile: 'web: trap "" INT TERM; echo ready; sleep 600' });
  const job = asJob(ws, 'start', '--timeout', '1h');
  await job.line('web.1 | ready');
  const guardian = guardianOf(job);
  process.kill(-job.pid, 'SIGINT');
  await job.line('stopping web.1');
  expect(isRunning(guardian)).toBe(true);
  process.kill(-job.pid, 'SIGKILL');
  await eventually(() => expect(ws.survivors()).toEqual([]));
});
