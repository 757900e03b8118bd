import { describe, expect, test } from 'vitest';
import type { Plan, ProcletEvent } from '../../../src/model.js';
import { Supervisor } from '../../../src/supervisor/supervisor.js';
import { code, FakeChildren, signal } from '../../support/fake-children.js';
import { FakeClock } from '../../support/fake-clock.js';
import { planOf } from '../../support/plans.js';

function run(plan: Plan) {
  const clock = new FakeClock();
  const children = new FakeChildren();
  const supervisor = new Supervisor(plan, { clock, spawn: children.spawn });
  const events: ProcletEvent[] = [];
  supervisor.subscribe((event) => events.push(event));
  let status: number | undefined;
  void supervisor.finished.then((value) => {
    status = value;
  });
  supervisor.start();
  const types = () => events.map(({ type }) => type);
  return { clock, children, supervisor, events, types, status: () => Promise.resolve().then(() => status) };
}

const shutdown = { type: 'shutdown', status: 130, patient: false } as const;

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

  test('asked for twice kills now', () => {
    const { children, supervisor } = run(planOf({ web: {} }));
    supervisor.request(shutdown);
    supervisor.request(shutdown);
    expect(children.log).toEqual(['web.1 spawn', 'web.1 SIGTERM', 'web.1 kill']);
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
