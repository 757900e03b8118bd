/**
 * Time. Every wait of the program is an entry in this one table, and one timer serves it.
 *
 * `performance.now()` stands still while the machine sleeps; `os.uptime()` does not (CLOCK_BOOTTIME on
 * Linux). The difference between the two is time asleep and is added, so that a deadline that passed
 * while the lid was closed is due on wake. The timer is re-armed at least every `longestNap`, which bounds
 * how late that is noticed and keeps any length of wait clear of setTimeout's 24.8 days.
 */
import { uptime } from 'node:os';
import { sparing } from '../errors.js';
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';

const longestNap: Millis = 30_000;

/** `os.uptime()` ticks in hundredths of a second; a smaller difference than this is not sleep. */
const jitter: Millis = 500;

interface Wait {
  readonly at: Millis;
  readonly wake: () => void;
}

/** The clock's two sources, so that a test can put the machine to sleep. */
export interface Ticks {
  /** Stands still during sleep, milliseconds. */
  awake(): Millis;
  /** Goes on during sleep, milliseconds. */
  booted(): Millis;
}

const machine: Ticks = { awake: () => performance.now(), booted: () => uptime() * 1_000 };

export function createClock(ticks: Ticks = machine): Clock & { close(): void } {
  const waits = new Set<Wait>();
  const apart = ticks.booted() - ticks.awake();
  let slept = 0;
  let timer: NodeJS.Timeout | undefined;
  let armedFor = Infinity;

  const now = () => ticks.awake() + slept;

  function countSleep(): void {
    const drift = ticks.booted() - ticks.awake() - apart;
    if (drift - slept > jitter) slept = drift;
  }

  function arm(): void {
    let least = Infinity;
    for (const { at } of waits) least = Math.min(least, at);
    if (timer !== undefined && least === armedFor) return;
    clearTimeout(timer);
    armedFor = least;
    timer = least === Infinity ? undefined : setTimeout(tick, Math.min(Math.max(least - now(), 0), longestNap));
  }

  function tick(): void {
    timer = undefined;
    countSleep();
    const due = [...waits].filter(({ at }) => at <= now()).sort((a, b) => a.at - b.at);
    for (const wait of due) {
      // The other waits, and those to come, have nothing to do with what one of them throws.
      if (waits.delete(wait)) sparing(wait.wake);
    }
    arm();
  }

  return {
    now,
    wall: () => Date.now(),
    wakeAt(at, wake) {
      if (at === Infinity) return () => {};
      const wait = { at, wake };
      waits.add(wait);
      arm();
      return () => {
        if (waits.delete(wait)) arm();
      };
    },
    close() {
      waits.clear();
      arm();
    },
  };
}
