/** The promise: what was given a port is said to be ready when it listens, and what never does is not waited for long. */
import { describe, expect, test } from 'vitest';
import { statusOf } from '../support/launch.js';
import { type Workspace, workspace } from '../support/workspace.js';

async function proclet(ws: Workspace, ...args: string[]) {
  const app = ws.proclet(...args);
  return { status: await statusOf(app), stdout: app.stdout, stderr: app.stderr };
}

async function instanceOf(ws: Workspace): Promise<Record<string, unknown> | undefined> {
  const { stdout } = await proclet(ws, 'ps', '--json');
  return (JSON.parse(stdout) as { services: { instances: Record<string, unknown>[] }[] }).services[0]?.instances[0];
}

const late = 'web: sleep 3; exec node listens-late.mjs 100';

describe('a service without ready: that sleeps for three seconds before it listens', () => {
  test('is reached at once after start -D, restart and reload, and the events say where it listens', async () => {
    const ws = workspace({ Procfile: late });
    const url = `http://127.0.0.1:${ws.port}/`;
    const began = await proclet(ws, 'start', '-D', '-p', String(ws.port));
    expect([began.status, await (await fetch(url)).text()]).toEqual([0, 'here']);
    expect(await instanceOf(ws)).toMatchObject({ phase: 'up', listens: 'port' });
    expect(await proclet(ws, 'restart')).toMatchObject({ status: 0, stdout: 'web.1: ready\n' });
    expect(await (await fetch(url)).text()).toBe('here');
    expect((await proclet(ws, 'reload')).stdout).toBe('web.1: restarted, generation 3\n');
    expect(await (await fetch(url)).text()).toBe('here');
    const { stdout } = await proclet(ws, 'events');
    expect(stdout).toMatch(/"type":"listening","id":"web.1","generation":1,"listens":"port"/);
    await proclet(ws, 'stop');
    expect(ws.survivors()).toEqual([]);
  });

  test('behind a front keeps the first client waiting, and does not turn it away', async () => {
    const yml = 'services: {web: {listen: "127.0.0.1:$PORT", proxy-protocol: false, port: $OWN}}';
    const ws = workspace({ Procfile: late });
    ws.write('proclet.yml', yml.replace('$PORT', String(ws.port + 50)).replace('$OWN', String(ws.port)));
    const app = ws.proclet('start', '-p', String(ws.port));
    await app.line('web.1 started');
    const answer = await fetch(`http://127.0.0.1:${ws.port + 50}/`);
    expect([answer.status, await answer.text()]).toEqual([200, 'here']);
    app.signal('SIGINT');
    await app.exited;
    expect(ws.survivors()).toEqual([]);
  });
});

test('a worker that never listens is up, is said to listen nowhere, and delays nobody for long', async () => {
  const ws = workspace({ Procfile: 'worker: exec sleep 600' });
  const began = await proclet(ws, 'start', '-D', '-p', String(ws.port));
  expect(began).toMatchObject({ status: 0, stdout: expect.stringContaining('worker.1: up (nothing listens)\n') });
  expect((await proclet(ws, 'wait')).stdout).toBe('worker.1: up (nothing listens)\n');
  expect((await proclet(ws, 'ps')).stdout).toMatch(/^worker\.1 +up \(nothing listens\) /m);
  expect(await instanceOf(ws)).toMatchObject({ phase: 'up', listens: 'nowhere', generation: 1 });
  expect((await proclet(ws, 'restart', '--json')).stdout).toMatch(/"silent": \[\s*"worker.1"/);
  await proclet(ws, 'stop');
  expect(ws.survivors()).toEqual([]);
});

test('with port: false a worker is ready when it has lived for a second', async () => {
  const ws = workspace({ Procfile: 'worker: exec sleep 600', 'proclet.yml': 'services: {worker: {port: false}}' });
  const began = await proclet(ws, 'start', '-D');
  expect(began.stdout).not.toContain('nothing listens');
  expect((await proclet(ws, 'wait')).stdout).toBe('worker.1: ready\n');
  await proclet(ws, 'stop');
  expect(ws.survivors()).toEqual([]);
});
