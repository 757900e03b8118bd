import { describe, expect, test } from 'vitest';
import type { Exit, ProcletEvent } from '../../../src/model.js';
import type { ChildListener, Spawn } from '../../../src/ports.js';
import { code, signal } from '../../support/fake-children.js';
import { planOf } from '../../support/plans.js';
import { supervised } from '../../support/supervised.js';

const shutdown = { type: 'shutdown', status: 143, patient: false, why: { is: 'signal', signal: 'SIGINT' } } as const;
const scaled = (count: number) => planOf({ a: { count } });
const generations = (events: readonly ProcletEvent[], id: string) =>
  events.flatMap((event) => (event.type === 'spawned' && event.id === id ? [event.generation] : []));

describe('a slot that is taken away and comes back', () => {
  test('while its life is being ended gets the next one when that has ended', async () => {
    const { children, supervisor, events, status } = supervised(scaled(2));
    supervisor.reconfigure(scaled(1));
    supervisor.reconfigure(scaled(2));
    expect(children.log.slice(2)).toEqual(['a.2 SIGTERM']);
    children.exit('a.2', signal('SIGTERM'));
    expect(children.alive).toEqual(['a.1', 'a.2']);
    expect(supervisor.snapshot().services[0]?.instances.map(({ id, phase }) => [id, phase])).toEqual([
      ['a.1', 'starting'],
      ['a.2', 'starting'],
    ]);
    expect(generations(events, 'a.2')).toEqual([1, 2]);
    supervisor.request(shutdown);
    children.exit('a.1', signal('SIGTERM'));
    expect(await status()).toBeUndefined();
    children.exit('a.2', signal('SIGTERM'));
    expect(await status()).toBe(143);
  });

  test('after its life has ended gives the next one a number of its own', () => {
    const { children, supervisor, events } = supervised(scaled(2));
    for (const again of [1, 2]) {
      supervisor.reconfigure(scaled(1));
      children.exit('a.2', signal('SIGTERM'));
      supervisor.reconfigure(scaled(2));
      expect(generations(events, 'a.2')).toHaveLength(1 + again);
    }
    expect(generations(events, 'a.2')).toEqual([1, 2, 3]);
  });

  test('with its service, by one configuration and the next, runs again when the old life has ended', () => {
    const both = planOf({ a: {}, b: {} });
    const { children, supervisor } = supervised(both);
    supervisor.reconfigure({ ...both, services: both.services.slice(0, 1) });
    supervisor.reconfigure(both);
    expect(children.log.slice(2)).toEqual(['b.1 SIGTERM']);
    children.exit('b.1', signal('SIGTERM'));
    expect(children.alive).toEqual(['a.1', 'b.1']);
  });

  test('as the first slot of a service that had none is started', () => {
    const none = planOf({ a: { count: 0 }, b: {} });
    const { children, supervisor } = supervised(none);
    supervisor.reconfigure(planOf({ a: {}, b: {} }));
    expect(children.alive).toEqual(['b.1', 'a.1']);
  });

  test('during its handover has one life again when both of its old ones have ended', () => {
    const plan = (count: number) => planOf({ a: { count, reload: 'handover', watch: ['.'] } });
    const { children, supervisor, clock } = supervised(plan(3), {}, { mayOverlap: true });
    clock.advance(1_000);
    supervisor.changed('a', 'app.rb', 1);
    clock.advance(1_000); // a.1 has taken over, and it is a.2's turn
    expect(children.alive).toContain('a.2+2');
    supervisor.reconfigure(plan(1));
    supervisor.reconfigure(plan(3));
    for (const id of ['a.2', 'a.2+2', 'a.3']) children.exit(id, signal('SIGTERM'));
    const serving = supervisor.snapshot().services[0]?.instances.filter(({ role }) => role === 'serving') ?? [];
    expect(serving.map(({ id, generation, pid }) => `${id} ${generation} ${pid !== undefined}`).sort()).toEqual([
      'a.1 2 true',
      'a.2 3 true',
      'a.3 2 true',
    ]);
  });
});

describe('what a person has put down', () => {
  test('stays down when its service is scaled, and only the new slot is started', () => {
    const { children, supervisor } = supervised(scaled(2));
    supervisor.request({ type: 'stop', targets: ['a.1'] });
    children.exit('a.1', signal('SIGTERM'));
    supervisor.reconfigure(scaled(3));
    expect(children.alive).toEqual(['a.2', 'a.3']);
  });

  test('and is still ending stays down when its service is scaled', () => {
    const { children, supervisor } = supervised(planOf({ a: {}, b: {} }));
    supervisor.request({ type: 'stop', targets: ['a'] });
    supervisor.reconfigure(planOf({ a: { count: 2 }, b: {} }));
    children.exit('a.1', signal('SIGTERM'));
    expect(children.alive).toEqual(['b.1']);
  });

  test('after it had ended by itself is not started by a change', () => {
    for (const exit of [code(0), code(1)]) {
      const plan = planOf({ a: { watch: ['.'], restart: 'never' }, b: {} });
      const { children, supervisor } = supervised(plan);
      children.exit('a.1', exit);
      supervisor.request({ type: 'stop', targets: ['a'] });
      supervisor.changed('a', 'app.rb', 1);
      expect(children.alive).toEqual(['b.1']);
    }
  });
});

test('what was asked to restart and is replaced meanwhile has no next life', () => {
  const plan = planOf({ a: { reload: 'handover', watch: ['.'] } });
  const { children, supervisor, clock } = supervised(plan, {}, { mayOverlap: true });
  clock.advance(1_000);
  supervisor.changed('a', 'app.rb', 1);
  supervisor.request({ type: 'restart', targets: ['a'] });
  supervisor.ready({ id: 'a.1', generation: 2 });
  children.exit('a.1', signal('SIGTERM'));
  expect(children.alive).toEqual(['a.1+2']);
  expect(supervisor.snapshot().services[0]?.instances).toMatchObject([{ id: 'a.1', phase: 'up', generation: 2 }]);
});

describe('what a child reports', () => {
  /** Lives whose reports the test makes itself, as often as it wants. */
  function reporting() {
    const lives: ChildListener[] = [];
    const asked: string[] = [];
    const spawn: Spawn = (_spec, listener) => {
      const number = lives.push(listener);
      const ask = (what: string) => asked.push(`${number} ${what}`) > 0;
      return {
        ...{
          pid: number,
          mark: '',
          pass: ask,
          signal: ask,
          kill: () => void ask('kill'),
          abandon: () => void ask('abandon'),
          entrust() {},
        },
        ...{ pids: () => [], tap: () => () => {}, send: () => true, endInput() {} },
      };
    };
    const exit = (number: number, how: Exit = code(1)) =>
      lives[number - 1]?.exited({ exit: how, processes: 1, survivors: [] });
    return { lives, asked, exit, ...supervised(scaled(1), { spawn }) };
  }

  test('about a life that is over does not concern the next one', async () => {
    const { clock, exit, lives, supervisor, asked, status } = reporting();
    exit(1);
    clock.advance(1_000);
    exit(1);
    lives[0]?.orphaned({ exit: code(0), processes: 3 });
    expect(supervisor.snapshot().services[0]?.instances).toMatchObject([{ phase: 'starting', pid: 2, generation: 2 }]);
    supervisor.request(shutdown);
    expect(asked).toEqual(['2 SIGTERM']);
    exit(1);
    expect(await status()).toBeUndefined();
    exit(2);
    expect(await status()).toBe(143);
  });

  test('as its output carries the number of its life', () => {
    const { clock, exit, lives, events } = reporting();
    exit(1);
    clock.advance(1_000);
    const output = { id: 'a.1', stream: 'stdout', text: 'x\n', shown: 0, continued: false, end: 'line' } as const;
    for (const life of lives) life.output(output);
    expect(events.filter(({ type }) => type === 'output')).toMatchObject([{ generation: 1 }, { generation: 2 }]);
  });
});
