/** Any number of waits of one length, for one entry in the clock. */
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';

interface Wait {
  readonly at: Millis;
  readonly wake: () => void;
}

export class Delay {
  readonly #clock: Clock;
  readonly #length: Millis;
  /** All have the same length, so the order of insertion is the order in which they are due. */
  readonly #waits = new Set<Wait>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, length: Millis) {
    this.#clock = clock;
    this.#length = length;
  }

  /** Calls `wake` once, after the length of this delay. Returns the cancel. */
  start(wake: () => void): () => void {
    const wait = { at: this.#clock.now() + this.#length, wake };
    this.#waits.add(wait);
    if (this.#cancel === undefined) this.#arm();
    return () => {
      if (this.#waits.delete(wait) && this.#waits.size === 0) this.close();
    };
  }

  /** Forgets every wait. */
  close(): void {
    this.#waits.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    this.#cancel?.();
    const [next] = this.#waits;
    this.#cancel = next === undefined ? undefined : this.#clock.wakeAt(next.at, () => this.#ring());
  }

  #ring(): void {
    const now = this.#clock.now();
    const due: Wait[] = [];
    for (const wait of this.#waits) {
      if (wait.at > now) break;
      due.push(wait);
    }
    for (const wait of due) {
      if (this.#waits.delete(wait)) wait.wake();
    }
    this.#arm();
  }
}
