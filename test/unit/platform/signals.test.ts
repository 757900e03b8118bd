import { afterEach, describe, expect, test } from 'vitest';
import { giveBackSignals, holdSignals, onSignals } from '../../../src/platform/signals.js';

/** As the system would: to whoever listens. */
const arrive = (signal: NodeJS.Signals) => process.emit(signal, signal);
const isHeard = (signal: NodeJS.Signals) => process.listenerCount(signal) > before(signal);
const counts = new Map<string, number>();
const before = (signal: NodeJS.Signals) => counts.get(signal) ?? 0;
for (const signal of ['SIGQUIT', 'SIGHUP'] as const) counts.set(signal, process.listenerCount(signal));

afterEach(giveBackSignals);

describe('signals that are held', () => {
  test('are given to the first listener, in their order, and not twice', async () => {
    holdSignals();
    arrive('SIGQUIT');
    arrive('SIGHUP');
    const heard: string[] = [];
    const leave = onSignals(['SIGQUIT', 'SIGHUP'], (signal) => heard.push(signal));
    await Promise.resolve();
    arrive('SIGQUIT');
    leave();
    const other: string[] = [];
    onSignals(['SIGQUIT', 'SIGHUP'], (signal) => other.push(signal))();
    await Promise.resolve();
    expect([heard, other]).toEqual([['SIGQUIT', 'SIGHUP', 'SIGQUIT'], []]);
  });

  test('end nothing when the last listener has gone, until they are given back', () => {
    holdSignals();
    onSignals(['SIGQUIT'], () => {})();
    expect(isHeard('SIGQUIT')).toBe(true);
    giveBackSignals();
    expect(isHeard('SIGQUIT')).toBe(false);
  });
});
