import { describe, expect, test } from 'vitest';
import type { Exit, Instance, Millis, PhaseName, Remains } from '../../../src/model.js';
import { type Effect, type Input, newInstance, nextDeadline, step } from '../../../src/supervisor/instance.js';
import { code, signal } from '../../support/fake-children.js';
import { instanceSpec } from '../../support/plans.js';

type Scene = [at: Millis, input: Input['type'] | Input, phase: PhaseName, effects: string];

const stop: Input = { type: 'stop', cause: { reason: 'requested' }, patient: false };
const patientStop: Input = { ...stop, patient: true };
const restart: Input = { type: 'restart', cause: { reason: 'requested' } };
const change: Input = { type: 'restart', cause: { reason: 'changed' } };
const kill: Input = { type: 'kill', cause: { reason: 'shutdown' } };
const ttl: Input = { type: 'stop', cause: { reason: 'ttl', window: 900 }, patient: false };
const exit = (how: Exit): Input => ({
  type: 'exited',
  remains: { exit: how, processes: 1, survivors: [] } satisfies Remains,
});
const orphaned: Input = { type: 'orphaned', exit: code(0), processes: 2 };

function shown(effect: Effect): string {
  if (effect.type === 'signal') return effect.to === 'tree' ? effect.signal : `${effect.signal}:${effect.to}`;
  if (effect.type !== 'tell') return effect.type;
  const { event } = effect;
  return event.type === 'exited'
    ? `exited>${event.next.is}${event.next.is === 'restart' ? event.next.delay : ''}`
    : event.type;
}

function play(scenes: Scene[], over: Parameters<typeof instanceSpec>[0] = {}): Instance {
  let instance = newInstance(instanceSpec(over), 'web.1@1');
  for (const [at, input, phase, effects] of scenes) {
    const answer = step(instance, typeof input === 'string' ? ({ type: input } as Input) : input, at);
    instance = answer.instance;
    expect([at, instance.phase.is, answer.effects.map(shown).join(' ')]).toEqual([at, phase, effects]);
  }
  return instance;
}

const up: Scene[] = [
  [0, 'start', 'starting', 'spawn'],
  [1_000, 'deadline', 'up', 'up'],
];

const stories: Record<string, Scene[]> = {
  'a deaf child is killed when its grace ends, and not a moment before': [
    [0, 'start', 'starting', 'spawn'],
    [900, stop, 'stopping', 'stopping SIGTERM'],
    [1_199, 'deadline', 'stopping', ''],
    [1_200, 'deadline', 'stopping', 'kill killed'],
    [1_201, exit(signal('SIGKILL')), 'down', 'exited>down'],
  ],
  'what even SIGKILL cannot end is given up after a while, and only then': [
    ...up,
    [2_000, stop, 'stopping', 'stopping SIGTERM'],
    [2_300, 'deadline', 'stopping', 'kill killed'],
    [7_299, 'deadline', 'stopping', ''],
    [7_300, 'deadline', 'stopping', 'abandon'],
    [7_300, exit(signal('SIGKILL')), 'down', 'exited>down'],
  ],
  'a start during a stop waits for the old life to end': [
    [0, 'start', 'starting', 'spawn'],
    [100, stop, 'stopping', 'stopping SIGTERM'],
    [110, 'start', 'stopping', ''],
    [120, exit(code(0)), 'starting', 'exited>restart0 spawn'],
  ],
  'a stop during a restart cancels the next life': [
    ...up,
    [1_500, restart, 'stopping', 'stopping SIGTERM'],
    [1_510, stop, 'stopping', ''],
    [1_520, exit(code(0)), 'down', 'exited>down'],
  ],
  'a child that lives as long as it takes to settle is up': [
    [0, 'start', 'starting', 'spawn'],
    [999, 'deadline', 'starting', ''],
    [1_000, 'deadline', 'up', 'up'],
  ],
  'a program that ends well is done': [...up, [1_500, exit(code(0)), 'down', 'exited>done']],
  'a program that is done is started again by a change': [
    ...up,
    [1_500, exit(code(0)), 'down', 'exited>done'],
    [1_600, change, 'starting', 'spawn'],
  ],
  'what its lease put down is not woken by a change, but by a request': [
    ...up,
    [1_500, ttl, 'stopping', 'stopping SIGTERM'],
    [1_510, exit(signal('SIGTERM')), 'down', 'exited>down'],
    [1_600, change, 'down', ''],
    [1_700, restart, 'starting', 'spawn'],
  ],
  'crashes wait longer each time, and a program that never came up is given up': [
    [0, 'start', 'starting', 'spawn'],
    [10, exit(code(1)), 'backoff', 'exited>restart1000'],
    [1_009, 'deadline', 'backoff', ''],
    [1_010, 'deadline', 'starting', 'spawn'],
    [1_020, exit(code(1)), 'backoff', 'exited>restart2000'],
    [3_020, 'deadline', 'starting', 'spawn'],
    [3_030, exit(code(1)), 'failed', 'exited>failed'],
    [9_000, 'deadline', 'failed', ''],
    [9_001, change, 'starting', 'spawn'],
  ],
  'a command that is not there fails at once, and is tried again when it is asked for': [
    [0, 'start', 'starting', 'spawn'],
    [10, exit(code(127)), 'failed', 'exited>failed'],
    [20, change, 'starting', 'spawn'],
    [30, exit(code(126)), 'failed', 'exited>failed'],
    [40, restart, 'starting', 'spawn'],
    [1_040, 'deadline', 'up', 'up'],
    [1_050, exit(code(127)), 'backoff', 'exited>restart1000'],
  ],
  'a program that comes up each time is never given up, but its delays grow to the cap': [
    ...up,
    [1_100, exit(code(1)), 'backoff', 'exited>restart1000'],
    [2_100, 'deadline', 'starting', 'spawn'],
    [3_100, 'deadline', 'up', 'up'],
    [3_200, exit(code(1)), 'backoff', 'exited>restart2000'],
    [5_200, 'deadline', 'starting', 'spawn'],
    [6_200, 'deadline', 'up', 'up'],
    [6_300, exit(code(1)), 'backoff', 'exited>restart4000'],
    [10_300, 'deadline', 'starting', 'spawn'],
    [11_300, 'deadline', 'up', 'up'],
    [11_400, exit(code(1)), 'backoff', 'exited>restart8000'],
    [19_400, 'deadline', 'starting', 'spawn'],
    [20_400, 'deadline', 'up', 'up'],
    [20_500, exit(code(1)), 'backoff', 'exited>restart8000'],
  ],
  'a long life forgives the crashes before it': [
    [0, 'start', 'starting', 'spawn'],
    [10, exit(code(1)), 'backoff', 'exited>restart1000'],
    [1_010, 'deadline', 'starting', 'spawn'],
    [2_010, 'deadline', 'up', 'up'],
    [31_010, exit(code(1)), 'backoff', 'exited>restart1000'],
  ],
  'children that a crashed leader left are ended before the next life': [
    ...up,
    [1_500, { ...orphaned, exit: code(3) }, 'stopping', 'orphaned SIGTERM'],
    [1_800, 'deadline', 'stopping', 'kill killed'],
    [1_810, exit(code(3)), 'backoff', 'exited>restart1000'],
  ],
  'children that a finished leader left are ended, and then it is done': [
    ...up,
    [1_500, orphaned, 'stopping', 'orphaned SIGTERM'],
    [1_510, exit(code(0)), 'down', 'exited>done'],
  ],
  'a restart while left-over children are being ended starts without a delay': [
    ...up,
    [1_500, { ...orphaned, exit: code(1) }, 'stopping', 'orphaned SIGTERM'],
    [1_505, restart, 'stopping', ''],
    [1_510, exit(code(1)), 'starting', 'exited>restart0 spawn'],
  ],
  'a leader that obeys while its children do not is still being stopped': [
    ...up,
    [1_500, stop, 'stopping', 'stopping SIGTERM'],
    [1_510, orphaned, 'stopping', ''],
    [1_800, 'deadline', 'stopping', 'kill killed'],
    [1_810, exit(code(0)), 'down', 'exited>down'],
  ],
  'a kill does not wait for the grace': [
    ...up,
    [1_500, stop, 'stopping', 'stopping SIGTERM'],
    [1_510, kill, 'stopping', 'kill'],
    [6_509, 'deadline', 'stopping', ''],
    [6_510, 'deadline', 'stopping', 'abandon'],
  ],
  'a kill of a running program sends nothing gentler first': [...up, [1_500, kill, 'stopping', 'kill']],
  'a patient stop never kills': [
    ...up,
    [1_500, patientStop, 'stopping', 'stopping SIGTERM'],
    [1e12, 'deadline', 'stopping', ''],
  ],
  'a stop during the wait for a restart ends the waiting': [
    [0, 'start', 'starting', 'spawn'],
    [10, exit(code(1)), 'backoff', 'exited>restart1000'],
    [20, stop, 'down', 'exited>down'],
    [2_000, 'deadline', 'down', ''],
  ],
  'a restart during the wait does not wait': [
    [0, 'start', 'starting', 'spawn'],
    [10, exit(code(1)), 'backoff', 'exited>restart1000'],
    [20, restart, 'starting', 'spawn'],
  ],
  'a start of what starts or runs changes nothing': [...up, [1_100, 'start', 'up', ''], [9_000, 'deadline', 'up', '']],
  'a stop or kill of what is down changes nothing': [
    [0, stop, 'down', ''],
    [1, kill, 'down', ''],
  ],
  'a stop or kill of what failed changes nothing': [
    [0, 'start', 'starting', 'spawn'],
    [10, exit(code(1)), 'backoff', 'exited>restart1000'],
    [1_010, 'deadline', 'starting', 'spawn'],
    [1_020, exit(code(1)), 'backoff', 'exited>restart2000'],
    [3_020, 'deadline', 'starting', 'spawn'],
    [3_030, exit(code(1)), 'failed', 'exited>failed'],
    [3_040, stop, 'failed', ''],
    [3_050, kill, 'failed', ''],
  ],
};

/** With `stop: leader`. */
const leaderFirst: Record<string, Scene[]> = {
  'the leader alone is asked to end, and a tree that goes with it gets nothing else': [
    ...up,
    [2_000, stop, 'stopping', 'stopping SIGTERM:leader'],
    [2_100, exit(code(0)), 'down', 'exited>down'],
  ],
  'the rest is asked the moment the leader has gone, and once': [
    ...up,
    [2_000, stop, 'stopping', 'stopping SIGTERM:leader'],
    [2_010, orphaned, 'stopping', 'SIGTERM:rest'],
    [2_240, 'deadline', 'stopping', ''],
    [2_250, exit(code(0)), 'down', 'exited>down'],
  ],
  'the rest is asked before its time is over when the leader stays, and is killed with it': [
    ...up,
    [2_000, stop, 'stopping', 'stopping SIGTERM:leader'],
    [2_239, 'deadline', 'stopping', ''],
    [2_240, 'deadline', 'stopping', 'SIGTERM:rest'],
    [2_250, orphaned, 'stopping', ''],
    [2_299, 'deadline', 'stopping', ''],
    [2_300, 'deadline', 'stopping', 'kill killed'],
  ],
  'the rest is asked at once when the leader ignores the signal': [
    ...up,
    [2_000, stop, 'stopping', 'stopping SIGTERM:leader'],
    [2_000, 'unheard', 'stopping', 'SIGTERM:rest'],
    [2_240, 'deadline', 'stopping', ''],
    [2_300, 'deadline', 'stopping', 'kill killed'],
  ],
  'a restart asks the leader first, too': [
    ...up,
    [2_000, restart, 'stopping', 'stopping SIGTERM:leader'],
    [2_010, orphaned, 'stopping', 'SIGTERM:rest'],
    [2_020, exit(code(0)), 'starting', 'exited>restart0 spawn'],
  ],
  'the end of a ttl asks the leader first, too': [...up, [2_000, ttl, 'stopping', 'stopping SIGTERM:leader']],
  'a patient stop gives the leader all the time, and the rest its turn when it has gone': [
    ...up,
    [2_000, patientStop, 'stopping', 'stopping SIGTERM:leader'],
    [1e12, 'deadline', 'stopping', ''],
    [1e12, orphaned, 'stopping', 'SIGTERM:rest'],
  ],
  'nobody is asked any more once the kill has begun': [
    ...up,
    [2_000, stop, 'stopping', 'stopping SIGTERM:leader'],
    [2_010, kill, 'stopping', 'kill'],
    [2_020, orphaned, 'stopping', ''],
    [2_240, 'deadline', 'stopping', ''],
  ],
  'a leader that goes by itself has all it leaves asked': [...up, [2_000, orphaned, 'stopping', 'orphaned SIGTERM']],
};

describe('stop: leader', () => {
  for (const [title, scenes] of Object.entries(leaderFirst)) test(title, () => void play(scenes, { stop: 'leader' }));
});

describe('the life of an instance', () => {
  for (const [title, scenes] of Object.entries(stories)) test(title, () => void play(scenes));

  test('restart: always starts again what ended well', () => {
    play([...up, [1_500, exit(code(0)), 'backoff', 'exited>restart1000']], { restart: 'always' });
  });

  test('restart: never leaves a crash failed', () => {
    play([...up, [1_500, exit(code(7)), 'failed', 'exited>down']], { restart: 'never' });
  });

  test('an input that cannot happen in a phase is a bug and says so', () => {
    expect(() => step(newInstance(instanceSpec(), 'web.1@1'), exit(code(0)), 0)).toThrow(
      'web.1 is down and cannot have exited',
    );
  });

  test('the obituary of an expired instance tells cause, life and the time the stop took', () => {
    const running = play(up);
    const stopping = step(running, ttl, 1_500).instance;
    const { effects } = step(stopping, exit(signal('SIGTERM')), 1_700);
    expect(effects).toMatchObject([
      { type: 'tell', event: { type: 'exited', cause: { reason: 'ttl', window: 900 }, ran: 1_500, took: 200 } },
    ]);
  });

  test('only phases that wait have a deadline', () => {
    expect(nextDeadline(play(up))).toBe(Infinity);
    expect(nextDeadline(play(up.slice(0, 1)))).toBe(1_000);
    expect(nextDeadline(play([...up, [1_500, patientStop, 'stopping', 'stopping SIGTERM']]))).toBe(Infinity);
  });
});

describe('success', () => {
  const end = (how: Exit, over: Parameters<typeof instanceSpec>[0]) => {
    const { instance } = step(newInstance(instanceSpec(over), 'web.1@1'), { type: 'start' }, 0);
    const { instance: after, effects } = step(instance, exit(how), 100);
    const [told] = effects.flatMap((effect) => (effect.type === 'tell' ? [effect.event] : []));
    return { phase: after.phase.is, ...(told?.type === 'exited' && { next: told.next.is, expected: told.expected }) };
  };

  test.each([
    ['0', code(0), undefined],
    ['a code', code(3), true],
    ['128 + n', code(143), true],
    ['signal n', signal('SIGTERM'), true],
    ['what a shell says of a command that is not there', code(127), true],
  ] as const)('is a status that is expected of the service: %s', (_, how, expected) => {
    for (const restart of ['on-failure', 'never'] as const)
      expect(end(how, { restart, expected: [3, 127, 143] })).toEqual({ phase: 'down', next: 'done', expected });
  });

  test('is no other status', () => {
    expect(end(code(4), { expected: [3] })).toEqual({ phase: 'backoff', next: 'restart', expected: undefined });
    expect(end(signal('SIGKILL'), { expected: [3] })).toMatchObject({ phase: 'backoff' });
    expect(end({ how: 'spawn-error', message: 'EAGAIN' }, { expected: [127] })).toMatchObject({ phase: 'backoff' });
  });

  test('starts again what is always to run', () => {
    const always = end(code(3), { restart: 'always', expected: [3] });
    expect(always).toEqual({ phase: 'backoff', next: 'restart', expected: true });
    expect(end(code(127), { restart: 'always', expected: [127] })).toMatchObject({ phase: 'backoff' });
  });

  test.each([[0], [143]])(
    'is nothing that was not ready in time, though it ends with %i when it is stopped',
    (status) => {
      const ready = { kind: 'tcp', timeout: 500 } as const;
      const scenes: Scene[] = [
        [0, 'start', 'starting', 'spawn'],
        [500, 'deadline', 'stopping', 'unready SIGTERM'],
        [600, exit(code(status)), 'backoff', 'exited>restart1000'],
      ];
      play(scenes, { ready, expected: [143] });
    },
  );
});

describe('why it is down', () => {
  type Reason = Extract<Input, { type: 'stop' }>['cause']['reason'];
  const by = (reason: Reason): Input =>
    ({ ...stop, cause: reason === 'ttl' ? { reason, window: 900 } : { reason } }) as Input;

  test.each<[Reason, Reason, Reason]>([
    // first, then, is down by
    ['requested', 'replaced', 'requested'],
    ['requested', 'changed', 'requested'],
    ['requested', 'reconfigured', 'requested'],
    ['requested', 'ttl', 'requested'],
    ['ttl', 'replaced', 'ttl'],
    ['ttl', 'reconfigured', 'ttl'],
    ['ttl', 'requested', 'requested'],
    ['replaced', 'ttl', 'ttl'],
    ['replaced', 'requested', 'requested'],
    ['changed', 'reconfigured', 'reconfigured'],
    ['ttl', 'shutdown', 'shutdown'],
  ])('%s, then %s while it still ends: %s', (first, then, reason) => {
    const { phase } = play([
      ...up,
      [1_500, by(first), 'stopping', 'stopping SIGTERM'],
      [1_510, by(then), 'stopping', ''],
      [1_520, exit(signal('SIGTERM')), 'down', 'exited>down'],
    ]);
    expect(phase).toMatchObject({ cause: { reason } });
  });

  test('what was to have another life, and is put down before, is down by that', () => {
    const { phase } = play([
      ...up,
      [1_500, restart, 'stopping', 'stopping SIGTERM'],
      [1_510, ttl, 'stopping', ''],
      [1_520, exit(signal('SIGTERM')), 'down', 'exited>down'],
    ]);
    expect(phase).toMatchObject({ cause: { reason: 'ttl' } });
  });
});
