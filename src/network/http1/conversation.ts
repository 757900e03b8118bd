/**
 * What a client and a service say to each other over one connection: whether it is HTTP/1, and if so, which requests
 * have begun and are not answered to the last byte. Fed with every byte of both directions in the order in which they
 * pass; pure, and never wrong on the side of rest: what it cannot read it calls unreadable, and for good.
 *
 *   requests ──> (begun, answered?)* ──> at rest when all is complete
 *       └── 101, or a tunnel by CONNECT ──> channel: any bytes
 *       └── what HTTP/1 does not allow ──> unreadable: any bytes
 */
import {
  fieldsThatFrame,
  framingOfAnswer,
  framingOfRequest,
  isRequestLine,
  isStatusLine,
  kindOfAnswer,
  type Request,
  requestOf,
  statusOf,
} from './framing.js';
import { MessageReader } from './message-reader.js';

/** `channel`: what was HTTP/1 and is now whatever both agreed on. */
export type Speech = 'http' | 'channel' | 'unreadable';

export class Conversation {
  /** Nothing was said yet, or HTTP/1 so far. */
  #speech: Speech = 'http';
  readonly #requests: MessageReader;
  readonly #answers: MessageReader;
  /** Whose answers are not complete, in their order; the head of each was read. */
  readonly #unanswered: Request[] = [];
  #isInterim = false;
  /** Bytes came behind an offer to speak something else that nobody has answered: they may be anything. */
  #hasGuessed = false;

  constructor() {
    this.#requests = new MessageReader({
      wanted: fieldsThatFrame,
      isStartLine: isRequestLine,
      framing: (head) => {
        this.#unanswered.push(requestOf(head));
        return framingOfRequest(head);
      },
    });
    this.#answers = new MessageReader({
      wanted: fieldsThatFrame,
      isStartLine: isStatusLine,
      framing: (head) => {
        const request = this.#unanswered[0];
        if (request === undefined) return 'unreadable';
        const status = statusOf(head);
        const kind = kindOfAnswer(status, request);
        if (kind === 'channel') this.#speech = 'channel';
        this.#isInterim = kind === 'interim';
        return kind === 'final' ? framingOfAnswer(head, status, request) : 0;
      },
    });
  }

  get speech(): Speech {
    return this.#speech;
  }

  /** Whether all that was asked was answered, and nothing is under way. Never where it cannot be known. */
  get isAtRest(): boolean {
    const { isBetween } = this.#requests;
    return this.#speech === 'http' && isBetween && this.#answers.isBetween && this.#unanswered.length === 0;
  }

  /** Whether a new request begins with these bytes of the client. */
  beginsRequest(bytes: Buffer, from: number, to: number): boolean {
    return this.#speech === 'http' && !this.#mayBeAnything && this.#requests.begins(bytes, from, to);
  }

  /** Reads up to the end of one request, at most. Returns the place behind what was read. */
  fromClient(bytes: Buffer, from: number, to: number): number {
    if (this.#speech !== 'http' || from === to) return to;
    if (this.#mayBeAnything) {
      this.#hasGuessed = true;
      return to;
    }
    const at = this.#requests.read(bytes, from, to);
    if (this.#requests.isUnreadable) this.#speech = 'unreadable';
    return at;
  }

  fromService(bytes: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to && this.#speech === 'http') {
      const begins = this.#answers.begins(bytes, at, to);
      if (this.#answers.isBetween && !begins) return;
      if (begins && this.#unanswered.length === 0) this.#speech = 'unreadable';
      else at = this.#answers.read(bytes, at, to);
      if (this.#answers.isUnreadable) this.#speech = 'unreadable';
      else if (this.#answers.isBetween) this.#answered();
    }
  }

  get #mayBeAnything(): boolean {
    const last = this.#unanswered.at(-1);
    return last !== undefined && (last.isUpgrade || last.isConnect) && this.#requests.isBetween;
  }

  #answered(): void {
    if (this.#isInterim || this.#speech !== 'http') return;
    this.#unanswered.shift();
    if (this.#hasGuessed) this.#speech = 'unreadable';
  }
}
