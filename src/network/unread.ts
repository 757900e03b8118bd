/**
 * When a connection counts as in use whose bytes say nothing to proclet: TLS, HTTP/2, a database's protocol, a
 * WebSocket, and every connection that is only seen in the kernel's tables. What came back need not be the answer (TLS
 * sends session tickets, HTTP/2 window updates), so a client has time after its last word whatever came back.
 */
import type { Millis } from '../model.js';

/** Something came back: twice as long as proxies commonly wait for an answer that does not come. */
const answered: Millis = 2 * 60_000;

/** Nothing came back: a client that got no answer for this long has none coming. */
const unanswered: Millis = 15 * 60_000;

export interface LastWords {
  /** How long ago the client's last bytes came; Infinity if it never said anything. */
  readonly clientQuietFor: Millis;
  /** Whether the service has said something since. */
  readonly isAnswered: boolean;
}

export function isInUse({ clientQuietFor, isAnswered }: LastWords): boolean {
  return clientQuietFor < (isAnswered ? answered : unanswered);
}
