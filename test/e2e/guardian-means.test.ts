/** The guardian does its work with whatever proclet was started with, or the lack of it is told. */
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { environment, question } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { procletWith } from '../support/launch.js';
import { isRunning } from '../support/survivors.js';
import { has } from '../support/terminal.js';
import { guardianOf, recordOf, recordsIn } from '../support/traces.js';
import { type App, bin, type Workspace, workspace } from '../support/workspace.js';

const off = { PROCLET_CGROUP: 'off' };

/** A leader with a child in a session of its own, which need no PATH. */
const tree = `web: exec '${process.execPath}' spawns-a-setsid-grandchild.mjs`;

/** Nothing is left, and that is written down. */
async function gone(ws: Workspace): Promise<void> {
  await eventually(() => expect(ws.survivors()).toEqual([]));
  await eventually(() => expect(recordsIn(ws)).toEqual([]));
}

describe.each([
  ['empty', ''],
  ['relative', 'bin:.'],
  ['without any program', '/nowhere'],
  ['unset', undefined],
])('with a PATH that is %s', (_, PATH) => {
  test('everything is gone after a kill -9', async () => {
    const ws = workspace({ Procfile: tree });
    const app = procletWith(ws, { ...off, PATH }, 'start', '--timeout', '200ms');
    await app.line('web.1 | ready');
    app.signal('SIGKILL');
    await app.exited;
    await gone(ws);
  });

  test('proclet doctor has tried the guardian', async () => {
    const doctor = procletWith(workspace({}), { ...off, PATH }, 'doctor');
    expect(await doctor.exited).toEqual({ how: 'code', code: 0 });
    expect(doctor.text).toContain('+ guardian in use: it was tried');
  });
});

test('what is killed by the name of proclet takes its services with it, as the guardian has no such name', async () => {
  const ws = workspace({ Procfile: tree });
  const app = procletWith(ws, off, 'start', '--timeout', '200ms');
  await app.line('web.1 | ready');
  const guardian = guardianOf(app);
  expect(readFileSync(`/proc/${guardian}/cmdline`, 'latin1')).not.toMatch(/proclet/i);
  app.signal('SIGKILL');
  await gone(ws);
});

test('proclet may be removed while it runs', async () => {
  const ws = workspace({ Procfile: tree });
  // All that is installed, but for what the packages beside it are.
  const root = join(import.meta.dirname, '../..');
  for (const path of [
    'bin/proclet.cjs',
    'bin/cache-directory.cjs',
    'dist/proclet.cjs',
    'dist/guardian.cjs',
    'package.json',
  ]) {
    ws.write(`installed/${path}`, '');
    copyFileSync(join(root, path), join(ws.directory, 'installed', path));
  }
  const installed = join(ws.directory, 'installed');
  const app = ws.start(process.execPath, [join(installed, 'bin/proclet.cjs'), 'start', '--timeout', '200ms'], {
    env: off,
  });
  await app.line('web.1 | ready');
  rmSync(installed, { recursive: true });
  app.signal('SIGKILL');
  await app.exited;
  await gone(ws);
});

test('without Node the groups of services are ended, and the record tells of the rest', async () => {
  const ws = workspace({ Procfile: "web: exec sh -c 'sleep 600 & echo ready; wait'" });
  const node = join(ws.directory, 'own-node');
  copyFileSync(process.execPath, node);
  const app = ws.start(node, [bin, 'start', '--timeout', '200ms'], { env: off });
  await app.line('web.1 | ready');
  const record = recordOf(ws, app);
  const guardian = guardianOf(app);
  rmSync(node);
  app.signal('SIGKILL');
  await app.exited;
  await eventually(() => expect(ws.survivors()).toEqual([]));
  await eventually(() => expect(isRunning(guardian)).toBe(false));
  expect(recordsIn(ws)).toEqual([record]);
});

describe('where /proc is empty', () => {
  const isRoot = process.getuid?.() === 0;

  /** proclet in a mount namespace of its own. */
  function blind(ws: Workspace, ...args: string[]): App {
    const script = 'mount -t tmpfs none /proc && exec "$@"';
    return ws.start('unshare', ['-m', 'sh', '-c', script, 'sh', process.execPath, bin, ...args], {
      env: environment(),
    });
  }

  test.skipIf(!isRoot)('it is said, and a stop ends the groups of services within its grace', async ({ skip }) => {
    if (!has('unshare')) skip('needs unshare');
    const ws = workspace({ Procfile: `deaf: trap '' TERM; sleep 600 & echo ready; wait\n` });
    const app = blind(ws, 'start', '--timeout', '200ms');
    await app.line('only the process group of a service is ended');
    await app.line('deaf.1 | ready');
    app.signal('SIGTERM');
    expect(await app.exited).toEqual({ how: 'code', code: 143 });
    await eventually(() => expect(ws.survivors()).toEqual([]));
  });

  test.skipIf(!isRoot)('the guardian ends the groups of services, and the record stays', async () => {
    const ws = workspace({ Procfile: `web: sleep 600 & echo ready; wait\n` });
    const app = blind(ws, 'start', '--timeout', '200ms');
    await app.line('web.1 | ready');
    app.signal('SIGKILL');
    await app.exited;
    await eventually(() => expect(ws.survivors()).toEqual([]));
    expect(recordsIn(ws)).toHaveLength(1);
  });

  test.skipIf(!isRoot)('proclet doctor says what is not available, and reap that it cannot look', async () => {
    const ws = workspace({});
    const doctor = blind(ws, 'doctor');
    await doctor.exited;
    expect(doctor.text).toContain('- mark not available: there is no /proc here, or it is empty');
    expect(doctor.text).toContain('- process table not available');
    expect(doctor.text).toContain('whatever has left its process group');
    expect(doctor.text).toContain('What earlier runs left cannot be seen here.');
    const reap = blind(ws, 'reap');
    expect(await reap.exited).toEqual({ how: 'code', code: 1 });
  });
});

describe('a server that su starts as another user', () => {
  const isRoot = process.getuid?.() === 0;
  const ends: [string, NodeJS.Signals][] = [
    ['a stop', 'SIGTERM'],
    ['a kill -9', 'SIGKILL'],
  ];

  test.each(ends)('is gone after %s', async (_, signal) => {
    const program = '/usr/bin/redis-server';
    const isThere = isRoot && existsSync(program) && has('su');
    if (question('NOTHING_SKIPS') === 'true' && isRoot) expect(isThere, 'needs redis-server and su').toBe(true);
    if (!isThere) return;
    const ws = workspace({});
    const options = `--port ${ws.port} --save '' --daemonize yes --dir /tmp`;
    ws.write('Procfile', `db: su nobody -s /bin/sh -c "${program} ${options}"; echo started; exec sleep 600\n`);
    const app = procletWith(ws, off, 'start', '--timeout', '1s');
    await app.line('db.1 | started');
    const servers = () => processesWith(`redis-server`, `:${ws.port}`);
    await eventually(() => expect(servers()).toHaveLength(1));
    app.signal(signal);
    await app.exited;
    await eventually(() => expect(servers()).toEqual([]));
    await gone(ws);
  });
});

/** The pids whose command line contains all of the words. */
function processesWith(...words: string[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
        return !command.includes('su\0') && words.every((word) => command.includes(word)) && isRunning(pid);
      } catch {
        return false; // ENOENT: gone
      }
    });
}
