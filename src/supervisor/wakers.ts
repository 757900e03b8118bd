/** Who waits for a service to come up, and is told when it is or will not be. */
import type { Tag } from '../model.js';

interface Waker {
  resolve(): void;
  reject(reason: Error): void;
}

export class Wakers {
  readonly #waiting = new Map<Tag, Waker[]>();

  /** Resolves when the service is up. */
  waitFor(tag: Tag): Promise<void> {
    return new Promise((resolve, reject) => {
      const wakers = this.#waiting.get(tag);
      if (wakers) wakers.push({ resolve, reject });
      else this.#waiting.set(tag, [{ resolve, reject }]);
    });
  }

  up(tag: Tag): void {
    for (const waker of this.#take(tag)) waker.resolve();
  }

  failed(tag: Tag, reason: Error): void {
    for (const waker of this.#take(tag)) waker.reject(reason);
  }

  /** Nobody will come up any more. */
  close(reason: Error): void {
    for (const tag of [...this.#waiting.keys()]) this.failed(tag, reason);
  }

  #take(tag: Tag): readonly Waker[] {
    const wakers = this.#waiting.get(tag) ?? [];
    this.#waiting.delete(tag);
    return wakers;
  }
}
