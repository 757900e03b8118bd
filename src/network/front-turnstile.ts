/**
 * Lets a crowd into a service a few at a time. Ten thousand that waited for it to start would overrun the queue of its
 * socket (511 places in Node, 2,048 in gunicorn), and whom the kernel turns away there comes back after a second, then
 * after two more, and so on. Whoever is answered makes place; so does everybody after `turn`, answered or not.
 */
import type { Delay } from './front-delay.js';

const places = 256;
export const turn = 50;

interface Ticket {
  readonly go: () => void;
}

export class Turnstile {
  readonly #delay: Delay;
  readonly #inside = new Set<Ticket>();
  readonly #queue = new Set<Ticket>();
  #isTurning = false;

  constructor(delay: Delay) {
    this.#delay = delay;
  }

  get isEmpty(): boolean {
    return this.#inside.size + this.#queue.size === 0;
  }

  /** Calls `go`, now or when there is place. Returns what makes place for the next, or leaves the queue. */
  enter(go: () => void): () => void {
    const ticket = { go };
    this.#queue.add(ticket);
    this.#admit();
    return () => {
      this.#queue.delete(ticket);
      if (this.#inside.delete(ticket)) this.#admit();
    };
  }

  #admit(): void {
    for (const ticket of this.#queue) {
      if (this.#inside.size >= places) break;
      this.#queue.delete(ticket);
      this.#inside.add(ticket);
      ticket.go();
    }
    if (this.#queue.size === 0 || this.#isTurning) return;
    this.#isTurning = true;
    this.#delay.start(() => this.#turn());
  }

  #turn(): void {
    this.#isTurning = false;
    this.#inside.clear();
    this.#admit();
  }
}

/** A turnstile for each address that somebody goes to. */
export class Turnstiles {
  readonly #delay: Delay;
  readonly #byAddress = new Map<string, Turnstile>();

  constructor(delay: Delay) {
    this.#delay = delay;
  }

  /** As `Turnstile.enter`. */
  enter(address: string, go: () => void): () => void {
    const turnstile = this.#byAddress.get(address) ?? new Turnstile(this.#delay);
    this.#byAddress.set(address, turnstile);
    const leave = turnstile.enter(go);
    return () => {
      leave();
      if (turnstile.isEmpty && this.#byAddress.get(address) === turnstile) this.#byAddress.delete(address);
    };
  }
}
