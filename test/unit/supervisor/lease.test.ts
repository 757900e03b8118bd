import { describe, expect, test } from 'vitest';
import {
  type Lease,
  type LeaseInput,
  leaseDeadline,
  newLease,
  stepLease,
  warningBefore,
} from '../../../src/supervisor/lease.js';

function play(
  ttl: number,
  scenes: [at: number, input: Exclude<LeaseInput['type'], 'extend'>, effects: string[]][],
): Lease {
  let lease = newLease({ ttl, idle: Infinity });
  for (const [at, type, expected] of scenes) {
    const answer = stepLease(lease, { type }, at);
    lease = answer.lease;
    expect([at, answer.effects.map((effect) => effect.type)]).toEqual([at, expected]);
  }
  return lease;
}

describe('a lease', () => {
  test('warns a minute before its end, once, and then ends', () => {
    play(600_000, [
      [0, 'started', []],
      [539_999, 'deadline', []],
      [540_000, 'deadline', ['warn']],
      [540_001, 'deadline', []],
      [599_999, 'deadline', []],
      [600_000, 'deadline', ['expire']],
      [700_000, 'deadline', []],
    ]);
  });

  test('warns a tenth before its end when it is short', () => {
    expect(warningBefore(5_000)).toBe(500);
    expect(warningBefore(86_400_000)).toBe(60_000);
  });

  test('is not renewed by a restart', () => {
    const lease = play(10_000, [
      [0, 'started', []],
      [5_000, 'started', []],
    ]);
    expect(lease.state).toMatchObject({ is: 'running', endsAt: 10_000 });
  });

  test('begins anew when the service is started after its end', () => {
    const lease = play(10_000, [
      [0, 'started', []],
      [10_000, 'deadline', ['expire']],
      [20_000, 'started', []],
    ]);
    expect(leaseDeadline(lease)).toBe(29_000);
  });

  test('is over when the service is stopped', () => {
    expect(
      leaseDeadline(
        play(10_000, [
          [0, 'started', []],
          [1, 'stopped', []],
          [10_000, 'deadline', []],
        ]),
      ),
    ).toBe(Infinity);
  });

  test('of no length is for ever', () => {
    expect(
      leaseDeadline(
        play(Infinity, [
          [0, 'started', []],
          [1e15, 'deadline', []],
        ]),
      ),
    ).toBe(Infinity);
  });

  test('of thirty days ends in thirty days', () => {
    const days = 30 * 86_400_000;
    play(days, [
      [0, 'started', []],
      [days - 60_000, 'deadline', ['warn']],
      [days, 'deadline', ['expire']],
    ]);
  });
});
