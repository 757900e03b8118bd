import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LifeNumbers } from '../../../src/platform/life-numbers.js';
import { guardianMark, lifeIn, markOf, mostLives, newRun } from '../../../src/platform/mark.js';
import type { ProcessRow } from '../../../src/platform/process-table.js';
import type { ChildListener } from '../../../src/ports.js';

const run = '12345678901';

/** A table of processes with these marks. */
function tableOf(marks: () => readonly string[]) {
  const row = (mark: string, index: number): [number, ProcessRow] => {
    const pid = 100 + index;
    return [pid, { pid, ppid: 1, pgid: pid, sid: pid, state: 'S', started: '1', mark }];
  };
  return { read: () => new Map(marks().map(row)) };
}

const none = tableOf(() => []);

function skip(numbers: LifeNumbers, count: number): void {
  for (let n = 0; n < count; n += 1) numbers.giveBack(numbers.take() ?? 0);
}

describe('the numbers of lives', () => {
  test('begin at 1, and begin again after 9,999, without those of lives that go on', () => {
    const numbers = new LifeNumbers(run, none);
    expect([numbers.take(), numbers.take()]).toEqual([1, 2]);
    skip(numbers, mostLives - 2);
    expect([numbers.take(), numbers.take()]).toEqual([3, 4]);
    expect(numbers.held.map(({ life }) => life)).toEqual([1, 2, 3, 4]);
  });

  test('whatever begins and ends, are of one life at a time', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3_000), fc.nat(5)), { maxLength: 12 }), (steps) => {
        const numbers = new LifeNumbers(run, none);
        const living: number[] = [];
        for (const [lives, ended] of steps) {
          skip(numbers, lives);
          const life = numbers.take() ?? 0;
          expect(living).not.toContain(life);
          living.push(life);
          for (const one of living.splice(0, ended - 3)) numbers.giveBack(one);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('that a process still carries are not given when they begin again, and are when it has gone', () => {
    let marks = [markOf(run, 1), markOf('99999999999', 2), guardianMark(run)];
    const numbers = new LifeNumbers(
      run,
      tableOf(() => marks),
    );
    skip(numbers, mostLives);
    expect(numbers.take()).toBe(2);
    marks = [];
    skip(numbers, mostLives - 2);
    expect(numbers.take()).toBe(1);
  });

  test('hide nothing of a life from who listens to it, and are given back at its end', () => {
    const numbers = new LifeNumbers(run, none);
    const heard: string[] = [];
    const listener: Required<ChildListener> = {
      started: (pid) => heard.push(`started ${pid}`),
      output: () => heard.push('output'),
      orphaned: () => heard.push('orphaned'),
      exited: () => heard.push('exited'),
    };
    const life = numbers.take() ?? 0;
    const through = numbers.until(life, listener);
    expect(Object.keys(through).sort()).toEqual(Object.keys(listener).sort());
    through.started?.(7);
    through.exited({ exit: { how: 'code', code: 0 }, processes: 1, survivors: [] });
    expect(heard).toEqual(['started 7', 'exited']);
    expect(numbers.held).toEqual([]);
  });

  test('are none when all are in use', () => {
    const numbers = new LifeNumbers(run, none);
    for (let n = 1; n <= mostLives; n += 1) expect(numbers.take()).toBe(n);
    expect(numbers.take()).toBeUndefined();
    numbers.giveBack(77);
    expect(numbers.take()).toBe(77);
  });
});

test('a mark names one life of one run', () => {
  for (const life of [1, 42, mostLives]) expect(lifeIn(run, markOf(run, life))).toBe(life);
  expect([lifeIn(run, markOf('22345678901', 1)), lifeIn(run, guardianMark(run)), lifeIn(run, undefined)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('a run does not get the number of another one that is known of', () => {
  const drawn = [0, 0, 0.5];
  const random = () => drawn.shift() ?? 0.9;
  expect(newRun((number) => number === '10000000000', random)).toBe('55000000000');
});
