import { describe, expect, test } from 'vitest';
import { ProcletError } from '../../../src/errors.js';
import type { Config, InstanceSpec, Plan, Procfile, ServiceConfig } from '../../../src/model.js';
import { buildPlan, buildRunPlan, type PlanInput } from '../../../src/plan/build-plan.js';
import { settingsWith } from '../../support/settings.js';

function procfile(...tags: string[]): Procfile {
  return { path: 'Procfile', entries: tags.map((tag, index) => ({ tag, command: `run ${tag}`, line: index + 1 })) };
}

function config(services: Record<string, ServiceConfig>): Config {
  const places = Object.fromEntries(Object.keys(services).map((tag, n) => [tag, { line: 10 + n, column: 3 }]));
  return { path: 'proclet.yml', defaults: {}, services, places };
}

function input(over: Partial<PlanInput> = {}): PlanInput {
  return {
    procfile: procfile('web', 'worker'),
    settings: settingsWith(),
    root: '/project',
    env: {},
    dotenv: {},
    envFiles: {},
    ...over,
  };
}

const ids = (plan: Plan) => plan.services.flatMap(({ instances }) => instances.map(({ id }) => id));

function instance(plan: Plan, id: string): InstanceSpec {
  const found = plan.services.flatMap(({ instances }) => instances).find((each) => each.id === id);
  if (found === undefined) throw new Error(`${id} is not in the plan, which has ${ids(plan).join(', ')}`);
  return found;
}

function problemsOf(make: () => unknown): string[] {
  try {
    make();
  } catch (error) {
    if (error instanceof ProcletError && error.code === 'CONFIG') return error.message.split('\n');
    throw error;
  }
  throw new Error('it made a plan');
}

describe('buildPlan', () => {
  test('decides everything about a plain Procfile', () => {
    expect(buildPlan(input({ procfile: procfile('web'), env: { HOME: '/home/me' } }))).toEqual({
      root: '/project',
      procfile: 'Procfile',
      onExit: 'restart',
      expireStatus: 0,
      services: [
        {
          tag: 'web',
          command: 'run web',
          position: 0,
          ttl: Infinity,
          idle: Infinity,
          idleOn: 'access',
          start: 'always',
          after: [],
          watch: [],
          reload: 'restart',
          overlaps: true,
          reloadEvery: Infinity,
          killOldDelay: 0,
          fronts: [],
          instances: [
            {
              id: 'web.1',
              tag: 'web',
              argv: ['sh', '-c', 'exec run web'],
              env: {
                HOME: '/home/me',
                PORT: '5000',
                PS: 'web.1',
                PROCLET_TAG: 'web',
                PROCLET_INSTANCE: '1',
                PROCLET_PORT_WEB: '5000',
              },
              port: 5000,
              isToListen: true,
              tty: false,
              directory: '/project',
              detach: [],
              restart: 'on-failure',
              backoff: { first: 1000, max: 30_000, forgiveAfter: 30_000, giveUpAfter: 5 },
              settle: 1000,
              stopSignal: 'SIGTERM',
              reloadSignal: 'SIGTERM',
              stop: 'leader',
              grace: 5000,
            },
          ],
        },
      ],
    });
  });

  test('copies what proclet.yml says about a service', () => {
    const services = {
      web: {
        ttl: 1_800_000,
        restart: 'always',
        'stop-signal': 'SIGQUIT',
        grace: 9000,
        directory: 'script',
        umask: '022',
        user: 'www',
        instances: 2,
        port: 9022,
      },
      worker: { directory: '/srv' },
    } as const;
    const plan = buildPlan(input({ config: config(services), settings: settingsWith({ shell: 'bash' }) }));
    expect(plan.services.map(({ ttl }) => ttl)).toEqual([1_800_000, Infinity]);
    expect(ids(plan)).toEqual(['web.1', 'web.2', 'worker.1']);
    expect(instance(plan, 'web.2')).toMatchObject({
      argv: ['bash', '-c', 'exec run web'],
      port: 9023,
      directory: '/project/script',
      umask: '022',
      user: 'www',
      restart: 'always',
      stopSignal: 'SIGQUIT',
      grace: 9000,
    });
    expect(instance(plan, 'worker.1').directory).toBe('/srv');
    expect(instance(plan, 'worker.1')).not.toHaveProperty('umask');
  });

  test('is frozen to its depth', () => {
    const plan = buildPlan(input());
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(plan)).toBe(true);
  });

  test('leaves its input as it was', () => {
    const given = input({ config: config({ web: { env: { A: '1' } } }), settings: settingsWith({ tags: ['web'] }) });
    buildPlan(given);
    expect(Object.isFrozen(given.settings) || Object.isFrozen(given.procfile.entries)).toBe(false);
  });

  test.each<[string, Parameters<typeof settingsWith>[0], string[]]>([
    ['every service by default', {}, ['web.1', 'worker.1', 'worker.2']],
    ['those asked for, in the order of the Procfile', { tags: ['worker', 'web'] }, ['web.1', 'worker.1', 'worker.2']],
    ['one asked for twice once', { tags: ['web', 'web'] }, ['web.1']],
    ['as many as the formation says', { formation: { tags: { worker: 1, web: 2 } } }, ['web.1', 'web.2', 'worker.1']],
    ['none of what the formation leaves out', { formation: { tags: { worker: 0 } } }, ['web.1']],
    ['all= for the others', { formation: { all: 0, tags: { web: 1 } } }, ['web.1']],
    [
      'instances before a default of a file',
      { formation: { otherwise: 1, tags: {} } },
      ['web.1', 'worker.1', 'worker.2'],
    ],
  ])('runs %s', (_, settings, expected) => {
    const services = config({ worker: { instances: 2 } });
    expect(ids(buildPlan(input({ config: services, settings: settingsWith(settings) })))).toEqual(expected);
  });

  test('a service that does not run moves no port and is in nobody’s environment', () => {
    const plan = buildPlan(input({ settings: settingsWith({ tags: ['worker'] }) }));
    expect(instance(plan, 'worker.1')).toMatchObject({ port: 5100, env: { PROCLET_PORT_WORKER: '5100' } });
    expect(instance(plan, 'worker.1').env).not.toHaveProperty('PROCLET_PORT_WEB');
    expect(plan.services[0]?.position).toBe(1);
  });

  test.each([
    ['--ttl web=1h', { all: 2, tags: { web: 1 } }, 3, 1],
    ['--ttl 30m', { all: 2, tags: {} }, 3, 2],
    ['the service’s ttl', { otherwise: 4, tags: {} }, 3, 3],
    ['a default of a file', { otherwise: 4, tags: {} }, undefined, 4],
    ['--ttl 0, for ever', { all: Infinity, tags: {} }, 3, Infinity],
    ['for ever', { tags: {} }, undefined, Infinity],
  ])('the longest life is %s, when what is stronger is absent', (_, ttl, own, expected) => {
    const services = own === undefined ? {} : { web: { ttl: own } };
    const plan = buildPlan(input({ config: config(services), settings: settingsWith({ ttl }) }));
    expect(plan.services[0]?.ttl).toBe(expected);
  });

  test.each([
    ['leader', {}, { tags: {} }],
    ['leader', { 'stop-signal': 'SIGQUIT' }, { tags: {} }],
    ['tree', { 'stop-signal': 'SIGINT' }, { tags: {} }],
    ['leader', { 'stop-signal': 'SIGINT', stop: 'leader' }, { tags: {} }],
    ['tree', { stop: 'tree' }, { tags: {} }],
    ['leader', { stop: 'tree' }, { tags: { web: 'leader' } }],
    ['tree', {}, { otherwise: 'tree', tags: {} }],
  ] as const)(
    'the stop signal goes to the %s first, where a service says %j and the flags %j',
    (expected, own, stop) => {
      const plan = buildPlan(input({ config: config({ web: own }), settings: settingsWith({ stop }) }));
      expect(plan.services[0]?.instances[0]?.stop).toBe(expected);
    },
  );

  test.each([
    ['--timeout', { all: 1, tags: {} }, 2, 1],
    ['--timeout 0, at once', { all: 0, tags: {} }, 2, 0],
    ['the service’s grace', { otherwise: 3, tags: {} }, 2, 2],
    ['a default of a file', { otherwise: 3, tags: {} }, undefined, 3],
    ['5 seconds', { tags: {} }, undefined, 5000],
  ])('the grace is %s, when what is stronger is absent', (_, grace, own, expected) => {
    const services = own === undefined ? {} : { web: { grace: own } };
    const plan = buildPlan(input({ config: config(services), settings: settingsWith({ grace }) }));
    expect(instance(plan, 'web.1').grace).toBe(expected);
  });

  test.each([
    ['restart', 'always'],
    ['stop', 'never'],
    ['ignore', 'never'],
  ] as const)('under --on-exit %s a service that is always restarted is: %s', (onExit, restart) => {
    const services = config({ web: { restart: 'always' } });
    const plan = buildPlan(input({ config: services, settings: settingsWith({ onExit }) }));
    expect(plan.onExit).toBe(onExit);
    expect(instance(plan, 'web.1').restart).toBe(restart);
  });
});

describe('the environment of an instance', () => {
  test('is layered: parent, env files, the service’s env file, the service’s env, proclet', () => {
    const names = ['A', 'B', 'C', 'D', 'PS'];
    const layer = (value: string, from: number) => Object.fromEntries(names.slice(from).map((name) => [name, value]));
    const plan = buildPlan(
      input({
        env: { A: 'parent', GONE: undefined },
        dotenv: layer('dotenv', 0),
        envFiles: { web: layer('env-file', 2) },
        config: config({ web: { env: layer('env', 3) } }),
      }),
    );
    expect(instance(plan, 'web.1').env).toMatchObject({
      A: 'parent',
      B: 'dotenv',
      C: 'env-file',
      D: 'env',
      PS: 'web.1',
    });
    expect(instance(plan, 'worker.1').env).toMatchObject({ A: 'parent', C: 'dotenv', D: 'dotenv', PS: 'worker.1' });
    expect(instance(plan, 'web.1').env).not.toHaveProperty('GONE');
  });

  test('an empty variable of the parent is one, and is not overridden', () => {
    expect(instance(buildPlan(input({ env: { A: '' }, dotenv: { A: 'x' } })), 'web.1').env['A']).toBe('');
  });

  test('takes PORT and PROCFILE of the env files over the parent’s', () => {
    const plan = buildPlan(input({ env: { PORT: '1', PROCFILE: 'p' }, dotenv: { PORT: '3000', PROCFILE: 'q' } }));
    expect(instance(plan, 'web.1').env).toMatchObject({ PORT: '3000', PROCFILE: 'q' });
    expect(instance(plan, 'worker.1').port).toBe(3100);
  });

  test('gives each instance its own name, number and port, and everyone the first ports', () => {
    const settings = settingsWith({ formation: { tags: { web: 2 } }, port: 7000 });
    const plan = buildPlan(input({ settings, env: { PORT: '1' }, dotenv: { PORT: '2' } }));
    expect(instance(plan, 'web.2').env).toEqual({
      PORT: '7001',
      PS: 'web.2',
      PROCLET_TAG: 'web',
      PROCLET_INSTANCE: '2',
      PROCLET_PORT_WEB: '7000',
      PROCLET_PORT_WORKER: '7100',
    });
  });

  test('names ports in capitals with underscores, the first of two of the same name', () => {
    const plan = buildPlan(input({ procfile: procfile('web-api', 'web_api', 'Web-API') }));
    expect(instance(plan, 'Web-API.1').env).toMatchObject({ PORT: '5200', PROCLET_PORT_WEB_API: '5000' });
  });

  test('does not mind names that objects have by nature', () => {
    const plan = buildPlan(input({ procfile: procfile('constructor', '__proto__') }));
    expect(ids(plan)).toEqual(['constructor.1', '__proto__.1']);
    expect(instance(plan, '__proto__.1').env).toMatchObject({ PROCLET_PORT___PROTO__: '5100' });
  });
});

test('a command that shows readiness is run by the shell, and is a matter of the plan', () => {
  const ready = { kind: 'command', command: 'pg_isready -q', timeout: 1 } as const;
  const plan = buildPlan(input({ config: config({ web: { ready } }), settings: settingsWith({ shell: 'bash' }) }));
  expect(instance(plan, 'web.1')).toMatchObject({ ready, readyProgram: ['bash', '-c', 'exec pg_isready -q'] });
  expect(plan.services[0]?.fronts).toEqual([]);
});

describe('port: false', () => {
  const services = { web: { port: false, env: { AT: '${PROCLET_PORT_WORKER}' } } } as const;

  test('gives none to any instance, tells nobody of one, and moves nobody else', () => {
    const settings = settingsWith({ formation: { all: 2, tags: {} }, idle: { all: 60_000, tags: {} } });
    const plan = buildPlan(input({ config: config(services), settings, env: { PORT: '1' }, dotenv: { PORT: '7000' } }));
    expect(plan.services[0]).toMatchObject({ fronts: [], instances: [{ port: 0 }, { port: 0 }] });
    for (const id of ['web.1', 'web.2']) {
      expect(instance(plan, id).env).toMatchObject({ AT: '7100', PROCLET_PORT_WORKER: '7100' });
      expect(instance(plan, id).env).not.toHaveProperty('PORT');
    }
    expect(instance(plan, 'worker.1')).toMatchObject({ port: 7100, env: { PORT: '7100' } });
    expect(instance(plan, 'worker.1').env).not.toHaveProperty('PROCLET_PORT_WEB');
  });

  test('leaves a PORT that the service itself sets', () => {
    const own = config({ web: { port: false, env: { PORT: '9' } } });
    expect(instance(buildPlan(input({ config: own })), 'web.1').env).toMatchObject({ PORT: '9' });
  });

  test('lets a service inherit sockets, and hand over', () => {
    const listen = [{ host: '127.0.0.1', port: 8080 }];
    const [web] = buildPlan(input({ config: config({ web: { port: false, listen, reload: 'handover' } }) })).services;
    expect(web).toMatchObject({ overlaps: true, fronts: [{ inherited: true, hidesPort: false }] });
    const [worker] = buildPlan(input({ config: config({ web: { port: false, reload: 'handover' } }) })).services;
    expect(worker).toMatchObject({ overlaps: true, fronts: [] });
    expect(worker?.instances[0]).not.toHaveProperty('ready');
  });

  test.each<[string, ServiceConfig, string]>([
    ['an access', { start: 'on-access' }, 'start: on-access'],
    ['a shotgun', { reload: 'shotgun' }, 'reload: shotgun'],
    ['a PROXY header', { 'proxy-protocol': true }, 'proxy-protocol: true'],
    ['a connection', { ready: { kind: 'tcp', timeout: 1 } }, 'ready: {tcp: …}'],
    ['a request', { ready: { kind: 'http', path: '/', timeout: 1 } }, 'ready: {http: …}'],
  ])('is refused where %s is wanted', (_, own, want) => {
    const wanted = input({ config: config({ web: { ...own, port: false } }) });
    const problem = `proclet.yml:10:3: services.web: ${want} needs a port, and port: false gives it none (leave one of them out)`;
    expect(problemsOf(() => buildPlan(wanted))).toEqual([problem]);
  });

  test('is refused where the command line wants an access', () => {
    const settings = settingsWith({ start: { tags: { web: 'on-access' } } });
    expect(problemsOf(() => buildPlan(input({ config: config({ web: { port: false } }), settings })))).toHaveLength(1);
  });

  test.each([
    ['web', 'PORT'],
    ['worker', 'PROCLET_PORT_WEB'],
  ])('makes a reference to it a mistake: of %s to %s', (tag, name) => {
    const own = config({
      web: { port: false },
      worker: {},
      [tag]: { port: tag === 'web' ? false : 1, env: { X: `\${${name}}` } },
    });
    const [problem] = problemsOf(() => buildPlan(input({ config: own, env: { PORT: '5000' } })));
    expect(problem).toContain(`services.${tag}.env.X: \${${name}} is not set`);
  });
});

describe('buildPlan refuses', () => {
  test.each<[string, Partial<PlanInput>, string]>([
    ['a tag that is not there', { settings: settingsWith({ tags: ['wbe'] }) }, "there is no service 'wbe'"],
    [
      'a formation of it',
      { settings: settingsWith({ formation: { tags: { wbe: 1 } } }) },
      "formation: there is no service 'wbe'",
    ],
    ['a ttl of it', { settings: settingsWith({ ttl: { tags: { wbe: 1 } } }) }, "ttl: there is no service 'wbe'"],
    ['silence of it', { settings: settingsWith({ quiet: ['wbe'] }) }, "quiet: there is no service 'wbe'"],
  ])('%s', (_, over, message) => {
    expect(problemsOf(() => buildPlan(input(over)))).toEqual([`Procfile: ${message} (it has web, worker)`]);
  });

  test('a service of proclet.yml that is not in the Procfile, with its line', () => {
    const services = config({ web: {}, wbe: {} });
    expect(problemsOf(() => buildPlan(input({ config: services })))).toEqual([
      'proclet.yml:11:3: services.wbe is not a service of Procfile (it has web, worker)',
    ]);
  });

  test('a run of nothing', () => {
    const settings = settingsWith({ formation: { all: 0, tags: {} } });
    expect(problemsOf(() => buildPlan(input({ settings })))).toEqual([
      'Procfile: nothing is left to run: every service has 0 instances',
    ]);
  });

  test('a PORT that is none, unless --port says otherwise', () => {
    expect(problemsOf(() => buildPlan(input({ env: { PORT: 'tcp://1' } })))).toEqual([
      "the environment: PORT: 'tcp://1' is not a port; write a number from 1 to 65535 (--port wins over it)",
    ]);
    expect(buildPlan(input({ env: { PORT: 'tcp://1' }, settings: settingsWith({ port: 3000 }) }))).toBeDefined();
  });

  test('everything that is wrong, at once', () => {
    const settings = settingsWith({ tags: ['x', 'web', 'worker'], quiet: ['y'] });
    const services = config({ z: {}, web: { port: 7000 }, worker: { port: 7000 } });
    const found = problemsOf(() => buildPlan(input({ settings, config: services })));
    expect(found).toEqual([
      expect.stringContaining("'x'"),
      expect.stringContaining("quiet: there is no service 'y'"),
      expect.stringContaining('services.z'),
      expect.stringMatching(/^Procfile:2: web\.1 and worker\.1 would both get port 7000/),
    ]);
  });
});

describe('buildRunPlan', () => {
  test('runs one instance of a service as start would, but never again', () => {
    const settings = settingsWith({ formation: { all: 3, tags: {} }, ttl: { all: 60_000, tags: {} } });
    const services = config({ worker: { restart: 'always', instances: 2, env: { A: '1' }, grace: 7 } });
    const plan = buildRunPlan(input({ settings, config: services }), { is: 'service', tag: 'worker' });
    expect(ids(plan)).toEqual(['worker.1']);
    expect(plan.services[0]).toMatchObject({ tag: 'worker', position: 1, ttl: 60_000 });
    expect(instance(plan, 'worker.1')).toMatchObject({
      argv: ['sh', '-c', 'exec run worker'],
      port: 5100,
      restart: 'never',
      grace: 7,
      env: { A: '1', PORT: '5100', PS: 'worker.1' },
    });
  });

  test('runs a service that the formation leaves out', () => {
    const settings = settingsWith({ formation: { tags: { web: 0 } } });
    expect(ids(buildRunPlan(input({ settings }), { is: 'service', tag: 'web' }))).toEqual(['web.1']);
  });

  test('refuses a service that is not there', () => {
    expect(problemsOf(() => buildRunPlan(input(), { is: 'service', tag: 'wbe' }))).toEqual([
      "Procfile: there is no service 'wbe' (it has web, worker)",
    ]);
  });

  test('runs a command as it is, without a shell, in the project’s environment', () => {
    const services = config({ web: { env: { A: '1' } } });
    const settings = settingsWith({ ttl: { all: 5000, tags: {} } });
    const plan = buildRunPlan(input({ config: services, settings, dotenv: { B: '2', PORT: '3000' } }), {
      is: 'command',
      argv: ['node', '-e', 'console.log("a b")'],
    });
    expect(ids(plan)).toEqual(['run.1']);
    expect(plan.services[0]).toMatchObject({ tag: 'run', command: 'node -e console.log("a b")', ttl: 5000 });
    expect(instance(plan, 'run.1')).toMatchObject({
      argv: ['node', '-e', 'console.log("a b")'],
      port: 3000,
      directory: '/project',
      restart: 'never',
      env: { B: '2', PORT: '3000', PS: 'run.1', PROCLET_TAG: 'run' },
    });
    expect(instance(plan, 'run.1').env).not.toHaveProperty('A');
  });

  test('runs a command where there is no Procfile', () => {
    const nothing = { path: 'Procfile', entries: [] };
    expect(ids(buildRunPlan(input({ procfile: nothing }), { is: 'command', argv: ['true'] }))).toEqual(['run.1']);
  });
});

describe('start: on the command line', () => {
  const starts = (over: Partial<PlanInput>) => buildPlan(input(over)).services.map(({ start }) => start);
  const start = { all: 'manual', tags: { worker: 'always' } } as const;

  test('is stronger than proclet.yml, and a service named there is started all the same', () => {
    const file = config({ web: { start: 'on-access' }, worker: { start: 'manual' } });
    expect(starts({ config: file })).toEqual(['on-access', 'manual']);
    expect(starts({ config: file, settings: settingsWith({ start }) })).toEqual(['manual', 'always']);
    expect(starts({ config: file, settings: settingsWith({ start, tags: ['web'] }) })).toEqual(['always']);
  });

  test('on-access gives a service its front', () => {
    const settings = settingsWith({ start: { tags: { web: 'on-access' } } });
    expect(buildPlan(input({ settings })).services[0]?.fronts).toMatchObject([{ eager: true, hidesPort: true }]);
  });

  test('of a service that runs on a schedule, or that is not there, is a problem', () => {
    const settings = settingsWith({ start: { tags: { web: 'on-access', wbe: 'manual' } } });
    expect(problemsOf(() => buildPlan(input({ settings, config: config({ web: { every: '* * * * *' } }) })))).toEqual([
      "Procfile: start: there is no service 'wbe' (it has web, worker)",
      'proclet.yml:10:3: services.web cannot both run on a schedule and start on access',
    ]);
  });
});
