/** How proclet is told something: flags in any place, the environment, files, and which of them wins. */
import { describe, expect, test } from 'vitest';
import { linesOf, procletWith, statusOf } from '../support/launch.js';
import { workspace } from '../support/workspace.js';

const Procfile = 'web: echo port $PORT';

describe('a flag', () => {
  const files = { Procfile: 'web: echo $A $PORT', '.env.x': 'A=x', '.env.y': 'A=y' };

  test.each([
    { args: ['-e', '.env.x', 'run', '--', 'sh', '-c', 'echo $A $PORT'], says: 'x 5000' },
    { args: ['--env=.env.x', '-p', '8000', 'run', 'web'], says: 'x 8000' },
    { args: ['-p8000', 'run', '-e', '.env.y', 'web'], says: 'y 8000' },
    { args: ['run', 'web', '--port=8000', '--env', '.env.x'], says: 'x 8000' },
    { args: ['run', '-e', '.env.x', '-e', '.env.y', 'web'], says: 'y 5000' },
    { args: ['--no-color', '-e', '.env.x', 'run', '--ttl', '1h', '--', 'sh', '-c', 'echo $A $PORT'], says: 'x 5000' },
  ])('is understood wherever it stands: $args', async ({ args, says }) => {
    const app = workspace(files).proclet(...args);
    expect(await statusOf(app)).toBe(0);
    expect(app.stdout).toBe(`${says}\n`);
    expect(app.stderr).toBe('');
  });

  test.each([
    { args: ['start', '--frob'], says: /--frob/ },
    { args: ['--frob', 'start'], says: /--frob/ },
    { args: ['run', '--on-exit', 'stop', 'web'], says: /--on-exit/ },
    { args: ['start', '-p'], says: /--port expects a value/ },
    { args: ['start', '--on-exit', 'explode'], says: /--on-exit: 'explode' is not one of restart, stop, ignore/ },
    { args: ['start', '--log-format', 'xml'], says: /--log-format: 'xml' is not one of text, json/ },
    { args: ['start', '-m', 'web=many'], says: /--formation: 'many' is not a number of instances/ },
    { args: ['start', '-m', 'web'], says: /--formation: 'web' is not tag=number; write all=1,web=2/ },
    { args: ['start', '-t', 'long'], says: /--timeout: 'long' is not a duration/ },
    { args: ['start', '--expire-status', '300'], says: /--expire-status: '300' is not an exit status/ },
  ])('that proclet cannot use is named, and nothing starts: $args', async ({ args, says }) => {
    const app = workspace({ Procfile }).proclet(...args);
    expect(await statusOf(app)).toBe(2);
    expect(app.stderr).toMatch(/^proclet: /);
    expect(app.stderr).toMatch(says);
    expect(app.stderr).not.toContain('bug');
    expect(app.stdout).toBe('');
  });
});

test.each([['strat'], ['-e', '.env', 'strat']])('a command that does not exist is named: %s', async (...args) => {
  const app = workspace({ Procfile }).proclet(...args);
  expect(await statusOf(app)).toBe(2);
  expect(app.stderr).toMatch(/^proclet: .*strat/);
  expect(app.stdout).toBe('');
});

test.each(['check', 'version'])('an argument that %s does not take is called that, not a command', async (command) => {
  const app = workspace({ Procfile }).proclet(command, 'extra');
  expect(await statusOf(app)).toBe(2);
  expect(app.stderr).toBe(
    `proclet: ${command} takes fewer arguments: extra is too many\n  proclet ${command} --help\n`,
  );
});

describe('of several places', () => {
  const env = { PROCLET_PORT: '2000' };
  const yaml = { 'proclet.yml': 'defaults: {port: 3000}' };
  const foreman = { '.foreman': 'port: 4000' };

  test.each([
    { wins: 'a flag', args: ['-p', '1000'], env, files: { ...yaml, ...foreman }, port: 1000 },
    { wins: 'PROCLET_PORT', args: [], env, files: { ...yaml, ...foreman }, port: 2000 },
    { wins: 'defaults of proclet.yml', args: [], env: {}, files: { ...yaml, ...foreman }, port: 3000 },
    { wins: '.foreman', args: [], env: {}, files: foreman, port: 4000 },
    { wins: 'the default', args: [], env: {}, files: {}, port: 5000 },
  ])('$wins wins', async ({ args, env: variables, files, port }) => {
    const app = procletWith(workspace({ Procfile, ...files }), variables, 'start', ...args);
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'web.1')).toEqual([`port ${port}`]);
  });

  test('a text that cannot be read is told with where it came from', async () => {
    const files = { Procfile, 'proclet.yml': 'defaults:\n  timeout: long\n', '.foreman': 'formation: web\n' };
    const app = procletWith(workspace(files), { PROCLET_PORT: 'http' }, 'start');
    expect(await statusOf(app)).toBe(2);
    const told = app.stderr.trimEnd().split('\n').sort();
    expect(told).toEqual([
      expect.stringMatching(/^proclet: \.foreman:1:1: formation: 'web' is not tag=number/),
      expect.stringMatching(/^proclet: PROCLET_PORT: 'http' is not a port/),
      expect.stringMatching(/^proclet: proclet\.yml:2:3: timeout: 'long' is not a duration/),
    ]);
  });
});

test('.foreman has foreman’s names: concurrency and procfile', async () => {
  const files = { '.foreman': 'concurrency: web=2\nprocfile: Procfile.dev\n', 'Procfile.dev': 'web: echo $PS' };
  const app = workspace(files).proclet('start');
  expect(await statusOf(app)).toBe(0);
  expect(linesOf(app, 'web.1')).toEqual(['web.1']);
  expect(linesOf(app, 'web.2')).toEqual(['web.2']);
});

describe('help', () => {
  test.each([
    ['start', ['start', '--help']],
    ['run', ['run', '--help']],
    ['check', ['check', '--help']],
    ['start', ['help', 'start']],
  ])('of %s has its flags and an example, on stdout: %s', async (command, args) => {
    const app = workspace({}).proclet(...args);
    expect(await statusOf(app)).toBe(0);
    expect(app.stdout).toContain('--procfile');
    expect(app.stdout).toMatch(new RegExp(`\\$ proclet ${command} .*`));
    expect(app.stderr).toBe('');
  });

  test.each([['--help'], ['help'], []])('without a command lists the commands: proclet %s', async (...args) => {
    const app = workspace({}).proclet(...args);
    expect(await statusOf(app)).toBe(0);
    for (const command of ['start', 'run', 'check', 'version'])
      expect(app.stdout).toMatch(new RegExp(`^ +${command} `, 'm'));
  });
});
