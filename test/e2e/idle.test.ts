import { createConnection } from 'node:net';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { type App, type Workspace, workspace } from '../support/workspace.js';

const get = (port: number, path = '/', init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' }, ...init });
const start = (ws: Workspace, ...args: string[]) => ws.proclet('start', '-p', String(ws.port), ...args);

/**
 * Starts a run and uses it for half as long again as its window: one life answers all the time. Where this machine made
 * a pause in which the window could have passed, that was no use, and another run is tried.
 */
async function usedThroughout(begin: () => App, port: number, window: number): Promise<App> {
  for (;;) {
    const app = begin();
    const first = await eventually(async () => (await get(port)).text());
    const began = performance.now();
    let [last, pause] = [began, 0];
    const answers = new Set([first]);
    while (last - began < 1.5 * window && pause < 0.7 * window) {
      answers.add(await get(port).then((answer) => answer.text(), String));
      const now = performance.now();
      pause = Math.max(pause, now - last);
      last = now;
    }
    if (pause < 0.7 * window) {
      expect([...answers], app.text).toEqual([first]);
      return app;
    }
    app.signal('SIGTERM');
    await app.exited;
  }
}

describe('--idle', () => {
  test('ends a service that nobody uses, with its port, and the run with 0', async () => {
    const ws = workspace({ Procfile: 'web: node serves.mjs' });
    const app = start(ws, '--idle', '1s');
    await app.line(/web\.1 expired: idle for 1s, never used \(1 process, TERM/);
    expect(await app.exited).toEqual({ how: 'code', code: 0 });
    await expect(get(ws.port)).rejects.toThrow();
  });

  test('does not make the first connection wait for longer than until the program listens', async () => {
    const ws = workspace({ Procfile: 'web: node serves.mjs' });
    // It would be up, and told to be, when it has lived for that long.
    ws.write('proclet.yml', 'services: {web: {settle: 1h, idle: 2h}}');
    const app = start(ws);
    expect(await eventually(async () => (await get(ws.port)).status)).toBe(200);
    const ps = ws.proclet('ps', '--json');
    await ps.exited;
    expect(JSON.parse(ps.stdout).services[0].instances[0].phase).toBe('starting');
    app.signal('SIGTERM');
  });

  test('is renewed by each access through the public port, and says when the last was', async () => {
    const ws = workspace({ Procfile: 'web: node serves.mjs' });
    const app = await usedThroughout(() => start(ws, '--idle', '1s'), ws.port, 1_000);
    await app.line(/web\.1 expired: idle for 1s, last used [0-9.]+m?s ago/);
  });

  test('sees accesses to a port that the program chose itself', async () => {
    const ws = workspace({ Procfile: `web: node serves.mjs ${'$'}OTHER` });
    const other = ws.port + 77;
    ws.write('.env', `OTHER=${other}\n`);
    const app = await usedThroughout(() => start(ws, '--idle', '1s'), other, 1_000);
    await app.line(/web\.1 expired: idle for 1s, last used/);
  });

  test('leaves the public port to a program that has it hard-coded', async () => {
    const ws = workspace({});
    ws.write('Procfile', `web: node serves.mjs ${ws.port}\n`);
    const app = await usedThroughout(() => start(ws, '--idle', '1s'), ws.port, 1_000);
    expect(app.text).toContain(`serving ${ws.port}`);
    await app.line(/web\.1 expired: idle for 1s/);
  });

  test('does not pass while a request is in flight, and is whole again when it ends', async () => {
    const ws = workspace({ Procfile: 'web: node serves.mjs' });
    const app = start(ws, '--idle', '2s');
    await eventually(() => get(ws.port));
    const slow = get(ws.port, '/slow');
    const since = performance.now();
    await eventually(() => expect(performance.now() - since).toBeGreaterThan(2_500));
    expect(app.text).not.toContain('expired');
    await eventually(async () => expect(await (await get(ws.port, '/go')).text()).toBe('1'));
    expect(await (await slow).text()).toBe('slow\n');
    await app.line(/web\.1 expired: idle for 2s/);
  });

  test('is not held by an idle keep-alive connection', async () => {
    const ws = workspace({ Procfile: 'web: node serves.mjs' });
    const app = start(ws, '--idle', '1s');
    await eventually(() => get(ws.port));
    const socket = createConnection(ws.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((answered) => socket.once('data', answered));
    await app.line(/web\.1 expired: idle for 1s/);
    socket.destroy();
  });

  test('of a service without a port is renewed by its output', async () => {
    const ws = workspace({
      Procfile: 'worker: i=0; while [ $i -lt 8 ]; do echo tick; sleep 0.25; i=$((i+1)); done; exec sleep 1000',
    });
    const app = start(ws, '--idle', '1s');
    await app.line(/worker\.1 expired: idle for 1s/);
    expect(app.text.match(/tick/g)).toHaveLength(8);
  });

  test('works for proclet run too', async () => {
    const ws = workspace({ Procfile: 'web: node serves.mjs' });
    const app = ws.proclet('run', 'web', '-p', String(ws.port), '--idle', '1s');
    await eventually(() => get(ws.port));
    expect(await app.exited).toEqual({ how: 'code', code: 0 });
    expect(app.stderr).toMatch(/web\.1 expired: idle for 1s/);
  });
});

describe('start: on-access', () => {
  test('starts nothing until somebody connects, holds the connection, and sleeps again', async () => {
    const ws = workspace({
      Procfile: 'web: node serves.mjs',
      'proclet.yml': 'services: {web: {start: on-access, idle: 1s}}',
    });
    const app = start(ws);
    const first = await eventually(async () => (await get(ws.port)).text());
    await app.line('an access wakes web');
    await app.line(/web\.1 expired: idle for 1s/);
    expect(app.child.exitCode).toBeNull();
    const second = await (await get(ws.port)).text();
    expect(second).not.toBe(first);
  });

  test('answers everybody who came while it booted', async () => {
    const ws = workspace({
      Procfile: 'web: until [ -e all-came ]; do sleep 0.02; done; exec node serves.mjs',
      'proclet.yml': 'services: {web: {start: on-access}}',
    });
    const app = start(ws);
    await eventually(
      () => new Promise((open, fail) => createConnection(ws.port, '127.0.0.1', () => open(0)).once('error', fail)),
    );
    const all = Promise.all(Array.from({ length: 200 }, async () => (await get(ws.port)).text()));
    await app.line('an access wakes web');
    ws.write('all-came', '');
    const answers = await all;
    expect(new Set(answers).size).toBe(1);
  });

  test('wakes first what the service is after, and puts both down', async () => {
    const ws = workspace({
      Procfile: 'web: node serves.mjs\ndb: node holds-port.mjs',
      'proclet.yml':
        'services: {web: {start: on-access, idle: 1s, after: [db]}, db: {start: manual, ready: {tcp: true}}}',
    });
    const app = start(ws);
    await eventually(() => get(ws.port));
    expect(app.text.indexOf('db.1 is ready')).toBeLessThan(app.text.indexOf('web.1 started'));
    await app.line(/web\.1 expired: idle/);
    await app.line(/db\.1 stopped .*: only web needed it/);
  });

  test('that fails gives an HTTP client the reason and the last words, and closes any other', async () => {
    const ws = workspace({
      Procfile: 'web: echo "<b>no database</b>" >&2; exit 3',
      'proclet.yml': 'services: {web: {start: on-access}}',
    });
    const app = start(ws);
    const answer = await eventually(() => get(ws.port));
    expect(answer.status).toBe(502);
    const page = await answer.text();
    expect(page).toContain('web.1 exited with code 3');
    expect(page).toContain('&lt;b&gt;no database&lt;/b&gt;');
    await app.line(/web\.1 exited with code 3/);
    const raw = createConnection(ws.port, '127.0.0.1');
    raw.on('error', () => {});
    raw.write('PING\r\n');
    await new Promise((closed) => raw.once('close', closed).resume());
  });

  test('whose public port is taken ends with who holds it', async () => {
    const ws = workspace({ Procfile: 'web: node serves.mjs', 'proclet.yml': 'services: {web: {start: on-access}}' });
    const first = start(ws);
    await eventually(() => get(ws.port));
    const second = start(ws, '--name', 'second');
    expect(await second.exited).toEqual({ how: 'code', code: 1 });
    expect(second.stderr).toMatch(
      new RegExp(
        `web cannot be reached at 127\\.0\\.0\\.1:${ws.port}: port ${ws.port} is held by .* \\(pid ${first.pid}\\)`,
      ),
    );
  });
});

describe('listen', () => {
  test('balances over the instances of a formation, and hides none of their ports', async () => {
    const ws = workspace({ Procfile: 'web: node serves.mjs' });
    const shared = ws.port + 50;
    ws.write('proclet.yml', `services: {web: {listen: ${shared}, instances: 2}}`);
    const app = start(ws);
    await app.line(`serving ${ws.port + 1}`);
    await app.line(`serving ${ws.port}`);
    await eventually(async () => {
      const answers = await Promise.all([1, 2, 3, 4].map(async () => (await get(shared)).text()));
      expect(new Set(answers).size).toBe(2);
    });
  });
});

describe('after and ready', () => {
  test('a service starts when what it is after is ready, and ends before it', async () => {
    const ws = workspace({
      Procfile: 'web: node serves.mjs\ndb: echo booting; sleep 1; echo accepting; exec sleep 1000',
      'proclet.yml': 'services: {web: {after: [db]}, db: {ready: {log: "^accepting$"}}}',
    });
    const app = start(ws);
    await app.line('web waits for db');
    await app.line(/db\.1 is ready after 1/);
    await app.line('serving');
    app.signal('SIGINT');
    await app.exited;
    expect(app.text.indexOf('web.1 stopped')).toBeLessThan(app.text.indexOf('db.1 stopped'));
  });

  test('readiness over HTTP is what the path answers', async () => {
    const ws = workspace({
      Procfile: 'web: node serves.mjs\nlate: echo late',
      'proclet.yml': 'services: {web: {ready: {http: /health}}, late: {after: [web]}}',
    });
    const app = start(ws);
    await app.line('late.1 | late');
    expect(app.text.indexOf('web.1 is ready')).toBeLessThan(app.text.indexOf('late.1 started'));
  });

  test('what is not ready in time is ended, and who waits is named', async () => {
    const ws = workspace({
      Procfile: 'web: node serves.mjs\ndb: exec sleep 1000',
      'proclet.yml': 'services: {web: {after: [db]}, db: {restart: never, ready: {tcp: true, timeout: 500ms}}}',
    });
    const app = start(ws);
    await app.line(/db\.1 is not ready after (500ms|0\.5s).*web waits for it/);
    await app.line('web is not started: db, which it is after, is not running');
    expect(await app.exited).toEqual({ how: 'code', code: 143 });
  });
});

describe('--port auto', () => {
  test('gives a project the same free ports each time, and others when they are taken', async () => {
    const ws = workspace({ Procfile: 'web: node serves.mjs' });
    const plan = async () => {
      const app = ws.proclet('start', '-p', 'auto', '--dry-run');
      await app.exited;
      return Number(/port +(\d+)/.exec(app.stdout)?.[1]);
    };
    const port = await plan();
    expect(port).toBeGreaterThanOrEqual(10_000);
    expect(await plan()).toBe(port);
    const app = ws.proclet('start', '-p', 'auto');
    await app.line(`serving ${port}`);
    expect(await plan()).not.toBe(port);
  });

  test('of several that start at once, with services that are down, is never the same', async () => {
    const ws = workspace({ Procfile: 'web: sleep 1000\nadmin: node serves.mjs' });
    const names = ['a', 'b', 'c', 'd'];
    const apps = names.map((name) => ws.proclet('start', '-p', 'auto', '--name', name, '--start', 'admin=manual'));
    await Promise.all(apps.map((app) => app.line('web.1 started')));
    const bases = apps.map((app) => Number(/port (\d+)\)/.exec(app.text)?.[1]));
    const ports = bases.flatMap((base) => [base, base + 100]);
    expect(new Set(ports).size).toBe(ports.length);
  });

  test('stays what it is when the files are read again', async () => {
    const ws = workspace({ Procfile: 'web: node serves.mjs' });
    const app = ws.proclet('start', '-p', 'auto');
    const port = Number(/serving (\d+)/.exec(await app.line('serving'))?.[1]);
    expect(await ws.proclet('scale', 'web=2').exited).toEqual({ how: 'code', code: 0 });
    await app.line(`serving ${port + 1}`);
    expect(app.text).not.toContain('replaced');
  });
});
