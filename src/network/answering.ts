/** The lives that accept connections and have nothing else to show before they are used, and who waits for one of them. */
import { lifeKey } from '../life-key.js';
import type { InstanceId, Millis } from '../model.js';
import type { Clock, Life } from '../ports.js';

/** A client is held for so long for what is up and does not listen yet. */
const listensWithin: Millis = 30_000;

export class Answering {
  readonly #clock: Clock;
  readonly #lives = new Map<string, Life>();
  readonly #waiting = new Set<() => void>();
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(life: Life): void {
    this.#lives.set(lifeKey(life), life);
    this.#tell();
  }

  /** It ends, or is about to. */
  delete(life: Life): void {
    this.#lives.delete(lifeKey(life));
    this.#tell();
  }

  of(ids: readonly InstanceId[]): readonly Life[] {
    return [...this.#lives.values()].filter(({ id }) => ids.includes(id));
  }

  /**
   * Those of the lives that accept connections. What is to (`mustAnswer`) and does not yet is waited for, until none is left,
   * or for a time.
   */
  async choose(lives: () => readonly Life[], mustAnswer: (life: Life) => boolean): Promise<readonly Life[]> {
    const until = this.#clock.now() + listensWithin;
    for (;;) {
      const all = lives();
      const there = all.filter((life) => !mustAnswer(life) || this.#lives.has(lifeKey(life)));
      if (there.length > 0) return there;
      if (all.length === 0 || this.#isClosed || this.#clock.now() >= until) return all;
      await this.#change(until);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#tell();
  }

  #change(until: Millis): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#waiting.delete(done);
        cancel();
        resolve();
      };
      const cancel = this.#clock.wakeAt(until, done);
      this.#waiting.add(done);
    });
  }

  #tell(): void {
    for (const done of [...this.#waiting]) done();
  }
}
