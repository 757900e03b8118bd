/** Whether somebody takes connections at a port, where the kernel shows no sockets: asked in turn, and known at the next question. */
import type { Clock } from '../ports.js';
import { attempt } from './attempt.js';

export interface Knocks {
  /** As of the last connection that was tried; tries another one unless one is under way or was taken. */
  answers(port: number): boolean;
  close(): void;
}

export function createKnocks(clock: Clock): Knocks {
  const taken = new Set<number>();
  const underWay = new Map<number, () => void>();
  const knock = (port: number, [host, ...others]: readonly string[]): void => {
    if (host === undefined) return void underWay.delete(port);
    const cancel = attempt({
      ...{ clock, host, port, path: undefined, onAttemptPort: undefined },
      ended({ isReady }) {
        if (isReady) taken.add(port);
        knock(port, isReady ? [] : others);
      },
    });
    underWay.set(port, cancel);
  };
  return {
    answers(port) {
      if (taken.delete(port)) return true;
      if (!underWay.has(port)) knock(port, ['127.0.0.1', '::1']);
      return false;
    },
    close() {
      for (const cancel of underWay.values()) cancel();
      underWay.clear();
    },
  };
}
