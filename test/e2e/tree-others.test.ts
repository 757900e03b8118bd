/** The promise: never the wrong process. What is not of the tree is not touched, and another proclet ends its own. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { pressCtrlC, pressCtrlCAgain, procletWith, statusOf } from '../support/launch.js';
import { isRunning } from '../support/survivors.js';
import { recordsIn } from '../support/traces.js';
import { type App, bin, type Workspace, workspace } from '../support/workspace.js';

const modes: [string, Record<string, string>][] = [
  ['with control groups', {}],
  ['without control groups', { PROCLET_CGROUP: 'off' }],
];

const ends: [string, (app: App) => void][] = [
  ['stops', (app) => app.signal('SIGINT')],
  ['is killed', (app) => app.signal('SIGKILL')],
];

/** Ends a bystander, so that the workspace finds nothing left. */
async function dismiss(bystander: App): Promise<void> {
  bystander.signal('SIGKILL');
  await bystander.exited;
}

describe.each(modes)('%s', (_, env) => {
  describe.each(ends)('when proclet %s', (_, end) => {
    test('a bystander with the same command, directory and environment is untouched', async () => {
      const ws = workspace({ Procfile: 'web: sleep 600 & echo ready; wait' });
      const bystander = ws.start('sh', ['-c', 'sleep 600 & echo ready; wait'], { env, detached: true });
      const app = procletWith(ws, env, 'start');
      await bystander.line('ready');
      await app.line('web.1 | ready');
      // The shells have said that they are ready before their children are what they are going to be.
      await eventually(() => expect(ws.survivors().filter(({ command }) => command === 'sleep 600')).toHaveLength(2));
      end(app);
      await app.exited;
      await eventually(() => expect(recordsIn(ws)).toEqual([]));
      expect(ws.survivors().filter(({ command }) => command === 'sleep 600')).toHaveLength(1);
      expect(isRunning(bystander.pid)).toBe(true);
      process.kill(-bystander.pid, 'SIGKILL');
      await bystander.exited;
    });

    test('a process of another user is untouched', async ({ skip }) => {
      if (process.getuid?.() !== 0) skip('only root can start one');
      const ws = workspace({ Procfile: 'web: echo ready; exec sleep 600' });
      const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', 'sleep', '600'];
      const bystander = ws.start('setpriv', nobody, { detached: true });
      const app = procletWith(ws, env, 'start');
      await app.line('web.1 | ready');
      end(app);
      await app.exited;
      await eventually(() => expect(recordsIn(ws)).toEqual([]));
      expect(isRunning(bystander.pid)).toBe(true);
      await dismiss(bystander);
    });

    test('another proclet in the same directory is untouched, and so is what it runs', async () => {
      const ws = workspace({ Procfile: 'web: setsid sleep 600 & echo ready; wait' });
      const [app, other] = [procletWith(ws, env, 'start'), procletWith(ws, env, 'start', '--name', 'other')];
      await app.line('web.1 | ready');
      await other.line('web.1 | ready');
      end(app);
      await app.exited;
      await eventually(() => expect(recordsIn(ws).map(({ pid }) => pid)).toEqual([other.pid]));
      expect(ws.survivors().filter(({ command }) => command === 'sleep 600')).toHaveLength(1);
      other.signal('SIGINT');
      expect(await statusOf(other)).toBe(130);
      expect(ws.survivors()).toEqual([]);
    });
  });
});

/** A service that runs a proclet of its own, with one service that ends on INT and one that says when it got TERM. */
function nest(services = ''): Workspace {
  const says = (signal: string) =>
    `trap 'echo ${signal} >>signals; exit 0' ${signal}; echo ready; while :; do sleep 0.05; done`;
  return workspace({
    Procfile: `outer: exec "${process.execPath}" "${bin}" start -d inner --timeout 1h >>inner/log 2>&1`,
    'inner/Procfile': `term: ${says('TERM')}\nint: trap '' TERM; ${says('INT')}\n${services}`,
    'inner/proclet.yml': 'services: {int: {stop-signal: INT}}',
  });
}

const signalsIn = (ws: Workspace) => readFileSync(`${ws.directory}/inner/signals`, 'utf8').trim().split('\n').sort();

/** Waits for the n-th time that a service of the inner proclet was ready. */
async function ready(ws: Workspace, name: string, times = 1): Promise<void> {
  const pattern = new RegExp(`${name}\\.1 +\\| ready`, 'g');
  await eventually(() => expect(readFileSync(`${ws.directory}/inner/log`, 'utf8').match(pattern)).toHaveLength(times));
}

describe.each(modes)('a proclet that is a service of another, %s,', (_, env) => {
  test('ends with it, and its services get their own stop signals from it', async () => {
    const ws = nest();
    const app = procletWith(ws, env, 'start');
    await ready(ws, 'term');
    await ready(ws, 'int');
    const records = recordsIn(ws);
    expect(records).toHaveLength(2);
    app.signal('SIGINT');
    expect(await statusOf(app)).toBe(130);
    expect(ws.survivors()).toEqual([]);
    expect(signalsIn(ws)).toEqual(['INT', 'TERM']);
    for (const { cgroup } of records) expect(cgroup !== '' && existsSync(cgroup)).toBe(false);
  });

  test('ends also when the outer one is killed with SIGKILL', async () => {
    const ws = nest();
    const app = procletWith(ws, env, 'start');
    await ready(ws, 'term');
    await ready(ws, 'int');
    const records = recordsIn(ws);
    app.signal('SIGKILL');
    await eventually(() => expect(recordsIn(ws)).toEqual([]));
    // A guardian looks once more, after it has let its record go.
    await eventually(() => expect(ws.survivors()).toEqual([]));
    expect(signalsIn(ws)).toEqual(['INT', 'TERM']);
    for (const { cgroup } of records) expect(cgroup !== '' && existsSync(cgroup)).toBe(false);
  });

  test('has nothing left when the outer one ends, though it had to be killed', async () => {
    const ws = nest(`deaf: trap '' TERM; setsid sleep 600 & echo ready; while :; do sleep 0.05; done`);
    const app = ws.start(process.execPath, [bin, 'start', '--timeout', '1h'], { env, detached: true });
    await ready(ws, 'deaf');
    const records = recordsIn(ws);
    pressCtrlC(app);
    await app.line('stopping outer.1');
    await pressCtrlCAgain(app);
    expect(await statusOf(app)).toBe(130);
    expect(ws.survivors()).toEqual([]);
    expect(recordsIn(ws)).toEqual([]);
    for (const { cgroup } of records) expect(cgroup !== '' && existsSync(cgroup), cgroup).toBe(false);
  });

  test('leaves nothing to its next life when it is killed alone', async () => {
    const ws = nest();
    const app = procletWith(ws, env, 'start');
    await ready(ws, 'term');
    await ready(ws, 'int');
    const inner = recordsIn(ws).find(({ pid }) => pid !== app.pid);
    const first = ws.survivors().filter(({ command }) => command.includes('echo TERM >>signals'));
    process.kill(inner?.pid ?? 0, 'SIGKILL');
    await ready(ws, 'term', 2);
    expect(first).not.toEqual([]);
    expect(first.filter(({ pid }) => isRunning(pid))).toEqual([]);
    app.signal('SIGINT');
    expect(await statusOf(app)).toBe(130);
  });
});

test('a job of the shell that started proclet is not proclet’s, though it shares its session', async () => {
  const ws = workspace({ Procfile: 'web: echo ready; exec sleep 600' });
  const script = `sleep 600 & echo $!; "${process.execPath}" "${bin}" start & wait $!; kill $!; sleep 600`;
  const shell = ws.start('sh', ['-c', script], { detached: true });
  await shell.line('web.1 | ready');
  const job = Number(/^\d+$/m.exec(shell.stdout)?.[0]);
  const [record] = recordsIn(ws);
  process.kill(record?.pid ?? 0, 'SIGINT');
  await eventually(() => expect(recordsIn(ws)).toEqual([]));
  expect(isRunning(job)).toBe(true);
  process.kill(-shell.pid, 'SIGKILL');
  await shell.exited;
});
