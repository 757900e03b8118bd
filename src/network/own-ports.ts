/**
 * The local ports of proclet's own connections to services, so that the passive watch does not take them for
 * accesses. A port is remembered for a while after its connection ended, because the kernel does so too.
 */
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';

/** Longer than TIME_WAIT, which lasts a minute. */
const memory: Millis = 65_000;

/** Between two searches for what can be forgotten. */
const sweep: Millis = 5_000;

export interface OwnPorts {
  /** A connection begins from this port. Answers what to call when it has ended, or never came about. */
  hold(port: number): (ended: 'connected' | 'refused') => void;
  has(port: number): boolean;
}

export function createOwnPorts(clock: Clock): OwnPorts {
  const held = new Map<number, number>();
  const until = new Map<number, Millis>();
  let sweptAt = clock.now();

  const forget = (now: Millis) => {
    if (now - sweptAt < sweep) return;
    sweptAt = now;
    for (const [port, end] of until) if (end <= now) until.delete(port);
  };

  return {
    hold(port) {
      held.set(port, (held.get(port) ?? 0) + 1);
      let isHeld = true;
      return (ended) => {
        if (!isHeld) return;
        isHeld = false;
        const others = (held.get(port) ?? 1) - 1;
        if (others === 0) held.delete(port);
        else held.set(port, others);
        const now = clock.now();
        forget(now);
        // What was refused leaves no trace, and a number kept for nothing would hide somebody else's access.
        if (ended === 'connected') until.set(port, now + memory);
      };
    },
    has: (port) => held.has(port) || (until.get(port) ?? -Infinity) > clock.now(),
  };
}
