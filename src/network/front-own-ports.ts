/** The local ports of a front's own connections to a service, so that an observer of the kernel's tables can leave them out. */
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';

/** The kernel shows a closed connection for a minute (TIME_WAIT); observers may be late. */
const remembered: Millis = 120_000;

export class OwnPorts {
  readonly #clock: Clock;
  readonly #open = new Set<number>();
  /** When each was closed, in that order. */
  readonly #closed = new Map<number, Millis>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(port: number): boolean {
    if (this.#open.has(port)) return true;
    const closedAt = this.#closed.get(port);
    return closedAt !== undefined && this.#clock.now() - closedAt <= remembered;
  }

  opened(port: number): void {
    this.#open.add(port);
  }

  closed(port: number): void {
    const now = this.#clock.now();
    this.#open.delete(port);
    this.#closed.delete(port); // a port that is used again goes to the end of the order
    this.#closed.set(port, now);
    for (const [old, closedAt] of this.#closed) {
      if (now - closedAt <= remembered) break;
      this.#closed.delete(old);
    }
  }
}
