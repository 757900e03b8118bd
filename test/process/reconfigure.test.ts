/**
 * What another configuration makes of a run is what a start with it makes: looked at key by key. Each key of a service
 * has a service of its own, and each goes from none to one value, to another, back, and so on, in one run.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { InstanceSpec, Plan } from '../../src/model.js';
import { isPortTaken } from '../../src/network/port-owner.js';
import { buildPlan } from '../../src/plan/build-plan.js';
import { toSettings } from '../../src/plan/settings.js';
import { LifeNumbers } from '../../src/platform/life-numbers.js';
import type { Stage } from '../../src/platform/spawn.js';
import type { WatchOptions } from '../../src/platform/watch.js';
import type { Child, ChildListener } from '../../src/ports.js';
import { serviceSchema } from '../../src/procfile/config-schema.js';
import { parseConfig } from '../../src/procfile/parse-config.js';
import { parseProcfile } from '../../src/procfile/parse-procfile.js';
import { configure } from '../../src/run-part.js';
import { supervise } from '../../src/supervision.js';
import { FakeClock } from '../support/fake-clock.js';
import { claimPorts, releasePorts } from '../support/port-blocks.js';

interface Begun {
  readonly spec: InstanceSpec;
  readonly told: unknown;
  isAlive: boolean;
}

/** What the run that is looked at has begun and watches, told by the fakes. */
const world: { begun: Map<string, Begun>; watched: WatchOptions | undefined; ready(id: string, n: number): void } = {
  begun: new Map(),
  watched: undefined,
  ready() {},
};

vi.mock(import('../../src/platform/ground.js'), async (original) => ({
  ...(await original()),
  openGround: ({ ports, sockets }) => {
    const pathFor = (_: readonly string[], path: string) => path;
    const detachment = { pathFor, isThere: () => true, remake() {}, close() {} };
    let terms: unknown = { ports, sockets };
    const identity = {
      get terms() {
        return terms;
      },
    };
    return {
      ...{ identity: identity as never, socket: '', run: '00000000000', cgroups: undefined, detachment },
      guardian: { born() {}, ended() {} },
      numbers: new LifeNumbers('10000000000', { read: () => new Map() }),
      sweep: () => undefined,
      follow(next) {
        terms = next;
      },
      keep() {},
      close: async () => {},
    };
  },
}));

vi.mock(import('../../src/platform/watch.js'), async (original) => ({
  ...(await original()),
  watchFiles(options) {
    world.watched = options;
    const close = async () => {
      if (world.watched === options) world.watched = undefined;
    };
    return { settled: async () => {}, close };
  },
}));

/** Programs that do what they are told: they are ready at once and end at the first signal. */
vi.mock(import('../../src/platform/spawn.js'), async (original) => ({
  ...(await original()),
  createSpawn(stage: Stage) {
    let pid = 1_000_000;
    return (spec: InstanceSpec, listener: ChildListener, generation: number): Child => {
      pid += 1;
      const { id, user } = spec;
      const owner = user === undefined ? undefined : stage.owners.get(user);
      const hidden = stage.portOf(spec, generation) !== spec.port;
      const sockets = stage.socketsOf(spec).map(({ name }) => name);
      const life: Begun = { spec, told: { hidden, sockets, uid: owner?.uid }, isAlive: true };
      world.begun.set(`${id}#${generation}`, life);
      const end = () => {
        if (!life.isAlive) return false;
        life.isAlive = false;
        setImmediate(() =>
          listener.exited({ exit: { how: 'signal', signal: 'SIGTERM' }, processes: 1, survivors: [] }),
        );
        return true;
      };
      setImmediate(() => world.ready(id, generation));
      return {
        ...{ pid, mark: '', pass: end, signal: end, kill: end, abandon: end, entrust() {} },
        ...{ pids: () => [], tap: () => () => {}, send: () => true, endInput() {} },
      };
    };
  },
}));

const port = claimPorts();
const root = mkdtempSync(join(tmpdir(), 'proclet-'));
const me = userInfo().username;
afterAll(() => {
  releasePorts(port);
  rmSync(root, { recursive: true });
});
afterEach(() => {
  for (const each of ['vars', 'more']) rmSync(join(root, each), { recursive: true, force: true });
});
beforeEach(() => {
  for (const each of ['vars', 'more']) mkdirSync(join(root, each));
});

type Config = Readonly<Record<string, unknown>>;

/** Two values for each key, and what else a service needs to have the key at all. */
const keys: Readonly<Record<string, readonly [unknown, unknown, Config?]>> = {
  ttl: ['10m', '20m'],
  restart: ['always', 'never'],
  'start-attempts': [2, 0],
  'success-exit-status': [143, [3, 130]],
  'stop-signal': ['INT', 'QUIT'],
  grace: ['10ms', '20s'],
  stop: ['tree', 'leader'],
  env: [{ ONE: '1' }, { TWO: '2' }],
  'env-file': ['one.env', ['one.env', 'two.env']],
  directory: ['vars', 'more'],
  umask: ['027', '077'],
  user: [me, me],
  instances: [2, 3],
  port: [port + 150, false],
  detach: [['tmux'], ['screen']],
  tty: [true, false],
  log: ['one.txt', { file: 'two.txt', colors: true }],
  idle: ['10m', '20m'],
  'idle-on': ['output', 'none', { idle: '30m' }],
  start: ['on-access', 'manual'],
  every: ['0 * * * *', '30 3 * * *'],
  listen: [port + 160, [port + 161, './own.sock', { path: 'for-all.sock', mode: '0666' }]],
  'proxy-protocol': [true, false, { listen: port + 162 }],
  ready: [{ tcp: true }, { command: 'true' }],
  after: [['ttl'], ['grace', 'env']],
  watch: ['one', ['two', 'three']],
  'watch-poll': ['1s', '2s', { watch: ['one'] }],
  reload: ['handover', 'shotgun'],
  'reload-signal': ['HUP', 'USR2'],
  'reload-every': ['1h', '2h'],
  'kill-old-delay': ['1s', '2s'],
  'status-file': ['one.status', 'two.status'],
  'env-dir': ['vars', 'more'],
  settle: ['2s', '3s'],
};

type State = 'none' | 'one' | 'two';

function planFor(state: State): Plan {
  const services = Object.fromEntries(
    Object.entries(keys).map(([key, [one, two, others = {}]]) => {
      return [key, state === 'none' ? others : { ...others, [key]: state === 'one' ? one : two }];
    }),
  );
  const taken = <T>(parsed: { ok: true; value: T } | { ok: false; problems: unknown }): T => {
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return parsed.value;
  };
  const text = Object.keys(keys).map((key) => `${key}: exec sleep 600\n`);
  return buildPlan({
    ...{
      root,
      dotenv: {},
      env: { PATH: process.env['PATH'] },
      config: taken(parseConfig(JSON.stringify({ services }, undefined, 1), 'proclet.yml')),
    },
    procfile: taken(parseProcfile(text.join(''), 'Procfile')),
    settings: taken(toSettings([{ port: { text: String(port), origin: '--port' } }], [])),
    envFiles: { 'env-file': state === 'none' ? {} : { FROM: state } },
  });
}

async function run(first: State) {
  world.begun.clear();
  const clock = new FakeClock();
  const gate = { isOpen: true, whenOpen: (go: () => void) => go() };
  const supervised = supervise(planFor(first), clock, {
    name: '',
    command: 'start',
    stdio: 'piped',
    gate,
    lastWords: () => [],
  });
  const { supervisor, parts } = supervised;
  world.ready = (id, generation) => supervisor.ready({ id, generation });
  const notices: string[] = [];
  supervisor.subscribe((event) => void (event.type === 'notice' && notices.push(event.text)));
  const rest = async () => {
    for (let n = 0; n < 12; n += 1) {
      clock.advance(400);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return {
    notices,
    async give(state: State) {
      await configure(parts, planFor(state));
      await rest();
    },
    refuses: (plan: Plan) => configure(parts, plan),
    /** As far as it is not a matter of when things began. */
    seen() {
      const files = ['one.status', 'two.status'].map((name) => textOf(name).replaceAll(/\d+/g, 'N'));
      const services = supervisor.snapshot().services.map(({ instances, lease, usedAgo: _, nextIn, ...service }) => ({
        ...service,
        nextIn: nextIn !== undefined && Math.round(nextIn / 600_000),
        lease: [lease?.ttl, lease?.idle].map((left) => left !== undefined && Math.round(left / 600_000)),
        ports: service.listen.map((at) => ('port' in at ? isPortTaken(at.port) : statSync(at.path).mode)),
        instances: instances.map(({ id, phase, role, port: own }) => ({ id, phase, role, port: own })),
      }));
      const lives = [...world.begun.values()].filter(({ isAlive }) => isAlive);
      const own = (env: InstanceSpec['env']) =>
        Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('PROCLET_PORT_')));
      // How an end is judged is the plan's, and no matter of the life that began before.
      const begun = lives.map(({ spec: { restart, expected: _expected, backoff: _backoff, ...spec }, told }) => {
        // In a handover a life is not started again before it serves.
        const policy = spec.tag === 'reload' ? undefined : restart;
        return { ...spec, told, restart: policy, env: own(spec.env) };
      });
      const { patterns, own: written } = world.watched ?? {};
      return {
        files,
        services: Object.fromEntries(services.map((service) => [service.tag, service])),
        begun: Object.fromEntries(begun.map((life) => [life.id, life])),
        lives: lives.length,
        watched: patterns && { patterns: [...patterns], written },
        terms: (supervised.identity as unknown as { terms: unknown }).terms,
      };
    },
    async end() {
      supervisor.request({ type: 'shutdown', status: 0, patient: false, why: { is: 'signal', signal: 'SIGINT' } });
      await rest();
      await supervised.ended;
      await supervised.close();
    },
  };
}

function textOf(name: string): string {
  try {
    return readFileSync(join(root, name), 'utf8');
  } catch {
    return ''; // ENOENT: as good as empty
  }
}

async function fresh(state: State) {
  const started = await run(state);
  await started.give(state);
  const seen = started.seen();
  await started.end();
  for (const name of ['one.status', 'two.status']) rmSync(join(root, name), { force: true });
  return seen;
}

test('every key of a service is looked at', () => {
  expect(Object.keys(keys).sort()).toEqual(Object.keys(serviceSchema.shape).sort());
});

// Dozens of runs: on a busy machine they take their time.
test('a run that is given another configuration is what a start with that makes, for each key', async () => {
  const expected = { none: await fresh('none'), one: await fresh('one'), two: await fresh('two') };
  expect(expected.one.services['every']).toMatchObject({ nextIn: 6 });
  expect(expected.one.begun['user.1']).toMatchObject({ told: { uid: process.getuid?.() } });
  const changing = await run('none');
  const path: State[] = ['none', 'one', 'two', 'none', 'two', 'one', 'none'];
  for (const state of path) {
    await changing.give(state);
    expect(changing.seen(), `given ${state}`).toEqual(expected[state]);
  }
  expect(changing.notices).toEqual([]);
  await changing.end();
}, 240_000);

describe('a configuration that cannot be carried out changes nothing, and says what a start would say:', () => {
  const plan = (over: Partial<InstanceSpec>): Plan => {
    const whole = planFor('one');
    return {
      ...whole,
      services: whole.services.map((service) => ({
        ...service,
        instances: service.instances.map((spec) => (service.tag === 'env' ? { ...spec, ...over } : spec)),
      })),
    };
  };
  test('an unknown user, and a terminal that cannot be had', async () => {
    const started = await run('none');
    await started.give('none');
    const before = started.seen();
    const unknown = plan({ user: 'no-such-user' });
    await expect(started.refuses(unknown)).rejects.toThrow("there is no user 'no-such-user' on this machine");
    const blind = plan({ tty: true, env: { PATH: '/nowhere' } });
    await expect(started.refuses(blind)).rejects.toThrow(/^env: tty: true needs/);
    expect(started.seen()).toEqual(before);
    await started.end();
  });
});
