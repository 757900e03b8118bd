/**
 * The end of a client for which there is no service: it gets a page if it speaks HTTP/1, and is closed in any case. It
 * has a moment to say what it speaks, and another to hang up.
 */
import type { Socket } from 'node:net';
import { beginsLikeHttp, refusalPage, speechOf } from './front-refusal.js';
import { hasRoom } from './front-stage.js';
import type { Surroundings } from './front-surroundings.js';

export interface Parting {
  readonly client: Socket;
  readonly around: Pick<Surroundings, 'delays' | 'refusal' | 'accessed'>;
  /** Why there is none. */
  readonly error: unknown;
  /** It did not hang up in time. */
  readonly late: () => void;
}

export class Farewell {
  readonly #with: Parting;
  #first: Buffer[];
  #isLeaving = false;
  #hasClientEnded: boolean;
  #cancel: () => void;

  constructor(parting: Parting, first: Buffer[], hasClientEnded: boolean) {
    this.#with = parting;
    this.#first = first;
    this.#hasClientEnded = hasClientEnded;
    this.#cancel = parting.around.delays.speak.start(() => this.leave());
  }

  /** Answers as soon as it is clear what the client speaks. */
  judge(): void {
    if (this.#isLeaving) return;
    const { around, error } = this.#with;
    const isEnough = !hasRoom(this.#first);
    const first = Buffer.concat(this.#first);
    const speech = speechOf(first);
    const isHttp = speech === 'http' || (isEnough && beginsLikeHttp(first));
    if (isHttp) this.leave(refusalPage(around.refusal(error), first));
    else if (speech === 'other' || this.#hasClientEnded || isEnough) this.leave();
  }

  leave(lastWords = ''): void {
    if (this.#isLeaving) return;
    const { client, around, late } = this.#with;
    this.#cancel();
    this.#isLeaving = true;
    this.#first = [];
    this.#cancel = around.delays.hangUp.start(late);
    client.end(lastWords, around.accessed);
    client.resume();
  }

  /** Whether more may be read at once. Once it leaves, what is read is thrown away: unread bytes would reset the peer. */
  fromClient(bytes: Buffer): boolean {
    if (!this.#isLeaving) {
      this.#first.push(bytes);
      this.judge();
    }
    return this.#isLeaving || hasRoom(this.#first);
  }

  clientEnded(): void {
    this.#hasClientEnded = true;
    this.judge();
  }

  close(): void {
    this.#cancel();
  }
}
