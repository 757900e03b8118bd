import { describe, expect, test } from 'vitest';
import type { Given, Settings } from '../../../src/model.js';
import { settingNames, settings } from '../../../src/plan/setting-table.js';
import { fromEnvironment, toPlaces, toSettings } from '../../../src/plan/settings.js';
import { settingsWith } from '../../support/settings.js';

const flags = (texts: Record<string, string>): Record<string, Given> =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, { text, origin: `--${name}` }]));
const file = (texts: Record<string, string>, path = 'proclet.yml'): Record<string, Given> =>
  Object.fromEntries(
    Object.entries(texts).map(([name, text], index) => [name, { text, origin: `${path}:${index + 2}` }]),
  );

function settle(...sources: Record<string, Given>[]): Settings {
  const parsed = toSettings(sources, []);
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('; '));
  return parsed.value;
}

function problems(...sources: Record<string, Given>[]): string[] {
  const parsed = toSettings(sources, []);
  if (parsed.ok) throw new Error(`it was read: ${JSON.stringify(parsed.value)}`);
  return parsed.problems.map(({ path, line, message }) => `${path}${line === undefined ? '' : `:${line}`}: ${message}`);
}

describe('toSettings', () => {
  test('fills in every default when nobody says anything', () => {
    expect(settle()).toEqual(settingsWith());
  });

  test.each([
    ['name', '../up', "'../up' is not a name"],
    ['name', 'a'.repeat(51), 'is not a name'],
    ['until', '25:00', "'25:00' is not a time"],
    ['until', 'tea time', "'tea time' is not a time"],
    ['until-exit', '-1', "'-1' is not the number of a process"],
    ['until-exit', 'vim', "'vim' is not the number of a process"],
  ])('does not take %s %s', (name, text, sentence) => {
    expect(problems(flags({ [name]: text })).join()).toContain(sentence);
  });

  test('keeps the tags asked for', () => {
    expect(toSettings([], ['web', 'db'])).toMatchObject({ ok: true, value: { tags: ['web', 'db'] } });
  });

  test.each<[string, string, Partial<Settings>]>([
    ['formation', 'all=2,web=0', { formation: { all: 2, tags: { web: 0 } } }],
    ['concurrency', ' web = 3 , ', { formation: { all: 0, tags: { web: 3 } } }],
    ['formation', 'web=0', { formation: { tags: { web: 0 } } }],
    ['port', '3000', { port: 3000 }],
    ['name', 'blue.2', { name: 'blue.2' }],
    ['until', '18:00', { until: { hours: 18, minutes: 0, seconds: 0 } }],
    ['until', '2030-01-31T18:00:00Z', { until: { at: Date.UTC(2030, 0, 31, 18) } }],
    ['until-exit', '812', { untilExit: 812 }],
    ['keys', 'false', { keys: false }],
    ['ttl', '30m', { ttl: { all: 1_800_000, tags: {} } }],
    ['ttl', '30m,web=2h', { ttl: { all: 1_800_000, tags: { web: 7_200_000 } } }],
    ['ttl', 'web=30m,db=0', { ttl: { tags: { web: 1_800_000, db: Infinity } } }],
    ['ttl', 'all=90', { ttl: { all: 90_000, tags: {} } }],
    ['alarm', '0', { ttl: { all: Infinity, tags: {} } }],
    ['start', 'manual,web=always', { start: { all: 'manual', tags: { web: 'always' } } }],
    ['on-exit', 'stop', { onExit: 'stop' }],
    ['timeout', '10', { grace: { all: 10_000, tags: {} } }],
    ['stop', 'tree,web=leader', { stop: { all: 'tree', tags: { web: 'leader' } } }],
    ['timeout', '0', { grace: { all: 0, tags: {} } }],
    ['expire-status', '75', { expireStatus: 75 }],
    ['shell', '/bin/bash', { shell: '/bin/bash' }],
    ['quiet', 'web, worker,', { quiet: ['web', 'worker'] }],
    ['color', 'true', { color: 'always' }],
    ['color', 'false', { color: 'never' }],
    ['color', 'auto', { color: 'auto' }],
    ['timestamp', 'no', { timestamp: false }],
    ['timestamp', 'ON', { timestamp: true }],
    ['log-format', 'json', { logFormat: 'json' }],
  ])('reads --%s %s', (name, text, expected) => {
    expect(settle(flags({ [name]: text }))).toEqual(settingsWith(expected));
  });

  test('the first source that has a setting wins, under its name or an alias', () => {
    const environment = fromEnvironment({ PROCLET_PORT: '2', PROCLET_TTL: '2s', PROCLET_SHELL: 'two' });
    const settings = settle(
      flags({ alarm: '1s' }),
      environment,
      file({ port: '3', shell: 'three', 'expire-status': '3' }),
      file({ concurrency: 'all=4', 'expire-status': '4' }, '.foreman'),
    );
    expect(settings).toMatchObject({
      ttl: { all: 1000 },
      port: 2,
      shell: 'two',
      expireStatus: 3,
      formation: { otherwise: 4 },
    });
  });

  test('a default of a file for all is weaker than one asked for this run, one for a tag is not', () => {
    expect(settle(file({ ttl: '30m,web=1h', timeout: '9s', formation: 'all=2' }))).toMatchObject({
      ttl: { otherwise: 1_800_000, tags: { web: 3_600_000 } },
      grace: { otherwise: 9000, tags: {} },
      formation: { otherwise: 2, tags: {} },
    });
  });

  test.each([
    ['ttl', '5x', "--ttl: '5x' is not a duration; write 30m, 1h30m, 90s or 500ms"],
    ['ttl', '30m,web=', "--ttl: '' is not a duration; write 30m, 1h30m, 90s or 500ms"],
    ['ttl', '30m,20m', '--ttl: every service is given twice'],
    ['ttl', 'web=1,web=2', "--ttl: 'web' is given twice"],
    ['ttl', '=5', "--ttl: '=5' has no tag before the =; write 30m or web=30m,worker=2h"],
    ['formation', '2', "--formation: '2' is not tag=number; write all=1,web=2"],
    ['formation', 'web=-1', "--formation: '-1' is not a number of instances; write a number from 0 to 1000"],
    ['formation', 'web=1001', "--formation: '1001' is not a number of instances; write a number from 0 to 1000"],
    ['formation', 'web=1=2', "--formation: '1=2' is not a number of instances; write a number from 0 to 1000"],
    ['port', 'abc', "--port: 'abc' is not a port; write a number from 1 to 65535"],
    ['port', '0', "--port: '0' is not a port; write a number from 1 to 65535"],
    ['port', '65536', "--port: '65536' is not a port; write a number from 1 to 65535"],
    ['port', '1e3', "--port: '1e3' is not a port; write a number from 1 to 65535"],
    ['on-exit', 'die', "--on-exit: 'die' is not one of restart, stop, ignore"],
    ['timeout', 'soon', "--timeout: 'soon' is not a duration; write 30m, 1h30m, 90s or 500ms"],
    ['expire-status', '256', "--expire-status: '256' is not an exit status; write a number from 0 to 255"],
    ['shell', '', '--shell: it is empty'],
    ['color', 'red', "--color: 'red' is not a choice of colour; write true, false or auto"],
    ['timestamp', 'maybe', "--timestamp: 'maybe' is neither on nor off; write true or false"],
    ['log-format', 'xml', "--log-format: 'xml' is not one of text, json"],
  ])('refuses --%s %j', (name, text, problem) => {
    expect(problems(flags({ [name]: text }))).toEqual([problem]);
  });

  test('says where a text came from, and names the setting where the place does not', () => {
    expect(problems(fromEnvironment({ PROCLET_LOG_FORMAT: 'x' }))[0]).toMatch(/^PROCLET_LOG_FORMAT: 'x' is not/);
    expect(problems(file({ shell: 'sh', ttl: '5x' }))[0]).toMatch(/^proclet\.yml:3: ttl: '5x' is not/);
  });

  test('says everything that is wrong at once, but nothing of what a stronger source hides', () => {
    const found = problems(flags({ port: 'x', ttl: '5m' }), file({ ttl: 'y', shell: '' }));
    expect(found).toEqual([expect.stringMatching(/^--port: /), expect.stringMatching(/^proclet\.yml:3: shell: /)]);
  });

  test('names that objects have by nature are tags like any other', () => {
    const { formation } = settle(flags({ formation: '__proto__=2,constructor=3' }));
    expect(Object.entries(formation.tags)).toEqual([
      ['__proto__', 2],
      ['constructor', 3],
    ]);
  });
});

describe('toPlaces', () => {
  test('takes each place from the first source that has it', () => {
    expect(
      toPlaces([flags({ env: 'a, b' }), fromEnvironment({ PROCLET_ROOT: '/x' }), file({ root: '/y', procfile: 'P' })]),
    ).toEqual({ env: ['a', 'b'], root: '/x', procfile: 'P' });
  });

  test('leaves out what nobody gave, or gave empty', () => {
    expect(toPlaces([flags({ root: '' })])).toEqual({});
  });
});

describe('fromEnvironment', () => {
  test('picks the variables of the table, aliases included, and no others', () => {
    const env = { PROCLET_ON_EXIT: 'stop', PROCLET_ALARM: '5m', PROCLET_PORT_WEB: '1', PROCLET_TAG: 'x', PORT: '1' };
    expect(fromEnvironment(env)).toEqual({
      'on-exit': { text: 'stop', origin: 'PROCLET_ON_EXIT' },
      alarm: { text: '5m', origin: 'PROCLET_ALARM' },
    });
  });

  test('passes over empty variables', () => {
    expect(fromEnvironment({ PROCLET_TTL: '', PROCLET_PORT: undefined })).toEqual({});
  });
});

describe('the table of settings', () => {
  test('gives no name, alias or character twice', () => {
    const characters = settings.flatMap(({ char, charAliases = [] }) => [...(char ? [char] : []), ...charAliases]);
    expect(new Set(settingNames).size).toBe(settingNames.length);
    expect(new Set(characters).size).toBe(characters.length);
  });

  test('gives every setting a summary of one short line, and a way to show its value', () => {
    for (const { name, summary, kind, placeholder, options } of settings) {
      expect(summary, name).toMatch(/^[A-Z][^\n]{10,80}[^.]$/);
      expect(placeholder !== undefined || options !== undefined, name).toBe(kind !== 'switch');
    }
  });
});
