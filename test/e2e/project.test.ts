import { mkdirSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { statusOf } from '../support/launch.js';
import { type Workspace, workspace } from '../support/workspace.js';

async function proclet(ws: Workspace, ...args: string[]) {
  const app = ws.proclet(...args);
  const status = await statusOf(app);
  return { status, stdout: app.stdout, stderr: app.stderr };
}

const registry = '.config/proclet/projects.json';

describe('proclet project', () => {
  test('add, list and remove', async () => {
    const ws = workspace({ 'hoge/Procfile': 'psgi: true\ndb: true\n', 'fuga/Procfile.dev': 'web: true\n' });
    expect(await proclet(ws, 'project', 'list')).toMatchObject({ stdout: expect.stringContaining('No project') });
    expect(await proclet(ws, 'project', 'add', 'hoge')).toMatchObject({
      status: 0,
      stdout: `hoge: psgi, db (${ws.directory}/hoge)\n`,
    });
    await proclet(ws, 'project', 'add', 'fuga', '-f', 'Procfile.dev', '--name', 'Fuga');
    expect((await proclet(ws, 'project', 'list')).stdout.replace(/ +/g, ' ')).toBe(
      `Fuga ${ws.directory}/fuga web\nhoge ${ws.directory}/hoge psgi, db\n`,
    );
    expect(JSON.parse((await proclet(ws, 'project', 'list', '--json')).stdout)).toEqual([
      { name: 'Fuga', root: `${ws.directory}/fuga`, procfile: 'Procfile.dev', services: ['web'] },
      { name: 'hoge', root: `${ws.directory}/hoge`, services: ['psgi', 'db'] },
    ]);
    expect((await proclet(ws, 'project', 'remove', 'hoge')).status).toBe(0);
    expect(await proclet(ws, 'project', 'remove', 'hoge')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('There are Fuga.'),
    });
  });

  test('twenty at once are all registered', async () => {
    const names = Array.from({ length: 20 }, (_, n) => `p${n}`);
    const ws = workspace(Object.fromEntries(names.map((name) => [`${name}/Procfile`, 'web: true\n'])));
    const answers = await Promise.all(names.map((name) => proclet(ws, 'project', 'add', name)));
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 0));
    const { projects } = JSON.parse(ws.read(registry)) as { projects: { name: string }[] };
    expect(projects.map(({ name }) => name)).toEqual([...names].sort());
  });

  test('a project that moved, or lost its Procfile, or whose files are wrong, is shown as such', async () => {
    const ws = workspace({
      'moved/Procfile': 'web: true\n',
      'lost/Procfile': 'web: true\n',
      'wrong/Procfile': 'web: true\n',
    });
    for (const name of ['moved', 'lost', 'wrong']) await proclet(ws, 'project', 'add', name);
    rmSync(`${ws.directory}/moved`, { recursive: true });
    rmSync(`${ws.directory}/lost/Procfile`);
    ws.write('wrong/Procfile', 'no colon\n');
    const { status, stdout } = await proclet(ws, 'project', 'list');
    expect(status).toBe(0);
    expect(stdout).toMatch(/lost .*it has no Procfile/);
    expect(stdout).toMatch(/moved .*its directory is gone/);
    expect(stdout).toMatch(/wrong .*Procfile:1: 'no colon' is not 'tag: command'/);
  });

  test('what cannot be registered is said, and nothing is lost', async () => {
    const ws = workspace({ 'hoge/Procfile': 'web: true\n', 'other/Procfile': 'web: true\n' });
    mkdirSync(`${ws.directory}/empty`);
    await proclet(ws, 'project', 'add', 'hoge');
    const before = ws.read(registry);
    for (const [args, message] of [
      [['nowhere'], 'the directory nowhere does not exist'],
      [['empty'], 'it has no Procfile'],
      [['other', '--name', 'HOGE'], 'is registered as hoge already'],
      [['other', '--name', 'a/b'], 'is no name for a project'],
      [['other', '-f', '../hoge/Procfile'], 'is not in'],
    ] as const) {
      const { status, stderr } = await proclet(ws, 'project', 'add', ...args);
      expect(status).not.toBe(0);
      expect(stderr).toContain(message);
    }
    expect(ws.read(registry)).toBe(before);
    ws.write(registry, 'not json');
    expect((await proclet(ws, 'project', 'add', 'other')).stderr).toContain('is not a list of projects');
    expect(ws.read(registry)).toBe('not json');
  });

  test('a subcommand that is not there is named', async () => {
    const ws = workspace({});
    expect((await proclet(ws, 'project', 'rmeove', 'x')).stderr).toContain('did you mean remove?');
  });
});
