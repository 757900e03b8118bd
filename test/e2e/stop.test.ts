/** The promise: what proclet starts disappears, whoever ends it and whatever it does against it. */
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { asJob, linesOf, pressCtrlC, statusOf } from '../support/launch.js';
import { isRunning } from '../support/survivors.js';
import { type App, workspace } from '../support/workspace.js';

describe('a signal to proclet', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGQUIT', 131],
  ] as const)('%s ends every service, and then proclet with %i', async (signal, status) => {
    const ws = workspace({ Procfile: 'web: node exits-after.mjs 0 600000\nworker: sleep 600 | sleep 600' });
    const app = ws.proclet('start');
    await app.line('web.1 | ready');
    app.signal(signal);
    expect(await statusOf(app)).toBe(status);
    expect(ws.survivors()).toEqual([]);
    expect(linesOf(app, 'proclet')).toContain(`stopping web.1 and worker.1: ${signal}`);
    expect(app.text).toMatch(/proclet \| web\.1 stopped \(1 process, TERM /);
    expect(app.text).toMatch(/proclet \| worker\.1 stopped \(3 processes, TERM /);
  });

  test('Ctrl-C gives a service that cleans up the time to do so, and its last words are shown', async () => {
    const ws = workspace({
      Procfile: `web: trap 'sleep 0.3; echo cleaned up; exit 0' TERM; echo ready; sleep 600 & wait`,
    });
    const app = asJob(ws, 'start');
    await app.line('web.1 | ready');
    pressCtrlC(app);
    expect(await statusOf(app)).toBe(130);
    expect(linesOf(app, 'web.1')).toEqual(['ready', 'cleaned up']);
    expect(linesOf(app, 'proclet')).toContain('stopping web.1: SIGINT');
  });

  test('ends a service that waits for its restart at once', async () => {
    const app = workspace({ Procfile: 'web: exit 3' }).proclet('start');
    await app.line('restarting in 2s');
    app.signal('SIGINT');
    expect(await statusOf(app)).toBe(130);
    expect(app.text).not.toContain('restarting in 4s');
  });
});

describe('a service that is deaf to the stop signal', () => {
  const Procfile = 'deaf: node ignores-sigterm.mjs';

  test('is killed when its grace is over, and not a moment before', async () => {
    const app = workspace({ Procfile }).proclet('start', '--timeout', '400ms');
    await app.line('deaf.1 | ready');
    const asked = performance.now();
    app.signal('SIGINT');
    expect(await statusOf(app)).toBe(130);
    expect(performance.now() - asked).toBeGreaterThanOrEqual(400);
    expect(linesOf(app, 'deaf.1')).toEqual(['ready', 'no']);
    expect(linesOf(app, 'proclet').at(-1)).toMatch(
      /^deaf\.1 ignored SIGTERM for (400ms|0\.4s), so it was killed \(1 process\)$/,
    );
  });

  test('is killed at once by a second Ctrl-C', async () => {
    const app = asJob(workspace({ Procfile }), 'start', '-t', '1h');
    await app.line('deaf.1 | ready');
    pressCtrlC(app);
    await app.line('deaf.1 | no');
    // Within 300 ms of the first it belongs to it.
    await eventually(() => {
      if (app.child.exitCode === null) pressCtrlC(app);
      expect(app.text).toContain('deaf.1 was killed, as a second stop asked (1 process)');
    });
    expect(await statusOf(app)).toBe(130);
  });

  test('outlives QUIT, which never kills, until Ctrl-C does', async () => {
    const slow = `slow: trap 'sleep 1; echo much later; exit 0' TERM; echo ready; sleep 600 & wait`;
    const ws = workspace({ Procfile: `${Procfile}\n${slow}` });
    const app = ws.proclet('start', '-t', '100ms');
    await app.line('deaf.1 | ready');
    await app.line('slow.1 | ready');
    app.signal('SIGQUIT');
    await app.line('slow.1 | much later');
    expect(ws.survivors().map(({ command }) => command)).toContainEqual(expect.stringContaining('ignores-sigterm.mjs'));
    expect(app.text).not.toContain('killed');
    app.signal('SIGINT');
    expect(await statusOf(app)).toBe(131);
    expect(linesOf(app, 'proclet')).toContain('deaf.1 was killed, as a second stop asked (1 process)');
  });
});

describe('nothing is left', () => {
  const end = async (app: App) => {
    app.signal('SIGINT');
    expect(await statusOf(app)).toBe(130);
  };

  test('of a grandchild in a session of its own that ignores TERM', async () => {
    const ws = workspace({ Procfile: 'web: node spawns-a-setsid-grandchild.mjs' });
    const app = ws.proclet('start', '-t', '200ms');
    const grandchild = Number((await app.line('web.1 | ready')).split(' ').at(-1));
    await end(app);
    expect(isRunning(grandchild)).toBe(false);
    expect(linesOf(app, 'proclet').at(-1)).toMatch(
      /^web\.1 ignored SIGTERM for (\d+ms|0\.\ds), so it was killed \(2 processes\)$/,
    );
  });

  test('of a daemon whose parent is gone', async () => {
    const ws = workspace({ Procfile: 'web: node daemonizes.mjs' });
    const app = ws.proclet('start');
    const pid = Number(/daemon (\d+)/.exec(await app.line('web.1 | daemon'))?.[1]);
    await end(app);
    expect(isRunning(pid)).toBe(false);
  });

  test('of a daemon that threw its environment away', async () => {
    const ws = workspace({ Procfile: 'web: (env -i "$(command -v node)" daemonizes.mjs parent &) ; exec sleep 600' });
    const app = ws.proclet('start');
    const pid = Number(/daemon (\d+)/.exec(await app.line('web.1 | daemon'))?.[1]);
    await end(app);
    expect(isRunning(pid)).toBe(false);
  });

  test('of a program that starts a copy of itself when it is told to end', async () => {
    const ws = workspace({ Procfile: 'web: node multiplies.mjs' });
    const app = ws.proclet('start', '-t', '400ms');
    await app.line('web.1 | copy');
    await end(app);
    expect(linesOf(app, 'proclet').at(-1)).toMatch(/^web\.1 .*\(([2-9]|\d\d+) processes\b/);
    expect(ws.survivors()).toEqual([]);
  });

  test('of a service that was stopped with SIGSTOP', async () => {
    const ws = workspace({ Procfile: 'web: echo ready; kill -STOP $$; sleep 600' });
    const app = ws.proclet('start', '-t', '1h');
    await app.line('web.1 | ready');
    await end(app);
  });

  test('when proclet itself is killed with SIGKILL', async () => {
    const ws = workspace({ Procfile: 'web: node spawns-a-setsid-grandchild.mjs\nworker: node daemonizes.mjs' });
    const app = ws.proclet('start', '-t', '100ms');
    await app.line('web.1 | ready');
    await app.line('worker.1 | daemon');
    app.signal('SIGKILL');
    expect(await statusOf(app)).toBe('SIGKILL');
    await eventually(() => expect(ws.survivors()).toEqual([]));
  });
});

test('a leader that leaves a child holding $PORT is swept up before the restart, so that the port is free', async () => {
  const lives = '[ -e been ] && exec node holds-port.mjs; touch been; exec node leaves-a-child.mjs 1';
  const ws = workspace({ Procfile: `web: ${lives}` });
  const app = ws.proclet('start', '-p', String(ws.port));
  await app.line('web.1 exited with code 1 and left 1 process behind; ending it');
  await app.line(/what web\.1 left behind is gone \(TERM .*\), restarting in 1s \(1st failure\)/);
  await app.line('web.1 is up again');
  expect(linesOf(app, 'web.1')).toEqual([`holding ${ws.port}`, `holding ${ws.port}`]);
  app.signal('SIGINT');
  expect(await statusOf(app)).toBe(130);
});

test('what a service that ended well leaves behind is ended too, before the run is over', async () => {
  const ws = workspace({ Procfile: 'web: node leaves-a-child.mjs 0' });
  const app = ws.proclet('start', '-p', String(ws.port));
  expect(await statusOf(app)).toBe(0);
  expect(linesOf(app, 'proclet')).toContain('web.1 exited with code 0 and left 1 process behind; ending it');
  expect(ws.survivors()).toEqual([]);
});
