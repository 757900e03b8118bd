/** The promise: a lease ends a service and everything it started, says so before and after, and is no crash. */
import { expect, test } from 'vitest';
import { linesOf, statusOf } from '../support/launch.js';
import { workspace } from '../support/workspace.js';

/** What proclet said, without what it says about starts, and its warnings, which a busy machine may leave no time for. */
function news(app: Parameters<typeof linesOf>[0]): string[] {
  return linesOf(app, 'proclet').filter((line) => !/ started \(| expires in /.test(line));
}

test.each(['--ttl', '--alarm'])('%s ends every service, with an obituary and status 0', async (flag) => {
  const ws = workspace({ Procfile: 'web: exec sleep 600\nworker: sleep 600 | sleep 600' });
  const app = ws.proclet('start', flag, '600ms');
  expect(await statusOf(app)).toBe(0);
  expect(ws.survivors()).toEqual([]);
  expect(news(app).sort()).toEqual([
    expect.stringMatching(/^web\.1 expired after 600ms \(1 process, TERM .*\)$/),
    expect.stringMatching(/^worker\.1 expired after 600ms \(3 processes, TERM .*\)$/),
  ]);
});

test('a ttl for one service ends that one; the others go on', async () => {
  const ws = workspace({
    Procfile: 'web: exec sleep 600\nworker: until [ -e told ]; do sleep 0.02; done; echo worked',
  });
  const app = ws.proclet('start', '--ttl', 'web=500ms');
  await app.line('web.1 expired');
  ws.write('told', '');
  expect(await statusOf(app)).toBe(0);
  expect(linesOf(app, 'worker.1')).toEqual(['worked']);
  expect(news(app)).toEqual([
    expect.stringMatching(/^web\.1 expired after 500ms/),
    expect.stringMatching(/^worker\.1 exited with code 0 after .*: done$/),
  ]);
});

test('a ttl for all and another for one hold each for theirs', async () => {
  const ws = workspace({ Procfile: 'web: exec sleep 600\nworker: exec sleep 600\nclock: exec sleep 600' });
  const app = ws.proclet('start', '--ttl', '400ms,worker=800ms');
  expect(await statusOf(app)).toBe(0);
  const ends = news(app).flatMap((line) => /^(\S+) expired after (\S+)/.exec(line)?.slice(1).join(' ') ?? []);
  expect(ends.sort()).toEqual(['clock.1 400ms', 'web.1 400ms', 'worker.1 800ms']);
});

test('every instance of a service expires', async () => {
  const app = workspace({ Procfile: 'web: exec sleep 600' }).proclet('start', '-m', 'web=2', '--ttl', '300ms');
  expect(await statusOf(app)).toBe(0);
  expect(app.text).toContain('web.1 expired after');
  expect(app.text).toContain('web.2 expired after');
});

test('a service does not expire before its ttl is over', async () => {
  const began = performance.now();
  const app = workspace({ Procfile: 'web: exec sleep 600' }).proclet('start', '--ttl', '1s');
  expect(await statusOf(app)).toBe(0);
  expect(performance.now() - began).toBeGreaterThanOrEqual(1_000);
});

test('--expire-status is the status of a run that expired', async () => {
  const app = workspace({ Procfile: 'web: exec sleep 600' }).proclet(
    'start',
    '--ttl',
    '300ms',
    '--expire-status',
    '75',
  );
  expect(await statusOf(app)).toBe(75);
});

test('a run in which one service expired and another failed has the status of the failure', async () => {
  const ws = workspace({ Procfile: 'web: exec sleep 600\nworker: exit 3' });
  expect(await statusOf(ws.proclet('start', '--ttl', 'web=500ms', '--on-exit', 'ignore'))).toBe(3);
});

test('a deaf service whose lease is ended is killed after its grace, and the run has ended well', async () => {
  const ws = workspace({ Procfile: 'deaf: node ignores-sigterm.mjs' });
  const app = ws.proclet('start', '--ttl', '1h', '-t', '200ms');
  await app.line('deaf.1 | ready');
  expect(await statusOf(ws.proclet('expire', 'deaf'))).toBe(0);
  expect(await statusOf(app)).toBe(0);
  expect(news(app).at(-1)).toMatch(/^deaf\.1 ignored SIGTERM for (\d+ms|0\.\ds), so it was killed \(1 process/);
});

test('a ttl of 30 days does not overflow: the service runs, and nobody warns', async () => {
  const app = workspace({ Procfile: 'web: echo alive' }).proclet('start', '--ttl', '30d');
  expect(await statusOf(app)).toBe(0);
  expect(linesOf(app, 'web.1')).toEqual(['alive']);
  expect(app.text).not.toContain('expire');
});

test('a bare number is seconds, as for alarm(2), and 0 is for ever', async () => {
  const ws = workspace({
    Procfile: 'web: exec sleep 600\nworker: until [ -e told ]; do sleep 0.02; done; echo worked',
  });
  const app = ws.proclet('start', '--ttl', 'web=1,worker=0');
  await app.line('web.1 expired after 1s');
  ws.write('told', '');
  expect(await statusOf(app)).toBe(0);
  expect(linesOf(app, 'worker.1')).toEqual(['worked']);
});

test('ttl of proclet.yml holds, and --ttl wins over it', async () => {
  const files = { Procfile: 'web: exec sleep 600', 'proclet.yml': 'services: {web: {ttl: 300ms}}' };
  const own = workspace(files).proclet('start');
  expect(await statusOf(own)).toBe(0);
  expect(own.text).toContain('web.1 expired after 300ms');
  const asked = workspace(files).proclet('start', '--ttl', '600ms');
  expect(await statusOf(asked)).toBe(0);
  expect(asked.text).toContain('web.1 expired after 600ms');
});
