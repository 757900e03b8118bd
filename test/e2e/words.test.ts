/** What people type, and what programs read of what proclet says. */
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { linesOf, procletWith, statusOf } from '../support/launch.js';
import { bin, workspace } from '../support/workspace.js';

describe('standard input belongs to the caller', () => {
  test('start runs every service when something is piped in', async () => {
    const ws = workspace({ Procfile: 'web: echo I am web\njob: echo I am job' });
    const app = ws.proclet('start', '--on-exit', 'ignore', '--no-color');
    app.child.stdin?.end('job\n');
    expect(await statusOf(app)).toBe(0);
    expect(app.stdout).toContain('I am web');
    expect(app.stdout).toContain('I am job');
  });

  test('a script that a shell reads from a pipe goes on after any command', async () => {
    const ws = workspace({ Procfile: 'web: echo web' });
    const shell = ws.start('sh', ['-s'], { env: { NODE: process.execPath, BIN: bin } });
    const words = ['ps', 'wait -t 0', 'stop', 'logs', 'check', 'doctor 1', 'project list', 'events'];
    shell.child.stdin?.end(`${words.map((word) => `"$NODE" "$BIN" ${word}; echo after ${word}`).join('\n')}\n`);
    await statusOf(shell);
    for (const word of words) expect(shell.stdout).toContain(`after ${word}\n`);
  });
});

test('every variable that was inherited arrives, whatever its name, and PROCFILE names the Procfile', async () => {
  const ws = workspace({
    'Other.procfile': 'web: env\ntwo: env | cat',
    'proclet.yml': 'services:\n  web:\n    env: { WHERE: "http://localhost:${PROCLET_PORT_TWO}/${FOO.BAR}" }\n',
    '.env': 'EXPANDED=$HOME/x\n',
  });
  const app = procletWith(ws, { 'FOO.BAR': 'dotted', 'npm-x': 'dashed', PROCFILE: 'Other.procfile' }, 'start');
  expect(await statusOf(app)).toBe(0);
  expect(linesOf(app, 'web.1')).toContain('WHERE=http://localhost:5100/dotted');
  if (existsSync('/bin/bash')) {
    for (const id of ['web.1', 'two.1'])
      expect(linesOf(app, id)).toEqual(expect.arrayContaining(['FOO.BAR=dotted', 'npm-x=dashed', 'EXPANDED=$HOME/x']));
  }
  expect(linesOf(app, 'proclet').join('\n')).toContain('.env:1: EXPANDED keeps its $ as it is written');
});

test.each([
  ['-h', /^ +start /m],
  ['start -h', /proclet start/],
  ['project -h', /project add/],
  ['project list -h', /project list/],
  ['-v', /^proclet\/\d/],
])('proclet %s is understood', async (words, says) => {
  const app = workspace({}).proclet(...words.split(' '));
  expect(await statusOf(app)).toBe(0);
  expect(app.stdout).toMatch(says);
  expect(app.stderr).toBe('');
});

test('--json prints one value, of every command that says something about itself', async () => {
  const ws = workspace({ Procfile: 'web: exec sleep 100' });
  const answerOf = async (...args: string[]) => {
    const app = ws.proclet(...args, '--json');
    expect([args, await statusOf(app), app.stderr]).toEqual([args, 0, '']);
    return JSON.parse(app.stdout);
  };
  expect(await answerOf('version')).toMatchObject({ node: process.versions.node, platform: process.platform });
  expect(await answerOf('check')).toEqual({
    root: ws.directory,
    procfile: 'Procfile',
    services: ['web'],
  });
  expect(await answerOf('doctor')).toMatchObject({ leftovers: [] });
  expect(await answerOf('doctor', '1')).toEqual({ ports: [{ port: 1, isFree: true, owners: [] }] });
  expect(await answerOf('start', '--dry-run')).toMatchObject({ instances: [{ id: 'web.1', ttl: null }] });
  expect(await answerOf('project', 'add', '--name', 'here')).toMatchObject({ name: 'here', services: ['web'] });
  expect(await answerOf('project', 'remove', 'here')).toEqual({ removed: 'here' });
  const { pid } = await answerOf('start', '-D', '-p', String(ws.port));
  expect(await answerOf('ps', '-d', ws.directory)).toMatchObject({ pid });
  expect(await answerOf('wait')).toEqual({ ids: ['web.1'], silent: ['web.1'] });
  expect(await answerOf('stop')).toMatchObject([{ id: 'web.1' }]);
  expect(await statusOf(ws.proclet('start', '--json'))).toBe(2);
});
