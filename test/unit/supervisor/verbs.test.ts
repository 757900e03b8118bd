import { describe, expect, test } from 'vitest';
import type { Request } from '../../../src/model.js';
import { code } from '../../support/fake-children.js';
import { planOf } from '../../support/plans.js';
import { supervised } from '../../support/supervised.js';

const minute = 60_000;
const plan = planOf({ web: { count: 2 }, worker: {}, psgi: { ttl: 10 * minute, idle: 2 * minute } });
const leaseOf = ({ supervisor }: ReturnType<typeof supervised>) =>
  supervisor.snapshot().services.find(({ tag }) => tag === 'psgi')?.lease;
const errorOf = (act: () => unknown) => {
  try {
    act();
    return 'nothing was thrown';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('targets', () => {
  test.each([
    [['web'], ['web.1', 'web.2']],
    [['web.2'], ['web.2']],
    [['w*'], ['web.1', 'web.2', 'worker.1']],
    [['*.1'], ['web.1', 'worker.1', 'psgi.1']],
    [['all'], ['web.1', 'web.2', 'worker.1', 'psgi.1']],
    [[], ['web.1', 'web.2', 'worker.1', 'psgi.1']],
    [
      ['worker', 'web.1'],
      ['web.1', 'worker.1'],
    ],
  ])('%j are %j', (targets, ids) => {
    expect(supervised(plan).supervisor.resolve(targets)).toEqual(ids);
  });

  test('that name nothing are an error that says what there is, and nothing is done', () => {
    const { supervisor, children } = supervised(plan);
    const stop = (targets: string[]) => errorOf(() => supervisor.request({ type: 'stop', targets }));
    expect(stop(['web', 'wobber'])).toBe('there is no service wobber; these run here: web, worker, psgi');
    expect(stop(['web.3'])).toBe('there is no instance web.3: web has 2 instances');
    expect(stop(['[w]eb'])).toMatch('there is no service [w]eb');
    expect(children.alive).toHaveLength(4);
  });
});

describe('stop and restart', () => {
  test('of one instance leave the others and the lease', () => {
    const { supervisor, children } = supervised(plan);
    expect(supervisor.request({ type: 'stop', targets: ['web.2'] })).toEqual(['web.2']);
    expect(children.log.slice(4)).toEqual(['web.2 SIGTERM']);
  });

  test('what is stopped stays down when it exits, and restart starts it', () => {
    const { supervisor, children, clock } = supervised(plan);
    supervisor.request({ type: 'stop', targets: ['worker'] });
    children.exit('worker.1', code(1));
    clock.advance(minute);
    expect(children.alive).not.toContain('worker.1');
    supervisor.request({ type: 'restart', targets: ['worker'] });
    expect(children.alive).toContain('worker.1');
  });

  test('a restart of what runs waits until the old life is gone', () => {
    const { supervisor, children } = supervised(plan);
    supervisor.request({ type: 'restart', targets: ['worker'] });
    expect(children.log.slice(4)).toEqual(['worker.1 SIGTERM']);
    children.exit('worker.1', code(0));
    expect(children.log.at(-1)).toBe('worker.1 spawn');
  });

  test('the last service that is stopped ends the run', async () => {
    const { supervisor, children, status } = supervised(planOf({ web: {} }));
    supervisor.request({ type: 'stop', targets: ['web'] });
    children.exit('web.1', code(0));
    expect(await status()).toBe(0);
  });
});

describe('leases by hand', () => {
  test('extend moves the end of what there is', () => {
    const run = supervised(plan);
    run.clock.advance(minute);
    run.supervisor.request({ type: 'extend', targets: ['psgi'], by: 30 * minute });
    expect(leaseOf(run)).toEqual({ ttl: 39 * minute, idle: 31 * minute, kept: false });
  });

  test('keep takes the end away, extend gives it one again from now on', () => {
    const run = supervised(plan);
    run.supervisor.request({ type: 'keep', targets: ['psgi'] });
    expect(leaseOf(run)).toEqual({ kept: true });
    run.clock.advance(60 * minute);
    expect(run.children.alive).toContain('psgi.1');
    run.supervisor.request({ type: 'extend', targets: ['psgi'], by: minute });
    expect(leaseOf(run)).toEqual({ ttl: minute, idle: minute, kept: false });
    run.clock.advance(minute);
    expect(run.children.log).toContain('psgi.1 SIGTERM');
  });

  test('expire ends it now, as its lease would have', () => {
    const { supervisor, children, events } = supervised(plan);
    supervisor.request({ type: 'expire', targets: ['psgi'] });
    children.exit('psgi.1', code(0));
    expect(events.at(-1)).toMatchObject({ type: 'exited', id: 'psgi.1', cause: { reason: 'expired' } });
  });

  test('touch counts as an access', () => {
    const run = supervised(plan);
    run.clock.advance(1.5 * minute);
    run.supervisor.request({ type: 'touch', targets: ['psgi'] });
    expect(leaseOf(run)?.idle).toBe(2 * minute);
    run.clock.advance(1.5 * minute);
    expect(run.children.alive).toContain('psgi.1');
  });

  test('are refused for what has none or is down', () => {
    const { supervisor, children } = supervised(plan);
    const ask = (type: 'keep' | 'expire' | 'touch', ...targets: string[]) =>
      errorOf(() => supervisor.request({ type, targets }));
    expect(ask('keep', 'web')).toBe('web has no ttl and no idle window: it runs until it is stopped');
    supervisor.request({ type: 'stop', targets: ['worker'] });
    children.exit('worker.1', code(0));
    expect(ask('expire', 'worker')).toBe('worker is down, and so is its lease');
    expect(ask('touch', 'worker')).toBe('worker is down');
  });
});

describe('while the run ends', () => {
  test.each<Request>([
    { type: 'restart', targets: ['web'] },
    { type: 'touch', targets: ['psgi'] },
  ])('$type is refused', (request) => {
    const { supervisor } = supervised(plan);
    supervisor.request({ type: 'shutdown', status: 0, patient: false, why: { is: 'signal', signal: 'SIGINT' } });
    expect(errorOf(() => supervisor.request(request))).toBe('proclet is ending');
  });
});

test('signal and send reach the processes that run', () => {
  const { supervisor, children } = supervised(plan);
  expect(supervisor.request({ type: 'signal', targets: ['web'], signal: 'SIGHUP', to: 'leader' })).toEqual([
    'web.1',
    'web.2',
  ]);
  supervisor.request({ type: 'send', targets: ['worker'], text: 'hello\n' });
  expect(children.log.slice(4)).toEqual(['web.1 passed SIGHUP', 'web.2 passed SIGHUP', 'worker.1 read hello\n']);
});
