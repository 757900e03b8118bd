/** The promise, for what people run: nothing is left of servers that fork, daemons, npm's chains and pipelines. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tether } from '../support/adversaries.js';
import { environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { linesOf } from '../support/launch.js';
import { has } from '../support/terminal.js';
import { holdersOf } from '../support/traces.js';
import { type App, bin, type Workspace, workspace } from '../support/workspace.js';

interface Program {
  readonly is: string;
  readonly command: string;
  readonly needs: readonly string[];
  /** How many processes it has at least, once it is ready. */
  readonly processes: number;
  /** `busy`: it is in the middle of a request that takes long. */
  readonly state: 'listens' | 'busy' | 'speaks';
}

const programs: Record<string, Program> = {
  shotgun: {
    is: 'plackup -L Shotgun during a request',
    command: 'exec plackup -L Shotgun --port $PORT app.psgi',
    ...{ needs: ['plackup'], processes: 2, state: 'busy' },
  },
  reload: {
    is: 'plackup -R during a request',
    command: 'exec plackup -R . --port $PORT app.psgi',
    ...{ needs: ['plackup'], processes: 2, state: 'busy' },
  },
  starman: {
    is: 'Starman with five workers during a request',
    command: 'exec starman --workers 5 --port $PORT app.psgi',
    ...{ needs: ['starman'], processes: 6, state: 'busy' },
  },
  handover: {
    is: 'start_server -- starman during a request',
    command: 'exec start_server --port $PORT -- starman --workers 2 app.psgi',
    ...{ needs: ['start_server', 'starman'], processes: 4, state: 'busy' },
  },
  redis: {
    is: 'redis-server --daemonize yes',
    command: `redis-server --daemonize yes --save '' --port $PORT; exec sleep 600`,
    ...{ needs: ['redis-server'], processes: 2, state: 'listens' },
  },
  nginx: {
    is: 'nginx with daemon on',
    command: 'sed "s/PORT/$PORT/" nginx.in >nginx.conf; nginx -p . -c nginx.conf; exec sleep 600',
    ...{ needs: ['nginx'], processes: 5, state: 'listens' },
  },
  npm: {
    is: 'npm run dev: npm, sh, node and its child',
    command: 'exec npm run dev',
    ...{ needs: ['npm'], processes: 3, state: 'listens' },
  },
  pipeline: {
    is: 'a pipeline of three programs',
    command: 'yes tick | while read -r word; do echo $word; sleep 0.1; done | cat',
    ...{ needs: [], processes: 4, state: 'speaks' },
  },
};

const files = {
  'app.psgi': `sub { if ($_[0]{PATH_INFO} eq '/slow') { open my $f, '>', "slow.$ENV{PORT}"; sleep 60 } [200, [], ["ok\\n"]] }`,
  'nginx.in': `daemon on; pid nginx.pid; error_log stderr; worker_processes 3; events {}
http { access_log off; server { listen 127.0.0.1:PORT; root .; } }`,
  'package.json': JSON.stringify({
    scripts: { dev: 'echo starting; node serves-beside-a-sleeper.mjs tether.npm; echo ended' },
  }),
};

const missing = Object.values(programs).filter(({ needs }) => !needs.every(has));
const names = Object.keys(programs).filter((name) => !missing.includes(programs[name]!));

test('every program is installed', ({ skip }) => {
  skip(missing.length > 0, missing.map(({ is }) => is).join(', '));
});

/** Every program as a service of one proclet, each of its processes holding the service's tether. */
async function run(env: Record<string, string>): Promise<{ ws: Workspace; app: App; left(): string[] }> {
  const Procfile = names.map((name) => `${name}: exec 9>tether.${name}; ${programs[name]?.command}`).join('\n');
  const ws = workspace({ ...files, Procfile });
  const ports = names.map((name) => `  ${name}: {port: ${portOf(name, ws)}}`);
  ws.write('proclet.yml', `services:\n${ports.join('\n')}\n`);
  const ropes = names.map((name) => {
    const path = join(ws.directory, `tether.${name}`);
    execFileSync('mkfifo', [path], { env: environment() });
    return { name, path, ...tether(path) };
  });
  const args = [bin, 'start', '--timeout', '300ms'];
  const app = ws.start(process.execPath, args, { detached: true, env });
  await Promise.all(names.map((name) => untilReady(name, ws, app)));
  for (const { name, path } of ropes) {
    const wanted = programs[name]?.processes ?? 1;
    await eventually(() => expect(holdersOf(path).length, name).toBeGreaterThanOrEqual(wanted));
  }
  return { ws, app, left: () => ropes.filter((rope) => rope.isHeld()).map(({ name }) => name) };
}

async function untilReady(name: string, ws: Workspace, app: App): Promise<void> {
  const state = programs[name]?.state;
  if (state === 'speaks') return eventually(() => expect(linesOf(app, `${name}.1`)).toContain('tick'));
  const port = portOf(name, ws);
  await eventually(async () => expect(await listens(port), app.text).toBe(true), 20_000);
  if (state === 'listens') return;
  // Never answered: its server is killed, which is the point.
  get(`http://127.0.0.1:${port}/slow`).on('error', () => {});
  await eventually(() => expect(existsSync(join(ws.directory, `slow.${port}`)), app.text).toBe(true));
}

const portOf = (name: string, ws: Workspace) => ws.port + names.indexOf(name);

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

describe.each<[string, Record<string, string>]>([
  ['with control groups', {}],
  ['without control groups', { PROCLET_CGROUP: 'off' }],
])('%s nothing is left of any program', (_, env) => {
  test('after Ctrl-C, when proclet ends', async () => {
    const { ws, app, left } = await run(env);
    process.kill(-app.pid, 'SIGINT');
    await app.exited;
    expect(left()).toEqual([]);
    for (const name of names) expect(await listens(portOf(name, ws)), name).toBe(false);
  });

  test('after kill -9 of proclet, within two seconds', async () => {
    const { ws, app, left } = await run(env);
    app.signal('SIGKILL');
    await eventually(() => expect(left()).toEqual([]), 2_000);
    for (const name of names) expect(await listens(portOf(name, ws)), name).toBe(false);
    await eventually(() => expect(ws.survivors()).toEqual([]));
  });
});

test('a server that daemonizes and leaves its service is ended with it, and its port is free', async ({ skip }) => {
  if (!has('redis-server')) skip('needs redis-server');
  const ws = workspace({ Procfile: `redis: exec redis-server --daemonize yes --save '' --port $PORT` });
  const app = ws.proclet('start', '-p', String(ws.port));
  expect(await app.exited).toEqual({ how: 'code', code: 0 });
  expect(app.text).toMatch(/redis\.1 exited with code 0 and left 1 process behind; ending it/);
  expect(await listens(ws.port)).toBe(false);
  expect(ws.survivors()).toEqual([]);
});
