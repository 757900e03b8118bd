import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/model.js';
import { parseConfig } from '../../../src/procfile/parse-config.js';

const names = ['ttl', 'env', 'timeout', 'color', 'port'];

function config(text: string): Config {
  const parsed = parseConfig(text, 'proclet.yml', names);
  if (!parsed.ok) throw new Error(parsed.problems.map(({ line, message }) => `${line}: ${message}`).join('; '));
  return parsed.value;
}

function problems(text: string): string[] {
  const parsed = parseConfig(text, 'proclet.yml', names);
  if (parsed.ok) throw new Error(`it parsed: ${JSON.stringify(parsed.value)}`);
  return parsed.problems.map(({ line, message, hint }) => `${line ?? 'file'}: ${message}${hint ? ` (${hint})` : ''}`);
}

const web = (line: string) => `services:\n  web:\n    ${line}\n`;

describe('parseConfig reads', () => {
  test.each([[''], ['\n# nothing yet\n'], ['null'], ['services:\ndefaults:\n'], ['\uFEFF'], ['---\n']])(
    'no configuration from %j',
    (text) => {
      expect(config(text)).toEqual({ path: 'proclet.yml', defaults: {}, services: {}, places: {} });
    },
  );

  test('every key of a service', () => {
    const text = `services:
  web:
    ttl: 30m
    restart: always
    stop-signal: quit
    grace: 1h30m
    env: {PLACK_ENV: development}
    env-file: .env.web
    directory: script
    umask: "0022"
    user: www
    instances: 2
    port: 9022
  idle-one:
`;
    expect(config(text)).toEqual({
      path: 'proclet.yml',
      defaults: {},
      services: {
        web: {
          ttl: 1_800_000,
          restart: 'always',
          'stop-signal': 'SIGQUIT',
          grace: 5_400_000,
          env: { PLACK_ENV: 'development' },
          'env-file': ['.env.web'],
          directory: 'script',
          umask: '0022',
          user: 'www',
          instances: 2,
          port: 9022,
        },
        'idle-one': {},
      },
      places: { web: { line: 2, column: 3 }, 'idle-one': { line: 14, column: 3 } },
    });
  });

  test.each([
    ['a number as seconds', 'ttl: 90', { ttl: 90_000 }],
    ['a fraction as seconds', 'grace: 0.5', { grace: 500 }],
    ['ttl 0 as for ever', 'ttl: 0', { ttl: Infinity }],
    ['ttl 0s as for ever', 'ttl: 0s', { ttl: Infinity }],
    ['grace 0 as at once', 'grace: 0', { grace: 0 }],
    ['a signal with SIG', 'stop-signal: SIGINT', { 'stop-signal': 'SIGINT' }],
    ['a signal without SIG', 'stop-signal: INT', { 'stop-signal': 'SIGINT' }],
    ['a signal in lower case', 'stop-signal: sigint', { 'stop-signal': 'SIGINT' }],
    ['a umask without quotes', 'umask: 022', { umask: '022' }],
    ['one file of variables', 'env-file: 1.10', { 'env-file': ['1.10'] }],
    ['several files of variables', 'env-file: [.env.web, 2026]', { 'env-file': ['.env.web', '2026'] }],
    ['a user that is a number', 'user: 1000', { user: '1000' }],
    ['a number of starts', 'start-attempts: 2', { 'start-attempts': 2 }],
    ['starts without a limit', 'start-attempts: 0', { 'start-attempts': Infinity }],
    ['one exit status', 'success-exit-status: 143', { 'success-exit-status': [143] }],
    ['several exit statuses', 'success-exit-status: [0, 255]', { 'success-exit-status': [0, 255] }],
    [
      'a command that shows readiness',
      'ready: {command: pg_isready -q, timeout: 5s}',
      { ready: { kind: 'command', command: 'pg_isready -q', timeout: 5000 } },
    ],
    ['no port', 'port: false', { port: false }],
    ['no instances', 'instances: 0', { instances: 0 }],
    [
      'variables as they are written',
      'env: {A: 010, B: 1.10, C: yes, D: True, E: "x", F: 0x1F, G: , H: ~}',
      {
        env: { A: '010', B: '1.10', C: 'yes', D: 'True', E: 'x', F: '0x1F', G: '', H: '' },
      },
    ],
    ['an env without variables', 'env:', {}],
  ])('%s', (_, line, expected) => {
    expect(config(web(line)).services).toEqual({ web: expected });
  });

  test('defaults as if typed, each with its line', () => {
    const text = 'defaults:\n  ttl: 30m\n  env: [.env, .env.local]\n  timeout: 010\n  color: True\n  port:\n';
    expect(config(text).defaults).toEqual({
      ttl: { text: '30m', origin: 'proclet.yml:2:3' },
      env: { text: '.env,.env.local', origin: 'proclet.yml:3:3' },
      timeout: { text: '010', origin: 'proclet.yml:4:3' },
      color: { text: 'true', origin: 'proclet.yml:5:3' },
    });
  });

  test('anchors, aliases and merges', () => {
    const text = 'services:\n  web: &web\n    ttl: 5\n    umask: 022\n  api: *web\n  job: {<<: *web, ttl: 7}\n';
    expect(config(text).services).toEqual({
      web: { ttl: 5000, umask: '022' },
      api: { ttl: 5000, umask: '022' },
      job: { ttl: 7000, umask: '022' },
    });
  });

  test('any default when it is not told the names', () => {
    expect(parseConfig('defaults: {anything: 1}', 'proclet.yml')).toMatchObject({
      ok: true,
      value: { defaults: { anything: { text: '1', origin: 'proclet.yml:1:12' } } },
    });
  });

  test('a service with a name that objects have by nature', () => {
    const { services, places } = config('services:\n  constructor:\n    ttl: 5\n');
    expect(Object.entries(services)).toEqual([['constructor', { ttl: 5000 }]]);
    expect(services['toString']).toBeUndefined();
    expect(places['valueOf']).toBeUndefined();
  });
});

describe('parseConfig refuses', () => {
  test.each([
    ['restart: sometimes', "services.web.restart must be one of always, on-failure, never; it is 'sometimes'"],
    ['restart: [never]', 'services.web.restart must be one of always, on-failure, never; it is a list'],
    ['restart:', 'services.web.restart must be one of always, on-failure, never; it is empty'],
    ['ttl: 5x', "services.web.ttl must be a duration such as 30m, 1h30m, 500ms or 90 (seconds); it is '5x'"],
    ['ttl: -5', 'services.web.ttl must be a duration such as 30m, 1h30m, 500ms or 90 (seconds); it is -5'],
    ['grace: .inf', 'services.web.grace must be a duration such as 30m, 1h30m, 500ms or 90 (seconds); it is Infinity'],
    ['grace: {a: 1}', 'services.web.grace must be a duration such as 30m, 1h30m, 500ms or 90 (seconds); it is a map'],
    ['umask: 22', 'services.web.umask must be three or four octal digits, such as "022"; it is \'22\''],
    ['umask: "089"', 'services.web.umask must be three or four octal digits, such as "022"; it is \'089\''],
    ['umask: true', 'services.web.umask must be three or four octal digits, such as "022"; it is true'],
    ['user: ""', 'services.web.user must be the name of a user; it is empty'],
    ['directory: [a]', 'services.web.directory must be the path of a directory; it is a list'],
    ['env-file: "a\\0b"', "services.web.env-file must be the path of a file, or a list of them; it is 'a\\u0000b'"],
    ['env-file: [a, {b: 1}]', 'services.web.env-file must be the path of a file, or a list of them; it is a list'],
    ['ready: {command: " "}', "services.web.ready.command must be a command such as pg_isready; it is ' '"],
    ['ready: {command: [a]}', 'services.web.ready.command must be a command such as pg_isready; it is a list'],
    [
      'ready: {command: a, tcp: true}',
      'services.web.ready must have one of tcp: true, http: /path, log: "expression", command: "program"; it is a map',
    ],
    ['ready: {tcp: true, comand: a}', 'services.web.ready.comand is not a key of ready (did you mean command?)'],
    ['start-attempts: -1', 'services.web.start-attempts must be a whole number from 0 to 1000; it is -1'],
    ['start-attempts: many', "services.web.start-attempts must be a whole number from 0 to 1000; it is 'many'"],
    [
      'success-exit-status: 256',
      'services.web.success-exit-status must be a whole number from 0 to 255, or a list of them; it is 256',
    ],
    [
      'success-exit-status: [3, TERM]',
      'services.web.success-exit-status must be a whole number from 0 to 255, or a list of them; it is a list',
    ],
    ['instances: -1', 'services.web.instances must be a whole number from 0 to 1000; it is -1'],
    ['instances: 1.5', 'services.web.instances must be a whole number from 0 to 1000; it is 1.5'],
    ['instances: 1001', 'services.web.instances must be a whole number from 0 to 1000; it is 1001'],
    ['instances: "2"', "services.web.instances must be a whole number from 0 to 1000; it is '2'"],
    ['port: 0', 'services.web.port must be a whole number from 1 to 65535, or false; it is 0'],
    ['port: 65536', 'services.web.port must be a whole number from 1 to 65535, or false; it is 65536'],
    ['port: true', 'services.web.port must be a whole number from 1 to 65535, or false; it is true'],
    ['env: [A=1]', 'services.web.env must be a map of variables; it is a list'],
    ['env: {A: [1]}', 'services.web.env.A must be a text, a number, true or false; it is a list'],
    ['env: {A: "a\\0"}', "services.web.env.A must be a text, a number, true or false; it is 'a\\u0000'"],
    ['env: {"A=B": 1}', 'services.web.env.A=B is not a variable; a name is not empty and holds no = and no NUL'],
    ['restrat: always', 'services.web.restrat is not a key of a service (did you mean restart?)'],
    ['stop_signal: TERM', 'services.web.stop_signal is not a key of a service (did you mean stop-signal?)'],
    ['completely-different: 1', 'services.web.completely-different is not a key of a service'],
    ['constructor: 1', 'services.web.constructor is not a key of a service'],
  ])('%s', (line, problem) => {
    expect(problems(web(line))).toEqual([`3: ${problem}`]);
  });

  test.each(['STOP', 'CHLD', 'SEGV', 'CONT', 'FOO', '', 'SIG'])('%j as a stop signal', (signal) => {
    const [problem] = problems(web(`stop-signal: "${signal}"`));
    expect(problem).toContain('3: services.web.stop-signal must be one of TERM, INT, QUIT, HUP,');
  });

  test.each([
    ['3', '1: the file must be a map of keys and values, such as services:'],
    ['\n- web', '2: the file must be a map of keys and values, such as services:'],
    ['services: 3', '1: services must be a map of services by tag; it is 3'],
    ['services: [web]', '1: services must be a map of services by tag; it is a list'],
    ['services:\n  web: 3', '2: services.web must be a map of keys and values; it is 3'],
    ['service:\n  web:', '1: service is not a key of this file (did you mean services?)'],
    ['defaults: 3', '1: defaults must be a map of flags and their values; it is 3'],
    ['defaults:\n  tll: 5', '2: defaults.tll is not a setting (did you mean ttl?)'],
    ['defaults:\n  env: {a: 1}', '2: defaults.env must be a text, a number, true, false or a list of those'],
    ['defaults:\n  env: [[a]]', '2: defaults.env must be a text, a number, true, false or a list of those'],
    ['services:\n  web:\n  db:\n  web:\n', "4: 'web' is already defined above"],
    ['services: {}\n---\nservices: {}', '2: a second YAML document starts here; there can be only one'],
    ['services:\n  ? [web]\n  : 1', '2: a key must be a name'],
    ['services:\n  __proto__: {}', "2: '__proto__' cannot be a key"],
    ['services:\n  web: *base', '2: there is no anchor &base before this alias'],
    ['services:\n  web: {<<: 3}', 'file: it cannot be read: Merge sources must be maps or map aliases'],
    ['a: &a {<<: *a}', 'file: it cannot be read: its aliases expand to too much'],
    ['['.repeat(20_000), 'file: it nests more than 64 levels deep'],
    ['- '.repeat(20_000), 'file: it nests more than 64 levels deep'],
  ])('%j', (text, problem) => {
    expect(problems(text)).toEqual([problem]);
  });

  test('a syntax error, with its line', () => {
    expect(problems('services:\n  web:\n    env: {A: 1\n')[0]).toMatch(/^4: it is not valid YAML: /);
    expect(problems('services:\n\tweb:\n')[0]).toMatch(/^2: /);
  });

  test('aliases that multiply, before they fill the memory', () => {
    const level = (name: string, inner: string) => `${name}: &${name} [${Array(10).fill(`*${inner}`).join(', ')}]`;
    const text = ['a: &a [1]', level('b', 'a'), level('c', 'b'), level('d', 'c'), level('e', 'd')].join('\n');
    expect(problems(text)).toEqual(['file: it cannot be read: its aliases expand to too much']);
  });

  test('everything that is wrong, in the order of the lines', () => {
    const text = 'defaults:\n  tll: 1\nservices:\n  web:\n    prot: 1\n    restart: x\n  db: 1\nother: 1\n';
    expect(problems(text).map((problem) => problem.split(':')[0])).toEqual(['2', '5', '6', '7', '8']);
  });
});
