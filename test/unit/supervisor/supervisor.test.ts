import { describe, expect, test } from 'vitest';
import type { ProcletEvent } from '../../../src/model.js';
import { code, signal } from '../../support/fake-children.js';
import { planOf } from '../../support/plans.js';
import { supervised as run } from '../../support/supervised.js';

const shutdown = { type: 'shutdown', status: 130, patient: false, why: { is: 'signal', signal: 'SIGINT' } } as const;

function told<T extends ProcletEvent['type']>(events: readonly ProcletEvent[], type: T) {
  return events.filter((event): event is Extract<ProcletEvent, { type: T }> => event.type === type);
}

describe('the run', () => {
  test('starts every instance of every service', () => {
    const { children } = run(planOf({ web: { count: 2 }, worker: {} }));
    expect(children.alive).toEqual(['web.1', 'web.2', 'worker.1']);
  });

  test('ends with 0 when every service is done, and leaves no timer', async () => {
    const { children, status, clock } = run(planOf({ web: {}, worker: {} }));
    children.exit('web.1', code(0));
    expect(await status()).toBeUndefined();
    children.exit('worker.1', code(0));
    expect(await status()).toBe(0);
    expect(clock.waiting).toBe(0);
  });

  test('goes on while a crashed service waits for its next life', async () => {
    const { children, status, clock } = run(planOf({ web: {} }));
    children.exit('web.1', code(1));
    expect(await status()).toBeUndefined();
    clock.advance(1_000);
    expect(children.alive).toEqual(['web.1']);
  });

  test('ends with the status of the first service that failed for good', async () => {
    const { children, status } = run(planOf({ web: { restart: 'never' }, worker: { restart: 'never' } }));
    children.exit('web.1', signal('SIGSEGV'));
    children.exit('worker.1', code(3));
    expect(await status()).toBe(139);
  });

  test('keeps a healthy service running beside one that failed', async () => {
    const { children, status, clock } = run(planOf({ bad: { settle: 1e9 }, good: {} }));
    for (let life = 0; life < 3; life += 1) {
      children.exit('bad.1', code(2));
      clock.advance(60_000);
    }
    expect(children.alive).toEqual(['good.1']);
    expect(await status()).toBeUndefined();
    children.exit('good.1', code(0));
    expect(await status()).toBe(2);
  });

  test('of no instance at all ends at once', async () => {
    expect(await run(planOf({ web: { count: 0 } })).status()).toBe(0);
  });
});

describe('a shutdown', () => {
  test('ends everything and then the run, with its own status', async () => {
    const { children, supervisor, status } = run(planOf({ web: {}, worker: {} }));
    supervisor.request(shutdown);
    expect(children.log.slice(2)).toEqual(['web.1 SIGTERM', 'worker.1 SIGTERM']);
    children.exit('web.1', signal('SIGTERM'));
    expect(await status()).toBeUndefined();
    children.exit('worker.1', code(0));
    expect(await status()).toBe(130);
  });

  test('says once who asked and whom it ends; who asks again is in a hurry and not the reason', () => {
    const { supervisor, events, clock, children } = run(planOf({ web: { count: 2 }, worker: {}, done: {} }));
    children.exit('done.1', code(0));
    supervisor.request({ type: 'stop', targets: ['worker'], why: { is: 'key', key: 'r' } });
    supervisor.request(shutdown);
    clock.advance(300);
    supervisor.request({ ...shutdown, why: { is: 'hangup' }, unasked: true });
    expect(told(events, 'ending')).toMatchObject([{ why: shutdown.why, ids: ['web.1', 'web.2', 'worker.1'] }]);
    expect(told(events, 'stopping').map(({ id, cause }) => [id, cause])).toEqual([
      ['worker.1', { reason: 'requested', why: { is: 'key', key: 'r' } }],
      ['web.1', { reason: 'shutdown', why: shutdown.why }],
      ['web.2', { reason: 'shutdown', why: shutdown.why }],
    ]);
  });

  test('because one ended under --on-exit stop names it', () => {
    const { children, events } = run(planOf({ web: {}, job: {} }, { onExit: 'stop' }));
    children.exit('job.1', code(0));
    expect(told(events, 'ending')).toMatchObject([{ why: { is: 'on-exit', id: 'job.1' }, ids: ['web.1'] }]);
  });

  test('of one service takes along what only that needed, which says so', () => {
    const { supervisor, children, events, clock } = run(
      planOf({ db: { start: 'manual' }, web: { after: ['db'] }, x: {} }),
    );
    clock.advance(1_000);
    supervisor.request({ type: 'expire', targets: ['web'], why: { is: 'control', verb: 'expire', from: 'command' } });
    supervisor.request({ type: 'stop', targets: ['web'] });
    children.exit('web.1', code(0));
    expect(told(events, 'stopping').map(({ id, cause }) => [id, cause.why])).toEqual([
      ['web.1', { is: 'control', verb: 'expire', from: 'command' }],
      ['db.1', { is: 'unneeded', tag: 'web' }],
    ]);
  });

  test('asked for twice kills now', () => {
    const { children, supervisor, clock } = run(planOf({ web: { grace: 60_000 } }));
    supervisor.request(shutdown);
    clock.advance(300);
    supervisor.request(shutdown);
    expect(children.log).toEqual(['web.1 spawn', 'web.1 SIGTERM', 'web.1 kill']);
  });

  test('that comes twice in one gesture is one, also when the second is another signal', () => {
    const { children, supervisor, clock } = run(planOf({ web: { grace: 60_000 } }));
    supervisor.request(shutdown);
    clock.advance(299);
    supervisor.request({ ...shutdown, status: 143 });
    expect(children.log).toEqual(['web.1 spawn', 'web.1 SIGTERM']);
    clock.advance(1);
    supervisor.request(shutdown);
    expect(children.log.at(-1)).toBe('web.1 kill');
  });

  test('that nobody asked for is never the second one, and does not make a first of the next', async () => {
    const { children, supervisor, clock, status } = run(planOf({ web: { grace: 60_000 } }));
    const unasked = { ...shutdown, status: 129, unasked: true };
    supervisor.request(unasked);
    clock.advance(1_000);
    supervisor.request(unasked);
    supervisor.request(shutdown);
    clock.advance(1_000);
    supervisor.request(unasked);
    expect(children.log).toEqual(['web.1 spawn', 'web.1 SIGTERM']);
    supervisor.request(shutdown);
    expect(children.log.at(-1)).toBe('web.1 kill');
    children.exit('web.1', signal('SIGKILL'));
    expect(await status()).toBe(129);
  });

  test('that is patient waits for ever, until an impatient one', () => {
    const { children, supervisor, clock } = run(planOf({ web: {} }));
    supervisor.request({ ...shutdown, patient: true });
    clock.advance(1e9);
    expect(children.log).toEqual(['web.1 spawn', 'web.1 SIGTERM']);
    supervisor.request(shutdown);
    expect(children.log.at(-1)).toBe('web.1 kill');
  });

  test('starts nothing that was waiting for its next life', async () => {
    const { children, supervisor, status, clock } = run(planOf({ web: {} }));
    children.exit('web.1', code(1));
    supervisor.request(shutdown);
    expect(await status()).toBe(130);
    clock.advance(60_000);
    expect(children.log).toEqual(['web.1 spawn']);
  });

  test('names what even SIGKILL did not end', () => {
    const { supervisor, events, clock } = run(planOf({ web: {} }));
    supervisor.request(shutdown);
    clock.advance(300);
    clock.advance(5_000);
    expect(events.find(({ type }) => type === 'exited')).toMatchObject({
      survivors: [{ state: 'D', command: 'stuck' }],
    });
  });
});

describe('a ttl', () => {
  test('ends its service and not the others, and is told before and after', async () => {
    const { children, clock, types, status } = run(planOf({ web: { ttl: 20_000 }, worker: {} }));
    clock.advance(18_000);
    expect(types()).toContain('expiring');
    expect(children.log).not.toContain('web.1 SIGTERM');
    clock.advance(2_000);
    expect(children.log).toContain('web.1 SIGTERM');
    children.exit('web.1', signal('SIGTERM'));
    expect(children.alive).toEqual(['worker.1']);
    expect(await status()).toBeUndefined();
  });

  test('ends the run with 0, or with what was asked for, when nothing else is left', async () => {
    for (const expireStatus of [0, 75]) {
      const { children, clock, status } = run(planOf({ web: { ttl: 5_000 } }, { expireStatus }));
      clock.advance(5_000);
      children.exit('web.1', code(1));
      expect(await status()).toBe(expireStatus);
    }
  });

  test('survives restarts', () => {
    const { children, clock } = run(planOf({ web: { ttl: 5_000 } }));
    clock.advance(2_000);
    children.exit('web.1', code(1));
    clock.advance(1_000);
    expect(children.alive).toEqual(['web.1']);
    clock.advance(1_999);
    expect(children.log).not.toContain('web.1 SIGTERM');
    clock.advance(1);
    expect(children.log.at(-1)).toBe('web.1 SIGTERM');
  });

  test('ends a service that waits for its next life, which then is not started', async () => {
    const { children, clock, status } = run(planOf({ web: { ttl: 500 } }));
    children.exit('web.1', code(1));
    clock.advance(500);
    expect(await status()).toBe(0);
  });
});

describe('--on-exit stop', () => {
  test('is not set off by a step that others wait for and that ends well, but by one that fails', async () => {
    const plan = planOf({ migrate: { restart: 'never' }, web: { after: ['migrate'] } }, { onExit: 'stop' });
    const well = run(plan);
    well.children.exit('migrate.1', code(0));
    expect(well.children.alive).toEqual(['web.1']);
    const badly = run(plan);
    badly.children.exit('migrate.1', code(3));
    expect(await badly.status()).toBe(3);
  });

  test('ends everything with 0 when the first has a status that counts as success', async () => {
    const { children, status } = run(
      planOf({ web: { restart: 'never', expected: [3] }, worker: {} }, { onExit: 'stop' }),
    );
    children.exit('web.1', code(3));
    children.exit('worker.1', code(9));
    expect(await status()).toBe(0);
  });

  test('ends everything with the status of the service that ended first', async () => {
    const { children, status } = run(
      planOf({ web: { restart: 'never' }, worker: { restart: 'never' } }, { onExit: 'stop' }),
    );
    children.exit('worker.1', code(4));
    expect(children.log.at(-1)).toBe('web.1 SIGTERM');
    children.exit('web.1', code(9));
    expect(await status()).toBe(4);
  });
});

describe('an idle window', () => {
  test('ends a service that is not used, with a warning before, and says how long ago it was used', () => {
    const { children, clock, events, use } = run(planOf({ web: { idle: 20_000 }, worker: {} }));
    Object.assign(use, { listens: true });
    clock.advance(5_000);
    use.last = clock.now();
    clock.advance(17_999);
    expect(events.map(({ type }) => type)).not.toContain('expiring');
    clock.advance(1);
    expect(events.at(-1)).toMatchObject({ type: 'expiring', reason: 'idle', in: 2_000 });
    clock.advance(2_000);
    expect(children.log.at(-1)).toBe('web.1 SIGTERM');
    expect(events.at(-1)).toMatchObject({ cause: { reason: 'idle', window: 20_000, since: 20_000 } });
  });

  test('is renewed by each access, to the moment', () => {
    const { children, clock, use } = run(planOf({ web: { idle: 10_000 } }));
    Object.assign(use, { listens: true });
    for (let access = 0; access < 100; access += 1) {
      clock.advance(9_999);
      use.last = clock.now();
    }
    clock.advance(9_999);
    expect(children.alive).toEqual(['web.1']);
    clock.advance(1);
    expect(children.log.at(-1)).toBe('web.1 SIGTERM');
  });

  test('does not pass while a request is in flight, and is whole again after it', () => {
    const { children, clock, use } = run(planOf({ web: { idle: 10_000 } }));
    Object.assign(use, { listens: true, busy: true });
    clock.advance(60_000);
    expect(children.log).not.toContain('web.1 SIGTERM');
    Object.assign(use, { busy: false, last: clock.now() });
    clock.advance(9_999);
    expect(children.log).not.toContain('web.1 SIGTERM');
    clock.advance(1);
    expect(children.log.at(-1)).toBe('web.1 SIGTERM');
  });

  test('knows of accesses to lives that have ended, and counts a change of a watched file', () => {
    const { children, clock, supervisor, use } = run(planOf({ web: { idle: 10_000 } }));
    clock.advance(2_000);
    Object.assign(use, { listens: true, last: clock.now() });
    clock.advance(3_000);
    supervisor.request({ type: 'restart', targets: ['web'] });
    Object.assign(use, { listens: false, last: -Infinity });
    children.exit('web.1', signal('SIGTERM'));
    clock.advance(1_500);
    Object.assign(use, { listens: true });
    expect(supervisor.snapshot().services[0]?.usedAgo).toBe(4_500);
    clock.advance(4_000);
    supervisor.changed('web', 'lib/a.js', 1);
    expect(supervisor.snapshot().services[0]?.lease?.idle).toBe(10_000);
    children.exit('web.1', signal('SIGTERM'));
    clock.advance(11_999);
    expect(children.alive).toEqual(['web.1']);
  });

  test('of a service without a port is renewed by its output', () => {
    const { children, clock } = run(planOf({ worker: { idle: 10_000 } }));
    clock.advance(9_000);
    children.print('worker.1', 'busy\n');
    clock.advance(9_999);
    expect(children.log).not.toContain('worker.1 SIGTERM');
    clock.advance(1);
    expect(children.log.at(-1)).toBe('worker.1 SIGTERM');
  });

  test('on nothing is renewed by nothing', () => {
    const { children, clock, use } = run(planOf({ web: { idle: 10_000, idleOn: 'none' } }));
    clock.advance(5_000);
    Object.assign(use, { listens: true, last: clock.now() });
    children.print('web.1', 'busy\n');
    clock.advance(5_000);
    expect(children.log.at(-1)).toBe('web.1 SIGTERM');
  });

  test('ends the run with 0 when nothing else is left', async () => {
    const { children, clock, status } = run(planOf({ web: { idle: 5_000 } }));
    clock.advance(6_000);
    children.exit('web.1', signal('SIGTERM'));
    expect(await status()).toBe(0);
  });
});

const tcp = { kind: 'tcp', timeout: 5_000 } as const;

describe('start: on-access', () => {
  const plan = () =>
    planOf({
      web: { start: 'on-access', idle: 10_000, after: ['db'], ready: tcp },
      db: { start: 'manual', ready: tcp },
    });

  test('starts nothing, and the run goes on', async () => {
    const { children, status } = run(plan());
    expect(children.log).toEqual([]);
    expect(await status()).toBeUndefined();
  });

  test('an access starts what the service is after, then the service, and is told when it is ready', async () => {
    const { children, supervisor } = run(plan());
    const woken = supervisor.wake('web');
    expect(children.alive).toEqual(['db.1']);
    supervisor.ready({ id: 'db.1', generation: children.generationOf('db.1') });
    expect(children.alive).toEqual(['web.1', 'db.1'].sort());
    supervisor.ready({ id: 'web.1', generation: children.generationOf('web.1') });
    await woken;
    expect(supervisor.upLives('web')).toEqual([{ id: 'web.1', generation: 1 }]);
  });

  test.each([
    ['ttl', planOf({ web: { ttl: 10_000, after: ['db'] }, db: { start: 'manual' } })],
    ['request', planOf({ web: { after: ['db'] }, db: { start: 'manual' } })],
  ])('what was started only for a service ends with it: %s', async (why, plan) => {
    const { children, supervisor, clock, status } = run(plan);
    clock.advance(1_000);
    clock.advance(1_000);
    expect(children.alive).toEqual(['db.1', 'web.1']);
    if (why === 'ttl') clock.advance(10_000);
    else supervisor.request({ type: 'stop', targets: ['web'] });
    children.exit('web.1', signal('SIGTERM'));
    expect(children.log.at(-1)).toBe('db.1 SIGTERM');
    children.exit('db.1', signal('SIGTERM'));
    expect(await status()).toBe(0);
  });

  test('what another one is after is in use as long as that runs', () => {
    const { children, supervisor, clock } = run(
      planOf({ web: { after: ['db'] }, db: { start: 'manual', idle: 5_000 } }),
    );
    for (let n = 0; n < 20; n += 1) clock.advance(1_000);
    expect(children.alive).toEqual(['db.1', 'web.1']);
    supervisor.request({ type: 'restart', targets: ['db'] });
    children.exit('db.1', signal('SIGTERM'));
    clock.advance(1_000);
    supervisor.request({ type: 'stop', targets: ['web'] });
    children.exit('web.1', signal('SIGTERM'));
    // Somebody asked for it, and its window begins.
    expect(children.alive).toEqual(['db.1']);
    const stops = () => children.log.filter((entry) => entry === 'db.1 SIGTERM').length;
    clock.advance(4_000);
    expect(stops()).toBe(1);
    clock.advance(1_500);
    expect(stops()).toBe(2);
  });

  test('an idle service is put down with what was started for it, and an access wakes both again', async () => {
    const { children, supervisor, clock, status } = run(plan());
    void supervisor.wake('web');
    supervisor.ready({ id: 'db.1', generation: children.generationOf('db.1') });
    supervisor.ready({ id: 'web.1', generation: children.generationOf('web.1') });
    clock.advance(10_000);
    expect(children.log.at(-1)).toBe('web.1 SIGTERM');
    children.exit('web.1', signal('SIGTERM'));
    expect(children.log.at(-1)).toBe('db.1 SIGTERM');
    children.exit('db.1', signal('SIGTERM'));
    expect(await status()).toBeUndefined();
    void supervisor.wake('web');
    expect(children.alive).toEqual(['db.1']);
  });

  test('an access during the stop waits for the next life', async () => {
    const { children, supervisor, clock } = run(planOf({ web: { start: 'on-access', idle: 10_000, ready: tcp } }));
    void supervisor.wake('web');
    supervisor.ready({ id: 'web.1', generation: children.generationOf('web.1') });
    clock.advance(10_000);
    const woken = supervisor.wake('web');
    children.exit('web.1', signal('SIGTERM'));
    supervisor.ready({ id: 'web.1', generation: children.generationOf('web.1') });
    await woken;
  });

  test('a service that fails tells who waits for it, and a later access tries again', async () => {
    const { children, supervisor } = run(planOf({ web: { start: 'on-access', ready: tcp, restart: 'never' } }));
    const woken = supervisor.wake('web');
    children.exit('web.1', code(3));
    await expect(woken).rejects.toThrow('web.1 exited with code 3');
    void supervisor.wake('web').catch(() => {});
    expect(children.alive).toEqual(['web.1']);
  });

  test('a shutdown tells who waits, and ends the run', async () => {
    const { children, supervisor, status } = run(planOf({ web: { start: 'on-access', ready: tcp } }));
    const woken = supervisor.wake('web');
    supervisor.request(shutdown);
    await expect(woken).rejects.toThrow('proclet is ending');
    children.exit('web.1', signal('SIGTERM'));
    expect(await status()).toBe(130);
    await expect(supervisor.wake('web')).rejects.toThrow('proclet is ending');
  });
});

describe('after', () => {
  test('starts a service when what it is after is ready, and stops it before', () => {
    const { children, supervisor, types } = run(planOf({ web: { after: ['db'] }, db: { ready: tcp } }));
    expect(children.alive).toEqual(['db.1']);
    expect(types()).toContain('waiting');
    supervisor.ready({ id: 'db.1', generation: children.generationOf('db.1') });
    expect(children.alive).toContain('web.1');
    supervisor.request(shutdown);
    expect(children.log.at(-1)).toBe('web.1 SIGTERM');
    children.exit('web.1', signal('SIGTERM'));
    expect(children.log.at(-1)).toBe('db.1 SIGTERM');
  });

  test('takes work that is done for ready', () => {
    const { children } = run(planOf({ migrate: {}, web: { after: ['migrate'] } }));
    expect(children.alive).toEqual(['migrate.1']);
    children.exit('migrate.1', code(0));
    expect(children.alive).toEqual(['web.1']);
  });

  test('names who waits for what is not ready in time, which is then started again', () => {
    const { children, clock, events } = run(planOf({ web: { after: ['db'] }, db: { ready: tcp } }));
    clock.advance(5_000);
    expect(events.find(({ type }) => type === 'unready')).toMatchObject({ id: 'db.1', waiting: ['web'], after: 5_000 });
    expect(children.log.at(-1)).toBe('db.1 SIGTERM');
    children.exit('db.1', signal('SIGTERM'));
    clock.advance(1_000);
    expect(children.log.at(-1)).toBe('db.1 spawn');
  });

  test('does not start a service after one that failed, and says so; the run ends with its status', async () => {
    const { children, types, status } = run(planOf({ web: { after: ['db'] }, db: { ready: tcp, restart: 'never' } }));
    children.exit('db.1', code(9));
    expect(types()).toContain('stranded');
    expect(children.alive).toEqual([]);
    expect(await status()).toBe(9);
  });

  test('a second Ctrl-C kills all at once, in no order', () => {
    const { children, supervisor, clock } = run(planOf({ web: { after: ['db'], grace: 60_000 }, db: {} }));
    supervisor.ready({ id: 'db.1', generation: children.generationOf('db.1') });
    supervisor.request(shutdown);
    clock.advance(300);
    supervisor.request(shutdown);
    expect(children.log.slice(-2)).toEqual(['web.1 kill', 'db.1 kill']);
  });
});

test('children that a leader left are ended before its next life', () => {
  const { children, clock } = run(planOf({ web: {} }));
  children.orphan('web.1', code(1), 2);
  expect(children.log.at(-1)).toBe('web.1 SIGTERM');
  clock.advance(300);
  expect(children.log.at(-1)).toBe('web.1 kill');
  children.exit('web.1', code(1));
  clock.advance(1_000);
  expect(children.log.at(-1)).toBe('web.1 spawn');
});
