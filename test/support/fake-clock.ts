import type { Millis } from '../../src/model.js';
import type { Clock } from '../../src/ports.js';

/** A clock that moves when it is told to, and fires what is due on the way. */
export class FakeClock implements Clock {
  #now: Millis = 0;
  readonly #waits = new Set<{ at: Millis; wake: () => void }>();

  now = () => this.#now;
  wall = () => Date.UTC(2026, 0, 1) + this.#now;

  wakeAt(at: Millis, wake: () => void): () => void {
    const wait = { at, wake };
    if (at !== Infinity) this.#waits.add(wait);
    return () => this.#waits.delete(wait);
  }

  /** How many waits are armed. */
  get waiting(): number {
    return this.#waits.size;
  }

  advance(by: Millis): void {
    const until = this.#now + by;
    for (;;) {
      const [next] = [...this.#waits].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#waits.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
    this.#now = until;
  }
}
