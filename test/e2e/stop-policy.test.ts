/** The promise: a master finishes its work in its own way, and everything else is asked to end all the same. */
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { linesOf, statusOf } from '../support/launch.js';
import { type App, type Workspace, workspace } from '../support/workspace.js';

/** A worker that ends by USR1 alone, and names the signals it gets. */
const worker = `for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGUSR1']) {
  process.on(signal, () => {
    console.log('worker got ' + signal);
    if (signal === 'SIGUSR1') process.exit(0);
  });
}
setInterval(() => {}, 1000);
console.log('worker is ready');`;
const master = (signal: string) => `trap 'kill -USR1 $p; wait $p; exit 0' ${signal}; node worker.mjs & p=$!; wait $p`;

async function stopped(ws: Workspace, app: App): Promise<string[]> {
  app.signal('SIGTERM');
  expect(await statusOf(app)).toBe(143);
  expect(ws.survivors()).toEqual([]);
  return app.text.match(/got SIG\w+/g) ?? [];
}

test.each(['TERM', 'INT', 'QUIT'])(
  'under stop: leader a master that gets %s tells its worker how to end',
  async (signal) => {
    const ws = workspace({
      Procfile: `web: ${master(signal)}`,
      'worker.mjs': worker,
      'proclet.yml': `services: {web: {stop: leader, stop-signal: ${signal}}}`,
    });
    const app = ws.proclet('start');
    await app.line('worker is ready');
    expect(await stopped(ws, app)).toEqual(['got SIGUSR1']);
  },
);

test('under --stop tree the worker of a master that tells it nothing gets the stop signal from proclet', async () => {
  const ws = workspace({ Procfile: "web: trap 'wait $p' TERM; node names-signals.mjs & p=$!; wait $p" });
  const app = ws.proclet('start', '--stop', 'tree', '--timeout', '60s');
  await app.line('ready');
  expect(await stopped(ws, app)).toEqual(['got SIGTERM']);
});

test('what a shell without a trap leaves behind gets the stop signal when the shell has gone, not SIGKILL', async () => {
  const ws = workspace({
    Procfile: 'web: node names-signals.mjs & node names-signals.mjs & wait',
    'proclet.yml': 'services: {web: {grace: 60s}}',
  });
  const app = ws.proclet('start');
  await eventually(() => expect(linesOf(app, 'web.1')).toEqual(['ready', 'ready']));
  expect(await stopped(ws, app)).toEqual(['got SIGTERM', 'got SIGTERM']);
});

test('a leader that ignores the stop signal does not keep it from the others', async () => {
  const ws = workspace({ Procfile: "web: trap '' QUIT; node quits.mjs; true" });
  ws.write('proclet.yml', 'services: {web: {stop-signal: QUIT, grace: 60s}}');
  ws.write(
    'quits.mjs',
    "process.on('SIGQUIT', () => process.exit(0)); setInterval(() => {}, 1000); console.log('ready');",
  );
  const app = ws.proclet('start');
  await app.line('web.1 | ready');
  await stopped(ws, app);
  expect(app.text).not.toContain('ignored SIGQUIT');
});
