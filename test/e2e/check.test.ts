import { describe, expect, test } from 'vitest';
import { statusOf } from '../support/launch.js';
import { bin, workspace } from '../support/workspace.js';

async function check(files: Record<string, string>, ...args: string[]) {
  const app = workspace(files).proclet('check', ...args);
  const status = await statusOf(app);
  return { status, stdout: app.stdout, stderr: app.stderr };
}

const Procfile = 'web: node web.js\nworker: node worker.js';

test('a good project is named with its services, and nothing is started', async () => {
  const ws = workspace({ Procfile: 'web: touch started\nworker: touch started' });
  const app = ws.proclet('check');
  expect(await statusOf(app)).toBe(0);
  expect(app.stdout).toBe('The Procfile is valid (web, worker)\n');
  expect(app.stderr).toBe('');
  expect(await statusOf(ws.start('ls', ['started']))).not.toBe(0);
});

test('everything that is wrong with every file is told at once, each with its file and line, and the status is 2', async () => {
  const answer = await check({
    Procfile: 'web: node web.js\nworker node worker.js\nweb: again\nempty:\n',
    '.env': 'GOOD=1\nnonsense\nOPEN="never closed\n',
    'proclet.yml': 'services:\n  web:\n    restart: sometimes\n    ttl: soon\n    umask: 999\n',
    '.foreman': 'procfile: Procfile\nconcurency: web=2\n',
  });
  expect(answer.status).toBe(2);
  expect(answer.stdout).toBe('');
  const told = answer.stderr.trimEnd().split('\n');
  const places = told.map((line) => /^proclet: (\S+?(?::\d+)+): ./.exec(line)?.[1]);
  expect(places.sort()).toEqual([
    '.env:2',
    '.env:3',
    '.foreman:2:1',
    'Procfile:2',
    'Procfile:3',
    'Procfile:4',
    'proclet.yml:3:5',
    'proclet.yml:4:5',
    'proclet.yml:5:5',
  ]);
});

test('ports that collide and variables that nobody sets are told with the mistakes of the files', async () => {
  const services = 'web: {port: 5432, restart: sometimes, env: {URL: "${NOBODY}"}}\n  db: {port: 5432}';
  const { stderr } = await check({ Procfile: 'web: a\ndb: b\n', 'proclet.yml': `services:\n  ${services}\n` });
  expect(stderr).toMatch(/services\.web\.restart/);
  expect(stderr).toMatch(/\$\{NOBODY\} is not set/);
  expect(stderr).toMatch(/5432/);
});

test('what is wrong for other reasons is told at once too: names, settings, files that are not there', async () => {
  const files = {
    Procfile: 'web: node web.js\n',
    'proclet.yml': `defaults: {ttl: soon, nonsense: 1}
services:
  web: {restart: sometimes, after: [db], env-file: gone.env}
  wbe: {listen: x y, grace: 5s}
`,
  };
  const places = (told: string) =>
    told.split('\n').flatMap((line) => /^proclet: (\S+?(?::\d+)*): ./.exec(line)?.[1] ?? []);
  const answer = await check(files);
  expect(answer.status).toBe(2);
  const said = answer.stderr;
  expect(places(said).sort()).toEqual([
    'gone.env',
    'proclet.yml:1:23',
    'proclet.yml:3:3',
    'proclet.yml:3:9',
    'proclet.yml:4:3',
    'proclet.yml:4:9',
  ]);
  const json = await check(files, '--json');
  expect([json.status, json.stderr]).toEqual([2, said]);
  const { problems } = JSON.parse(json.stdout);
  expect(problems).toHaveLength(6);
  expect(problems).toContainEqual({
    ...{ path: 'proclet.yml', line: 3, column: 9 },
    message: "services.web.restart must be one of always, on-failure, never; it is 'sometimes'",
  });
  const none = JSON.parse((await check({}, '--json')).stdout);
  expect(none).toMatchObject({ problems: [{ path: 'Procfile', message: 'does not exist' }] });
});

describe('a mistake in the Procfile says what it is and what to do', () => {
  test.each([
    ['web node', "Procfile:1: 'web node' is not 'tag: command' (comments start with #)"],
    [
      'a: x\na: y',
      "Procfile:2: 'a' is already defined on line 1 (rename one, or run several of the same with --formation a=2)",
    ],
    ['a:', "Procfile:1: 'a' has no command (write it after the colon, or put # before a)"],
    ['wéb: x', "Procfile:1: 'wéb' is not a tag (a tag is made of letters, digits, - and _)"],
    ['# nothing', 'Procfile: it defines no services (write a line for each, such as web: npm start)'],
  ])('%j', async (text, says) => {
    expect(await check({ Procfile: text })).toEqual({ status: 2, stdout: '', stderr: `proclet: ${says}\n` });
  });

  test('a Procfile that is not there comes with what to do', async () => {
    const { status, stderr } = await check({});
    expect(status).toBe(2);
    expect(stderr).toMatch(/^proclet: Procfile does not exist\n {2}Write a line such as/);
    const other = await check({ 'Procfile.dev': 'web: x' });
    expect(other.stderr).toBe(
      'proclet: Procfile does not exist\n  There is Procfile.dev: name it with -f Procfile.dev.\n',
    );
  });

  test('a mistake in the file that names the Procfile is told, not that there is none', async () => {
    const config = 'defaults: { procfile: Procfile.dev }\nservices: { web: { restrat: always } }\n';
    const { stderr } = await check({ 'proclet.yml': config, 'Procfile.dev': 'web: x' });
    expect(stderr).toBe(
      'proclet: proclet.yml:2:20: services.web.restrat is not a key of a service (did you mean restart?)\n',
    );
  });

  test('the project is found from a directory in it, and where it is is said', async () => {
    const ws = workspace({ Procfile: 'web: pwd', 'deep/er/x': '' });
    const app = ws.start('sh', ['-c', 'cd deep/er; "$0" "$1" start && "$0" "$1" run web', process.execPath, bin]);
    expect(await statusOf(app)).toBe(0);
    expect(app.stdout).toContain(`the project is in ${ws.directory}\n`);
    expect(app.stdout.trimEnd().endsWith(ws.directory)).toBe(true);
    expect(app.stderr).toBe(`proclet: the project is in ${ws.directory}\n`);
  });
});

describe('a key that is misspelt comes with the one that was probably meant', () => {
  test.each([
    [
      'services:\n  web:\n    restrat: always',
      '3:5: services.web.restrat is not a key of a service (did you mean restart?)',
    ],
    ['service:\n  web: {}', '1:1: service is not a key of this file (did you mean services?)'],
    [
      'services:\n  web:\n    stop_signal: INT',
      '3:5: services.web.stop_signal is not a key of a service (did you mean stop-signal?)',
    ],
    ['defaults:\n  formatoin: web=2', '2:3: defaults.formatoin is not a setting (did you mean formation?)'],
    ['defaults:\n  prot: 8000', '2:3: defaults.prot is not a setting (did you mean port?)'],
  ])('%j', async (text, says) => {
    const answer = await check({ Procfile, 'proclet.yml': text });
    expect(answer).toEqual({ status: 2, stdout: '', stderr: `proclet: proclet.yml:${says}\n` });
  });
});

test('a service of proclet.yml that the Procfile does not have is an error with its line', async () => {
  const { status, stderr } = await check({ Procfile, 'proclet.yml': 'services:\n  wbe: {ttl: 1s}\n' });
  expect(status).toBe(2);
  expect(stderr).toBe('proclet: proclet.yml:2:3: services.wbe is not a service of Procfile (it has web, worker)\n');
});

test('a formation, a ttl and a port are checked as start would', async () => {
  const formation = await check({ Procfile }, '-m', 'wbe=2');
  expect(formation).toMatchObject({ status: 2, stderr: expect.stringContaining("there is no service 'wbe'") });
  const ttl = await check({ Procfile }, '--ttl', 'web=soon');
  expect(ttl).toMatchObject({ status: 2, stderr: expect.stringContaining("'soon' is not a duration") });
  const port = await check({ Procfile }, '-p', '65530');
  expect(port).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('Procfile:2: worker.1 would get port 65630'),
  });
});

test('ports that would collide are found, with the line', async () => {
  const { status, stderr } = await check({ Procfile, 'proclet.yml': 'services: {worker: {port: 5000}}' });
  expect(status).toBe(2);
  expect(stderr).toMatch(/^proclet: Procfile:2: web\.1 and worker\.1 would both get port 5000/);
});

test.each(['.env.web', '[.env.all, .env.web]'])(
  'an env-file that is not there names the line that wants it: %s',
  async (names) => {
    const files = { Procfile, '.env.all': 'A=1\n', 'proclet.yml': `services:\n  web:\n    env-file: ${names}\n` };
    const { status, stderr } = await check(files);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^proclet: \.env\.web does not exist\n {2}proclet\.yml:\d+:\d+ names it as env-file of web$/m,
    );
  },
);
