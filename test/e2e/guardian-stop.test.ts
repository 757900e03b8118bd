/** The promise: a service is stopped in its own way also when it is the guardian that stops it. */
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { procletWith, statusOf } from '../support/launch.js';
import { has } from '../support/terminal.js';
import { guardianOf, recordsIn } from '../support/traces.js';
import { type App, bin, type Workspace, workspace } from '../support/workspace.js';

/** The lines of a file of the workspace. */
function notes(ws: Workspace, file = 'notes'): string[] {
  return existsSync(join(ws.directory, file)) ? ws.read(file).split('\n').filter(Boolean) : [];
}

const ready = (ws: Workspace, file?: string) => eventually(() => expect(notes(ws, file)).toEqual(['ready']));

async function killed(ws: Workspace, app: App): Promise<void> {
  app.signal('SIGKILL');
  await app.exited;
  await eventually(() => expect(ws.survivors()).toEqual([]), 10_000);
}

/** Starts proclet with a Node that can be taken away. */
function withOwnNode(ws: Workspace): { app: App; remove(): void } {
  const node = join(ws.directory, 'own-node');
  copyFileSync(process.execPath, node);
  return { app: ws.start(node, [bin, 'start'], { env: { PROCLET_CGROUP: 'off' } }), remove: () => rmSync(node) };
}

/** A master whose worker has something in hand, which it finishes when the master tells it, and loses by TERM. */
const master = {
  Procfile: "web: trap 'kill -USR1 $p; wait $p; echo over >>notes; exit 0' TERM; node worker.mjs & p=$!; wait $p",
  'worker.mjs': `import { appendFileSync } from 'node:fs';
const note = (text) => appendFileSync('notes', text + '\\n');
process.on('SIGTERM', () => { note('cut'); process.exit(1); });
process.on('SIGUSR1', () => setTimeout(() => { note('served'); process.exit(0); }, 1500));
setInterval(() => {}, 1000);
note('ready');`,
};

describe.each([
  ['by Node', (ws: Workspace) => ({ app: ws.proclet('start'), remove() {} })],
  ['by the shell, where Node is gone', withOwnNode],
])('when proclet was killed, %s', (_, start) => {
  test('a master that tells its worker how to end keeps what that has in hand', async () => {
    const ws = workspace(master);
    const { app, remove } = start(ws);
    await ready(ws);
    remove();
    await killed(ws, app);
    expect(notes(ws)).toEqual(['ready', 'served', 'over']);
  });

  test('each service gets its own stop signal, and no other', async () => {
    const ws = workspace({
      Procfile: 'a: node notes-signals.mjs a 300\nb: node notes-signals.mjs b 300\n',
      'proclet.yml': 'services: {a: {stop-signal: INT}, b: {stop-signal: QUIT}}',
    });
    const { app, remove } = start(ws);
    await ready(ws, 'a');
    await ready(ws, 'b');
    remove();
    await killed(ws, app);
    expect([notes(ws, 'a'), notes(ws, 'b')]).toEqual([
      ['ready', 'SIGINT', 'done'],
      ['ready', 'SIGQUIT', 'done'],
    ]);
  });

  test('what its leader leaves behind gets the stop signal, too', async () => {
    const ws = workspace({ Procfile: 'web: node notes-signals.mjs notes 100 & wait' });
    const { app, remove } = start(ws);
    await ready(ws);
    remove();
    await killed(ws, app);
    expect(notes(ws)).toEqual(['ready', 'SIGTERM', 'done']);
  });

  test('under stop: tree every process gets the signal at once', async () => {
    const ws = workspace({
      Procfile: "web: trap 'wait $p; echo over >>notes' TERM; node notes-signals.mjs notes 100 & p=$!; wait $p",
      'proclet.yml': 'services: {web: {stop: tree}}',
    });
    const { app, remove } = start(ws);
    await ready(ws);
    remove();
    await killed(ws, app);
    expect(notes(ws)).toEqual(['ready', 'SIGTERM', 'done', 'over']);
  });

  test('what ignores its signal is killed when its grace is over', async () => {
    const ws = workspace({
      Procfile: "web: trap '' TERM; echo ready >>notes; sleep 600 & wait",
      'proclet.yml': 'services: {web: {grace: 300ms}}',
    });
    const { app, remove } = start(ws);
    await ready(ws);
    remove();
    await killed(ws, app);
  });
});

test('in a terminal of its own the program gets the signal, and what holds the terminal does not', async ({ skip }) => {
  if (!has('script')) skip('needs script');
  const ws = workspace({
    Procfile: 'web: node notes-signals.mjs notes 3000',
    'proclet.yml': 'services: {web: {tty: true}}',
  });
  const app = ws.proclet('start');
  await ready(ws);
  await killed(ws, app);
  expect(notes(ws)).toEqual(['ready', 'SIGTERM', 'done']);
});

test('what proclet has asked already is not asked again', async () => {
  const ws = workspace({ Procfile: 'web: node notes-signals.mjs notes 2000' });
  const app = ws.proclet('start', '--timeout', '1h');
  await ready(ws);
  ws.proclet('stop');
  await eventually(() => expect(notes(ws)).toEqual(['ready', 'SIGTERM']));
  await killed(ws, app);
  expect(notes(ws)).toEqual(['ready', 'SIGTERM', 'done']);
});

test('a generation that was asked to go by its reload signal gets no other', async () => {
  const ws = workspace({
    Procfile: 'web: node notes-signals.mjs notes-$PROCLET_GENERATION 3000',
    'proclet.yml': 'services: {web: {port: false, reload: handover, reload-signal: USR1, stop-signal: INT}}',
  });
  const app = ws.proclet('start', '--timeout', '1h');
  await ready(ws, 'notes-1');
  ws.proclet('reload');
  await eventually(() => expect(notes(ws, 'notes-1')).toEqual(['ready', 'SIGUSR1']), 10_000);
  await killed(ws, app);
  expect(notes(ws, 'notes-1')).toEqual(['ready', 'SIGUSR1', 'done']);
  expect(notes(ws, 'notes-2')).toEqual(['ready', 'SIGINT', 'done']);
});

test('another stop signal and grace, that a HUP brings, are what the guardian goes by', async () => {
  const ws = workspace({
    Procfile: 'web: node notes-signals.mjs notes 500',
    'proclet.yml': 'services: {web: {reload: shotgun, grace: 0s}}',
  });
  const app = ws.proclet('start', '-p', String(ws.port));
  await ready(ws);
  ws.save('proclet.yml', 'services: {web: {reload: shotgun, grace: 1h, stop-signal: QUIT}}');
  app.signal('SIGHUP');
  await app.line('read again');
  // It is said first; what is asked afterwards is answered when it is done.
  expect(await statusOf(ws.proclet('ps'))).toBe(0);
  await killed(ws, app);
  expect(notes(ws)).toEqual(['ready', 'SIGQUIT', 'done']);
});

test('a run within another one has a guardian that takes no longer than it has', async () => {
  const ws = workspace({
    Procfile: 'outer: node "$BIN" start -f Inner --name inner',
    Inner: 'inner: echo ready; sleep 600',
  });
  const app = procletWith(ws, { BIN: bin }, 'start');
  await app.line('inner.1 | ready');
  const inner = recordsIn(ws).find(({ within }) => within !== '');
  const graceOf = (guardian: number) => {
    const variables = readFileSync(`/proc/${guardian}/environ`, 'latin1').split('\0');
    const trust = variables.find((each) => each.startsWith('PROCLET_GUARDED='))?.replace(/^.*?=/, '') ?? '{}';
    return (JSON.parse(trust) as { grace?: number }).grace;
  };
  expect(graceOf(guardianOf(app))).toBe(5_000);
  expect(graceOf(guardianOf({ ...app, pid: inner?.pid ?? 0 }))).toBe(1_000);
  app.signal('SIGTERM');
  expect(await statusOf(app)).toBe(143);
  expect(ws.survivors()).toEqual([]);
});
