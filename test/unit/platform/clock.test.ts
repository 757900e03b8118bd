import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createClock } from '../../../src/platform/clock.js';

// The clock is where the real timers are, so this is the one file that fakes them.
describe('the clock', () => {
  let awake = 0;
  let slept = 0;
  const ticks = { awake: () => awake, booted: () => awake + slept };
  const pass = (ms: number) => {
    awake += ms;
    vi.advanceTimersByTime(ms);
  };

  beforeEach(() => {
    awake = 1_000;
    slept = 0;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => void vi.useRealTimers());

  test('wakes what is due, in the order of the deadlines, and not before', () => {
    const clock = createClock(ticks);
    const woken: string[] = [];
    clock.wakeAt(clock.now() + 20, () => woken.push('later'));
    clock.wakeAt(clock.now() + 10, () => woken.push('sooner'));
    pass(9);
    expect(woken).toEqual([]);
    pass(1);
    expect(woken).toEqual(['sooner']);
    pass(10);
    expect(woken).toEqual(['sooner', 'later']);
  });

  test('wakes the others, now and later, when one of them throws', () => {
    const thrown: unknown[] = [];
    vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((rethrow) => {
      expect(rethrow).toThrow('of one alone');
      thrown.push(rethrow);
    });
    const clock = createClock(ticks);
    const woken: string[] = [];
    clock.wakeAt(clock.now() + 10, () => {
      throw new Error('of one alone');
    });
    clock.wakeAt(clock.now() + 10, () => woken.push('with it'));
    clock.wakeAt(clock.now() + 20, () => woken.push('after it'));
    pass(10);
    pass(10);
    expect(woken).toEqual(['with it', 'after it']);
    expect(thrown).toHaveLength(1);
    vi.restoreAllMocks();
  });

  test('keeps one timer for all waits, and none for no wait', () => {
    const clock = createClock(ticks);
    const cancels = [100, 50, 200].map((ms) => clock.wakeAt(clock.now() + ms, () => {}));
    expect(vi.getTimerCount()).toBe(1);
    for (const cancel of cancels) cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a cancelled wait never wakes, even when it is cancelled by one that wakes before it', () => {
    const clock = createClock(ticks);
    const woken: string[] = [];
    const cancels: (() => void)[] = [];
    clock.wakeAt(clock.now() + 10, () => cancels[0]?.());
    cancels.push(clock.wakeAt(clock.now() + 10, () => woken.push('cancelled')));
    pass(10);
    expect(woken).toEqual([]);
  });

  test('a deadline of thirty days is met in thirty days', () => {
    const clock = createClock(ticks);
    const days = 30 * 86_400_000;
    let woken = false;
    clock.wakeAt(clock.now() + days, () => {
      woken = true;
    });
    for (let passed = 0; passed < days - 30_000; passed += 30_000) pass(30_000);
    expect(woken).toBe(false);
    pass(30_000);
    expect(woken).toBe(true);
  });

  test('a deadline that passed while the machine slept is due soon after it wakes', () => {
    const clock = createClock(ticks);
    let woken = false;
    clock.wakeAt(clock.now() + 3_600_000, () => {
      woken = true;
    });
    slept = 8 * 3_600_000;
    pass(30_000);
    expect(woken).toBe(true);
  });

  test('the difference between the two sources that is not sleep moves nothing', () => {
    const clock = createClock(ticks);
    const before = clock.now();
    slept = 20;
    clock.wakeAt(clock.now() + 10, () => {});
    pass(10);
    expect(clock.now()).toBe(before + 10);
  });

  test('never is never', () => {
    const clock = createClock(ticks);
    clock.wakeAt(Infinity, () => {});
    expect(vi.getTimerCount()).toBe(0);
  });
});
