import { copyFileSync, cpSync, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { environment } from '../support/environment.js';
import { asJob, linesOf, pressCtrlC, procletWith, statusOf, variablesOf } from '../support/launch.js';
import { workspace } from '../support/workspace.js';

const repository = resolve(import.meta.dirname, '../..');
const listed = (text: string) => text.split(' ');

test('the Procfile.example of the repository shows three services that work, and Ctrl-C ends them', async () => {
  const ws = workspace({});
  copyFileSync(join(repository, 'Procfile.example'), join(ws.directory, 'Procfile.example'));
  cpSync(join(repository, 'examples'), join(ws.directory, 'examples'), { recursive: true });
  const app = asJob(ws, 'start', '--procfile', 'Procfile.example', '--port', String(ws.port));
  await app.line(`web.1 | listening on http://127.0.0.1:${ws.port}`);
  await app.line('clock.1 | the clock is running');
  await app.line('worker.1 | job 1: Hello from web.1');
  await app.line('web.1 | GET /jobs');
  pressCtrlC(app);
  expect(await statusOf(app)).toBe(130);
  expect(linesOf(app, 'clock.1')).toContain('the clock stops');
  expect(linesOf(app, 'proclet')).toContain('stopping web.1, worker.1 and clock.1: SIGINT');
  expect(ws.survivors()).toEqual([]);
});

describe('which services run', () => {
  const Procfile = 'web: echo web on $PORT\nworker: echo worker on $PORT\nclock: echo clock on $PORT';

  test('every one of the Procfile, 100 ports apart, when none is named', async () => {
    const app = workspace({ Procfile }).proclet('start');
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'web.1')).toEqual(['web on 5000']);
    expect(linesOf(app, 'worker.1')).toEqual(['worker on 5100']);
    expect(linesOf(app, 'clock.1')).toEqual(['clock on 5200']);
  });

  test('only those that are named, and each keeps the port it has among all', async () => {
    const app = workspace({ Procfile }).proclet('start', 'clock', 'worker');
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'web.1')).toEqual([]);
    expect(linesOf(app, 'worker.1')).toEqual(['worker on 5100']);
    expect(linesOf(app, 'clock.1')).toEqual(['clock on 5200']);
  });

  test('as many of each as the formation says, none of those with 0', async () => {
    const app = workspace({ Procfile }).proclet('start', '-m', 'all=2,worker=0,clock=1');
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'web.1')).toEqual(['web on 5000']);
    expect(linesOf(app, 'web.2')).toEqual(['web on 5001']);
    expect(linesOf(app, 'worker.1')).toEqual([]);
    expect(linesOf(app, 'clock.1')).toEqual(['clock on 5200']);
    expect(linesOf(app, 'clock.2')).toEqual([]);
  });

  test.each([
    ['web=1', ['web.1']],
    ['web=0', ['worker.1', 'clock.1']],
  ])('nothing but what a formation names, or all but what it leaves out: %s', async (formation, ids) => {
    const app = workspace({ Procfile }).proclet('start', '-m', formation);
    expect(await statusOf(app)).toBe(0);
    expect(['web.1', 'worker.1', 'clock.1'].filter((id) => linesOf(app, id).length > 0)).toEqual(ids);
  });

  test.each(['-m', '-c', '--formation', '--concurrency'])('%s is the formation', async (flag) => {
    const app = workspace({ Procfile: 'web: true' }).proclet('start', flag, 'web=2');
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'proclet').join()).toMatch(/web\.2 started/);
  });

  test('a service that the Procfile does not have starts nothing and names those that it has', async () => {
    const app = workspace({ Procfile }).proclet('start', 'web', 'wroker');
    expect(await statusOf(app)).toBe(2);
    expect(app.stderr).toBe("proclet: Procfile: there is no service 'wroker' (it has web, worker, clock)\n");
    expect(app.stdout).toBe('');
  });
});

describe('the environment of a service', () => {
  test('is proclet’s own and exactly what the manual lists, beside the mark by which leftovers are found', async () => {
    const ws = workspace({ Procfile: 'web: env\nqueue-worker: env' });
    const app = procletWith(ws, { GREETING: 'hello' }, 'start', '-m', 'all=1,web=2');
    expect(await statusOf(app)).toBe(0);
    const siblings = { PROCLET_PORT_WEB: '5000', PROCLET_PORT_QUEUE_WORKER: '5100' };
    const expected = {
      'web.1': { PORT: '5000', PS: 'web.1', PROCLET_TAG: 'web', PROCLET_INSTANCE: '1', ...siblings },
      'web.2': { PORT: '5001', PS: 'web.2', PROCLET_TAG: 'web', PROCLET_INSTANCE: '2', ...siblings },
      'queue-worker.1': {
        ...{ PORT: '5100', PS: 'queue-worker.1', PROCLET_TAG: 'queue-worker', PROCLET_INSTANCE: '1' },
        ...siblings,
      },
    };
    const parents = [...Object.keys(environment()), ...listed('HOME XDG_RUNTIME_DIR XDG_CACHE_HOME GREETING')];
    const shells = listed('PWD OLDPWD SHLVL _');
    for (const [id, added] of Object.entries(expected)) {
      const found = variablesOf(app, id);
      expect(found).toMatchObject({ ...added, GREETING: 'hello' });
      const own = Object.keys(found).filter((name) => !parents.includes(name) && !shells.includes(name));
      expect(own.sort()).toEqual([...Object.keys(added), 'PROCLET_GENERATION', 'PROCLET_MARK'].sort());
    }
  });

  test('has what .env says unless the environment says it already', async () => {
    const ws = workspace({ Procfile: 'web: env', '.env': 'FROM_FILE=file\nFROM_BOTH=file\n' });
    const app = procletWith(ws, { FROM_BOTH: 'environment' }, 'start');
    expect(await statusOf(app)).toBe(0);
    expect(variablesOf(app, 'web.1')).toMatchObject({ FROM_FILE: 'file', FROM_BOTH: 'environment' });
  });

  test('has what the files of -e say, the later one first, and nothing of .env', async () => {
    const files = { '.env': 'A=env\nZ=env\n', '.env.a': 'A=a\nB=a\n', '.env.b': 'B=b\nC=b\n' };
    const app = workspace({ Procfile: 'web: env', ...files }).proclet('start', '-e', '.env.a,.env.b');
    expect(await statusOf(app)).toBe(0);
    const { A, B, C, Z } = variablesOf(app, 'web.1');
    expect({ A, B, C, Z }).toEqual({ A: 'a', B: 'b', C: 'b', Z: undefined });
  });

  test('is not made up when a file of -e does not exist: nothing starts', async () => {
    const app = workspace({ Procfile: 'web: env' }).proclet('start', '-e', '.env.x');
    expect(await statusOf(app)).toBe(2);
    expect(app.stderr).toBe('proclet: .env.x does not exist\n');
    expect(app.stdout).toBe('');
  });
});

describe('PORT', () => {
  const Procfile = 'web: echo port $PORT\nworker: echo port $PORT';
  const sources = { '.env': 'PORT=7000\n' };

  test.each([
    { title: 'is 5000 when nobody says anything', files: {}, env: {}, args: [], base: 5000 },
    { title: 'comes from the environment', files: {}, env: { PORT: '6000' }, args: [], base: 6000 },
    { title: 'of .env wins over the environment’s', files: sources, env: { PORT: '6000' }, args: [], base: 7000 },
    { title: 'of -p wins over both', files: sources, env: { PORT: '6000' }, args: ['-p', '8000'], base: 8000 },
    {
      title: 'of PROCLET_PORT does too',
      files: sources,
      env: { PORT: '6000', PROCLET_PORT: '9000' },
      args: [],
      base: 9000,
    },
  ])('$title', async ({ files, env, args, base }) => {
    const app = procletWith(workspace({ Procfile, ...files }), env, 'start', ...args);
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'web.1')).toEqual([`port ${base}`]);
    expect(linesOf(app, 'worker.1')).toEqual([`port ${base + 100}`]);
  });

  test('that is none starts nothing and says where it stands', async () => {
    const app = workspace({ Procfile, '.env': 'PORT=http\n' }).proclet('start');
    expect(await statusOf(app)).toBe(2);
    expect(app.stderr).toMatch(/PORT: 'http' is not a port/);
    expect(app.stdout).toBe('');
  });
});

describe('where things are', () => {
  test('-f names another Procfile, whose directory is the project', async () => {
    const ws = workspace({ 'app/Procfile.dev': 'web: pwd; echo $GREETING', 'app/.env': 'GREETING=hello' });
    const app = ws.proclet('start', '-f', 'app/Procfile.dev');
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'web.1')).toEqual([`${ws.directory}/app`, 'hello']);
  });

  test('-d names the project’s directory', async () => {
    const ws = workspace({ 'app/Procfile': 'web: pwd' });
    const app = ws.proclet('start', '-d', 'app');
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'web.1')).toEqual([`${ws.directory}/app`]);
  });

  test('PROCFILE of .env names the Procfile', async () => {
    const ws = workspace({
      '.env': 'PROCFILE=Procfile.dev',
      'Procfile.dev': 'dev: echo dev',
      Procfile: 'web: echo web',
    });
    const app = ws.proclet('start');
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'dev.1')).toEqual(['dev']);
    expect(linesOf(app, 'web.1')).toEqual([]);
  });
});

test('--dry-run prints the plan and starts nothing', async () => {
  const ws = workspace({ Procfile: 'web: touch started\nworker: touch started', '.env': 'SECRET=hush' });
  const app = ws.proclet('start', '--dry-run', '-m', 'all=1,web=2', '--ttl', 'web=30m');
  expect(await statusOf(app)).toBe(0);
  expect(app.stdout).toMatch(/^web\.1\n {2}port +5000\n {2}command +touch started\n {2}ttl +30m\n/);
  expect(app.stdout).toMatch(/^web\.2\n {2}port +5001\n/m);
  expect(app.stdout).toMatch(/^worker\.1\n {2}port +5100\n(.*\n)*? {2}ttl +for ever\n/m);
  expect(app.stdout).not.toContain('hush');
  expect(existsSync(join(ws.directory, 'started'))).toBe(false);
});

test('services run side by side, each with its own output', async () => {
  const ws = workspace({
    Procfile: [
      'web: mkfifo go; touch made; read line <go; echo "heard $line"',
      'worker: until [ -e made ]; do sleep 0.01; done; echo hello >go',
    ].join('\n'),
  });
  const app = ws.proclet('start');
  expect(await statusOf(app)).toBe(0);
  expect(linesOf(app, 'web.1')).toEqual(['heard hello']);
});
