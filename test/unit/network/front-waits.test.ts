/** What the front keeps in time: delays, the ports it remembers, and whom it lets in. */
import { describe, expect, test } from 'vitest';
import { Delay } from '../../../src/network/front-delay.js';
import { OwnPorts } from '../../../src/network/front-own-ports.js';
import { Turnstile, Turnstiles } from '../../../src/network/front-turnstile.js';
import { FakeClock } from '../../support/fake-clock.js';

describe('a delay', () => {
  test('wakes each after its length, in order, with one entry in the clock', () => {
    const clock = new FakeClock();
    const delay = new Delay(clock, 100);
    const woken: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      delay.start(() => woken.push(`${name} at ${clock.now()}`));
      clock.advance(10);
    }
    expect(clock.waiting).toBe(1);
    clock.advance(1_000);
    expect(woken).toEqual(['a at 100', 'b at 110', 'c at 120']);
    expect(clock.waiting).toBe(0);
  });

  test('does not wake who cancelled, even in the very moment', () => {
    const clock = new FakeClock();
    const delay = new Delay(clock, 100);
    const woken: string[] = [];
    let cancelSecond = () => {};
    delay.start(() => {
      woken.push('first');
      cancelSecond();
    });
    cancelSecond = delay.start(() => woken.push('second'));
    const cancelThird = delay.start(() => woken.push('third'));
    cancelThird();
    clock.advance(100);
    expect(woken).toEqual(['first']);
    expect(clock.waiting).toBe(0);
  });

  test('can be started while it wakes, and leaves nothing when closed', () => {
    const clock = new FakeClock();
    const delay = new Delay(clock, 100);
    let times = 0;
    const again = () => {
      times += 1;
      delay.start(again);
    };
    delay.start(again);
    clock.advance(350);
    expect(times).toBe(3);
    delay.close();
    expect(clock.waiting).toBe(0);
    clock.advance(350);
    expect(times).toBe(3);
  });
});

describe('own ports', () => {
  test('are known while they are open and for two minutes after', () => {
    const clock = new FakeClock();
    const ports = new OwnPorts(clock);
    ports.opened(40_000);
    clock.advance(1e9);
    expect(ports.has(40_000)).toBe(true);
    ports.closed(40_000);
    clock.advance(120_000);
    expect(ports.has(40_000)).toBe(true);
    clock.advance(1);
    expect(ports.has(40_000)).toBe(false);
    expect(ports.has(40_001)).toBe(false);
  });

  test('that are used again count from their last end', () => {
    const clock = new FakeClock();
    const ports = new OwnPorts(clock);
    for (const port of [1, 2, 1]) {
      ports.opened(port);
      ports.closed(port);
      clock.advance(60_000);
    }
    ports.opened(3);
    ports.closed(3);
    expect([1, 2, 3].map((port) => ports.has(port))).toEqual([true, true, true]);
    clock.advance(1);
    expect([1, 2, 3].map((port) => ports.has(port))).toEqual([true, false, true]);
  });
});

describe('a turnstile', () => {
  function crowdBefore(turnstile: Turnstile, size: number) {
    const inside: number[] = [];
    const leave = Array.from({ length: size }, (_, index) => turnstile.enter(() => inside.push(index)));
    return { inside, leave };
  }

  test('lets 256 in, one more for each that leaves, and the others after 50 ms anyway', () => {
    const clock = new FakeClock();
    const turnstile = new Turnstile(new Delay(clock, 50));
    const { inside, leave } = crowdBefore(turnstile, 1_000);
    expect(inside.length).toBe(256);
    leave[0]?.();
    leave[0]?.();
    leave[7]?.();
    expect(inside.length).toBe(258);
    clock.advance(49);
    expect(inside.length).toBe(258);
    clock.advance(1);
    expect(inside.length).toBe(258 + 256);
    clock.advance(100);
    expect(inside).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
    expect(clock.waiting).toBe(0);
  });

  test('forgets who leaves the queue', () => {
    const clock = new FakeClock();
    const turnstile = new Turnstile(new Delay(clock, 50));
    const { inside, leave } = crowdBefore(turnstile, 258);
    leave[256]?.();
    clock.advance(50);
    expect(inside.at(-1)).toBe(257);
    expect(inside.includes(256)).toBe(false);
  });

  test('keeps one address out of the way of another', () => {
    const turnstiles = new Turnstiles(new Delay(new FakeClock(), 50));
    let stuck = 0;
    let served = 0;
    for (let i = 0; i < 500; i += 1) {
      turnstiles.enter('stuck', () => {
        stuck += 1;
      });
    }
    turnstiles.enter('healthy', () => {
      served += 1;
    });
    expect({ stuck, served }).toEqual({ stuck: 256, served: 1 });
  });
});
