import { describe, expect, test } from 'vitest';
import type { InstanceSpec, Plan, ProcletEvent } from '../../../src/model.js';
import { Supervisor } from '../../../src/supervisor/supervisor.js';
import { code, FakeChildren, signal } from '../../support/fake-children.js';
import { FakeClock } from '../../support/fake-clock.js';
import { planOf, type ServiceWish } from '../../support/plans.js';

function run(
  plan: Plan,
  {
    drained = () => Promise.resolve(),
    spawned = () => {},
  }: { drained?: () => Promise<void>; spawned?: (spec: InstanceSpec) => unknown } = {},
) {
  const clock = new FakeClock();
  const children = new FakeChildren({ mayOverlap: true });
  const supervisor = new Supervisor(plan, {
    spawn: (spec, ...others) => {
      spawned(spec);
      return children.spawn(spec, ...others);
    },
    ...{ clock, hear: () => [], drain: drained, listensItself: () => false, next: () => Infinity },
    look: () => ({ last: -Infinity, busy: false, listens: false }),
  });
  const events: ProcletEvent[] = [];
  supervisor.subscribe((event) => events.push(event));
  let status: number | undefined;
  void supervisor.finished.then((value) => {
    status = value;
  });
  supervisor.start();
  clock.advance(1_000);
  const change = (tag = 'web', path = 'lib/app.pm') => supervisor.changed(tag, path, 1);
  /** Lets a promise that is resolved be noticed, and what is due be done. */
  const settle = async () => {
    for (let n = 0; n < 5; n += 1) await Promise.resolve();
    clock.advance(0);
  };
  const typesOf = (...types: string[]) => events.filter(({ type }) => types.includes(type)).map(({ type }) => type);
  return { clock, children, supervisor, events, typesOf, change, settle, status: () => status };
}

describe('a service that writes what it watches when it starts', () => {
  /** A life that ends for a change, and one that writes at once. */
  function round({ change, children, clock }: ReturnType<typeof run>, path = 'data/cache.json'): boolean {
    change('web', path);
    const isReloaded = children.log.at(-1) === 'web.1 SIGTERM';
    if (isReloaded) children.exit('web.1', signal('SIGTERM'));
    clock.advance(50);
    return isReloaded;
  }
  const notices = (events: readonly ProcletEvent[]) =>
    events.flatMap((each) => (each.type === 'notice' ? [each.text] : []));

  test('is told so once, by the file, and restarts ever less often', () => {
    const started = run(planOf({ web: { watch: ['.'] } }));
    const { children, clock, events } = started;
    for (let n = 0; n < 5; n += 1) expect(round(started)).toBe(true);
    expect(round(started)).toBe(false);
    expect(notices(events)).toEqual([
      expect.stringMatching(/^web: data\/cache\.json changed again and again.*'!data\/cache\.json'/),
    ]);
    const waits = [];
    for (let n = 0; n < 4; n += 1) {
      const began = clock.now();
      while (children.log.at(-1) !== 'web.1 SIGTERM') clock.advance(50);
      waits.push(clock.now() - began);
      children.exit('web.1', signal('SIGTERM'));
      expect(round(started)).toBe(false);
    }
    expect(waits.map((wait) => Math.round(wait / 1_000))).toEqual([1, 2, 5, 5]);
    expect(notices(events)).toHaveLength(1);
  });

  test('follows a save of another file at once, and all again when it has been quiet', () => {
    const started = run(planOf({ web: { watch: ['.'] } }));
    for (let n = 0; n < 6; n += 1) round(started);
    expect(round(started, 'lib/app.pm')).toBe(true);
    started.clock.advance(10_000);
    started.children.exit('web.1', signal('SIGTERM'));
    started.clock.advance(10_000);
    for (let n = 0; n < 3; n += 1) {
      expect(round(started)).toBe(true);
      started.clock.advance(1_500);
    }
  });

  test('many saves during one life are no such row', () => {
    const { change, children, events } = run(planOf({ web: { watch: ['.'] } }));
    for (let n = 0; n < 20; n += 1) change();
    children.exit('web.1', signal('SIGTERM'));
    for (let n = 0; n < 20; n += 1) change();
    expect(notices(events)).toEqual([]);
    expect(children.log.at(-1)).toBe('web.1 SIGTERM');
  });
});

describe('a change of a service that restarts', () => {
  test('ends the old life, and begins the next when nothing is left of it', () => {
    const { children, change } = run(planOf({ web: { watch: ['.'] } }));
    change();
    expect(children.log.slice(-1)).toEqual(['web.1 SIGTERM']);
    children.exit('web.1', signal('SIGTERM'));
    expect(children.log.slice(-1)).toEqual(['web.1 spawn']);
  });

  test('during the restart queues exactly one more life', () => {
    const { children, change } = run(planOf({ web: { watch: ['.'] } }));
    change();
    for (let n = 0; n < 5; n += 1) change();
    children.exit('web.1', signal('SIGTERM'));
    expect(children.log.filter((line) => line === 'web.1 spawn')).toHaveLength(2);
    change();
    children.exit('web.1', signal('SIGTERM'));
    expect(children.log.filter((line) => line === 'web.1 spawn')).toHaveLength(3);
  });

  test('whose new code fails waits for the next change, and the run with it', () => {
    const { children, clock, change, events, status } = run(planOf({ web: { watch: ['.'] } }));
    change();
    children.exit('web.1', signal('SIGTERM'));
    children.exit('web.1', code(1));
    expect(events.at(-1)).toMatchObject({ type: 'exited', next: { is: 'failed', awaitsChange: true } });
    clock.advance(3_600_000);
    expect(status()).toBeUndefined();
    expect(children.alive).toEqual([]);
    change();
    expect(children.alive).toEqual(['web.1']);
  });

  test('starts what failed and what ended by itself, not what expired or was never started', () => {
    const watch = ['.'];
    const plan = planOf({ done: { watch }, old: { watch, ttl: 5_000 }, manual: { watch, start: 'manual' } });
    const { children, clock, change } = run(plan);
    children.exit('done.1', code(0));
    clock.advance(5_000);
    children.exit('old.1', signal('SIGTERM'));
    for (const tag of ['done', 'old', 'manual']) change(tag);
    expect(children.alive).toEqual(['done.1']);
  });
});

describe('a handover', () => {
  const plan = planOf({ web: { watch: ['.'], reload: 'handover' } });

  test('starts the new beside the old, which is told to go when the new is up', async () => {
    const { children, clock, change, typesOf, settle } = run(plan);
    change();
    expect(children.alive).toEqual(['web.1', 'web.1+2']);
    clock.advance(1_000);
    expect(typesOf('handed-over')).toHaveLength(1);
    await settle();
    expect(children.log.at(-1)).toBe('web.1 passed SIGTERM');
    children.exit('web.1', signal('SIGTERM'));
    expect(children.alive).toEqual(['web.1+2']);
  });

  test('that fails leaves the old one alone, and the next change tries again', () => {
    const { children, clock, change, events, typesOf } = run(plan);
    change();
    children.exit('web.1+2', code(1));
    expect(events.at(-1)).toMatchObject({ type: 'kept', generation: 1, failed: 2 });
    clock.advance(3_600_000);
    expect(children.alive).toEqual(['web.1']);
    change();
    expect(children.alive).toEqual(['web.1', 'web.1+3']);
    expect(typesOf('handed-over')).toEqual([]);
  });

  test('a change meanwhile begins the new one anew, and the old one serves on', () => {
    const { children, clock, change, typesOf } = run(plan);
    change();
    change();
    expect(children.log.at(-1)).toBe('web.1+2 SIGTERM');
    children.exit('web.1+2', signal('SIGTERM'));
    expect(children.alive).toEqual(['web.1', 'web.1+3']);
    clock.advance(1_000);
    expect(typesOf('handed-over')).toHaveLength(1);
  });

  test('an old one that dies meanwhile is followed by the new one at once, not after a delay', async () => {
    const { children, clock, change, settle, supervisor } = run(plan);
    change();
    children.exit('web.1', code(1));
    clock.advance(1_000);
    await settle();
    expect(children.alive).toEqual(['web.1+2']);
    expect(supervisor.upLives('web')).toEqual([{ id: 'web.1', generation: 2 }]);
    children.exit('web.1+2', code(1));
    clock.advance(1_000);
    expect(children.log.at(-1)).toBe('web.1 spawn');
  });

  test('waits with the signal until nobody uses the old one, and for kill-old-delay', async () => {
    let drain = () => {};
    const drained = () =>
      new Promise<void>((resolve) => {
        drain = resolve;
      });
    const slow = planOf({ web: { watch: ['.'], reload: 'handover', killOldDelay: 2_000, reloadSignal: 'SIGQUIT' } });
    const { children, clock, change, settle } = run(slow, { drained });
    change();
    clock.advance(1_000);
    await settle();
    clock.advance(1_500);
    expect(children.log.at(-1)).toBe('web.1+2 spawn');
    drain();
    await settle();
    expect(children.log.at(-1)).toBe('web.1+2 spawn');
    clock.advance(500);
    expect(children.log.at(-1)).toBe('web.1 passed SIGQUIT');
  });

  test('of a pool goes from one to the next, and stops at the first that fails', async () => {
    const { children, clock, change, settle } = run(planOf({ web: { watch: ['.'], reload: 'handover', count: 3 } }));
    change();
    expect(children.alive).toEqual(['web.1', 'web.2', 'web.3', 'web.1+2']);
    clock.advance(1_000);
    await settle();
    children.exit('web.1', signal('SIGTERM'));
    expect(children.alive).toEqual(['web.2', 'web.3', 'web.1+2', 'web.2+2']);
    children.exit('web.2+2', code(1));
    clock.advance(60_000);
    expect(children.alive).toEqual(['web.2', 'web.3', 'web.1+2']);
  });

  test('is ended by a shutdown with both lives, and begins nothing then', async () => {
    const { children, change, supervisor, settle, status } = run(plan);
    change();
    supervisor.request({ type: 'shutdown', status: 130, patient: false, why: { is: 'signal', signal: 'SIGINT' } });
    expect(children.log.slice(-2)).toEqual(['web.1 SIGTERM', 'web.1+2 SIGTERM']);
    children.exit('web.1', signal('SIGTERM'));
    children.exit('web.1+2', signal('SIGTERM'));
    change();
    await settle();
    expect(children.alive).toEqual([]);
    expect(status()).toBe(130);
  });

  test('comes by itself so often as reload-every says', async () => {
    const { children, clock, settle } = run(planOf({ web: { reload: 'handover', reloadEvery: 60_000 } }));
    for (const generation of [2, 3]) {
      clock.advance(60_000);
      expect(children.log.at(-1)).toBe(`web.1${generation % 2 === 0 ? `+${generation}` : ''} spawn`);
      clock.advance(1_000);
      await settle();
      children.exit(generation % 2 === 0 ? 'web.1' : 'web.1+2', signal('SIGTERM'));
    }
  });
});

describe('shotgun', () => {
  const plan = planOf({ web: { watch: ['.'], reload: 'shotgun' } });

  test('does nothing at a change; the next access waits for the new life', async () => {
    const { children, clock, change, supervisor } = run(plan);
    for (let n = 0; n < 10; n += 1) change();
    expect(children.log).toEqual(['web.1 spawn']);
    let isServed = false;
    const access = supervisor.wake('web').then(() => {
      isServed = true;
    });
    expect(children.alive).toEqual(['web.1', 'web.1+2']);
    await Promise.resolve();
    expect(isServed).toBe(false);
    clock.advance(1_000);
    await access;
    expect(supervisor.upLives('web')).toEqual([{ id: 'web.1', generation: 2 }]);
    await supervisor.wake('web');
    expect(children.log.filter((line) => line.endsWith('spawn'))).toHaveLength(2);
  });

  test('an access that waits when the files change again gets the newest', async () => {
    const { children, clock, change, supervisor } = run(plan);
    change();
    const access = supervisor.wake('web');
    change();
    children.exit('web.1+2', signal('SIGTERM'));
    clock.advance(1_000);
    await access;
    expect(supervisor.upLives('web')).toEqual([{ id: 'web.1', generation: 3 }]);
  });

  test('whose new code fails turns the access away, and the next one tries again', async () => {
    const { children, change, supervisor } = run(plan);
    change();
    const access = supervisor.wake('web');
    children.exit('web.1+2', code(1));
    await expect(access).rejects.toThrow('web.1 exited with code 1');
    void supervisor.wake('web').catch(() => {});
    expect(children.alive).toEqual(['web.1', 'web.1+3']);
  });
});

describe('another plan', () => {
  test('starts what is new, ends what is gone, reloads what changed, and touches nothing else', async () => {
    const before = planOf({ a: {}, b: {}, c: {} });
    const { children, supervisor, events } = run(before);
    const after = planOf({ a: {}, gap: {}, c: { env: { X: '1' } }, d: {} });
    supervisor.reconfigure({ ...after, services: after.services.filter(({ tag }) => tag !== 'gap') });
    expect(events.filter(({ type }) => type === 'reconfigured')).toMatchObject([
      { added: ['d'], removed: ['b'], changed: ['c'] },
    ]);
    expect(children.log.slice(3).sort()).toEqual(['b.1 SIGTERM', 'c.1 SIGTERM', 'd.1 spawn']);
    children.exit('b.1', signal('SIGTERM'));
    children.exit('c.1', signal('SIGTERM'));
    expect(children.alive.sort()).toEqual(['a.1', 'c.1', 'd.1']);
  });

  test('with more or fewer instances starts or ends just those', () => {
    const { children, supervisor } = run(planOf({ web: { count: 2 } }));
    supervisor.reconfigure(planOf({ web: { count: 3 } }));
    expect(children.log.slice(2)).toEqual(['web.3 spawn']);
    supervisor.reconfigure(planOf({ web: { count: 1 } }));
    expect(children.log.slice(3)).toEqual(['web.2 SIGTERM', 'web.3 SIGTERM']);
    children.exit('web.2', signal('SIGTERM'));
    children.exit('web.3', signal('SIGTERM'));
    expect(children.alive).toEqual(['web.1']);
  });

  test('that is the same, and the ports of siblings, change nothing', () => {
    const { children, supervisor } = run(planOf({ web: { env: { PROCLET_PORT_DB: '1' } } }));
    supervisor.reconfigure(planOf({ web: { env: { PROCLET_PORT_DB: '2' } } }));
    expect(children.log).toEqual(['web.1 spawn']);
  });

  test('gives what runs its new lease', () => {
    const { children, clock, supervisor } = run(planOf({ web: {} }));
    supervisor.reconfigure(planOf({ web: { ttl: 5_000 } }));
    clock.advance(5_000);
    expect(children.log.at(-1)).toBe('web.1 SIGTERM');
  });
});

describe('a reload that somebody asks for', () => {
  const plan = planOf({
    web: { reload: 'handover', count: 2 },
    shot: { reload: 'shotgun' },
    old: { reload: 'handover', overlaps: false },
    job: {},
  });
  const asked = (one: ReturnType<typeof run>, ...targets: string[]) =>
    one.supervisor.request({ type: 'reload', targets });

  test('hands over, begins at once where it would wait for an access, and restarts the others', () => {
    const one = run(plan);
    expect(asked(one)).toEqual(['web.1', 'web.2', 'shot.1', 'old.1', 'job.1']);
    const begun = ['web.1+2', 'shot.1+2'];
    expect(one.children.alive.filter((life) => life.includes('+'))).toEqual(begun);
    expect(one.children.log.slice(-2)).toEqual(['old.1 SIGTERM', 'job.1 SIGTERM']);
  });

  test('of one slot leaves the others alone', () => {
    const one = run(plan);
    expect(asked(one, 'web.2')).toEqual(['web.2']);
    one.clock.advance(1_000);
    expect(one.events.flatMap((event) => (event.type === 'handed-over' ? [event.id] : []))).toEqual(['web.2']);
  });

  test('is not waited for by the next access: nothing is stale any more', () => {
    const one = run(plan);
    one.change('shot');
    asked(one, 'shot');
    one.clock.advance(1_000);
    void one.supervisor.wake('shot');
    expect(one.children.log.filter((line) => line.startsWith('shot.1') && line.endsWith('spawn'))).toHaveLength(2);
  });

  test('does not start what is down, nor undo what a person is stopping', () => {
    const one = run(plan);
    one.supervisor.request({ type: 'stop', targets: ['job'] });
    expect(asked(one, 'job')).toEqual(['job.1']);
    one.children.exit('job.1', signal('SIGTERM'));
    expect(() => asked(one, 'job')).toThrow('job is down');
    expect(asked(one, 'job', 'old')).toEqual(['old.1']);
    expect(one.children.log.filter((line) => line === 'job.1 spawn')).toHaveLength(1);
  });
});

test('another judgement of ends restarts nothing, and holds for the end of the life that runs', async () => {
  const { supervisor, children, events } = run(planOf({ web: {} }));
  supervisor.reconfigure(planOf({ web: { expected: [3] } }));
  expect(children.log).toEqual(['web.1 spawn']);
  expect(events.filter(({ type }) => type === 'reconfigured')).toMatchObject([{ changed: ['web'] }]);
  children.exit('web.1', code(3));
  expect(events.filter(({ type }) => type === 'exited')).toMatchObject([{ expected: true, next: { is: 'done' } }]);
});

describe('a plan that comes during a handover', () => {
  const handing = (over: Partial<ServiceWish> = {}) => planOf({ web: { reload: 'handover', ...over } });

  test('and asks for a restart ends what comes, and the next life begins after the old one', () => {
    const { children, supervisor, change, typesOf } = run(handing());
    change();
    expect(children.alive).toEqual(['web.1', 'web.1+2']);
    supervisor.reconfigure(planOf({ web: { reload: 'restart', env: { NEW: '1' } } }));
    expect(children.log.slice(2)).toEqual(['web.1+2 SIGTERM', 'web.1 SIGTERM']);
    children.exit('web.1+2', signal('SIGTERM'));
    children.exit('web.1', signal('SIGTERM'));
    expect(children.alive).toEqual(['web.1']);
    expect(typesOf('kept', 'handed-over')).toEqual([]);
  });

  test('has what comes begin once more, as it says', () => {
    const spawned: unknown[] = [];
    const { children, supervisor, change } = run(handing(), { spawned: (spec) => spawned.push(spec.env) });
    change();
    supervisor.reconfigure(handing({ env: { NEW: '1' } }));
    children.exit('web.1+2', signal('SIGTERM'));
    expect(spawned).toEqual([{}, {}, { NEW: '1' }]);
  });

  test('and asks for a restart does not take what comes for the next life of one that dies meanwhile', () => {
    const { children, supervisor, change, clock } = run(handing());
    change();
    supervisor.reconfigure(planOf({ web: { reload: 'restart', env: { NEW: '1' } } }));
    children.exit('web.1', signal('SIGTERM'));
    children.exit('web.1+2', signal('SIGTERM'));
    clock.advance(1_000);
    expect(children.alive).toHaveLength(1);
  });
});
