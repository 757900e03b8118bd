/**
 * A client and a service, linked: bytes go both ways, each side's end is passed on by itself, an error of one side is
 * a reset of the other. What is HTTP/1 is read on its way, so that it is known when nothing is owed any more.
 */
import type { Socket } from 'node:net';
import type { Millis } from '../model.js';
import type { Relay } from './front-relay.js';
import { Conversation } from './http1/conversation.js';
import { isInUse } from './unread.js';

export interface Ends {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly relay: Relay;
  now(): Millis;
  /** Something happened that counts as an access. */
  accessed(): void;
  /** One side does not take what the other says. */
  held(): void;
  /** It takes it again, and all is written. */
  released(): void;
  /** The service has nothing more to say, and the client was told. */
  upstreamEnded(): void;
}

/** One way: stops reading where bytes come from while they cannot be written where they go. */
class Way {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #ends: Ends;
  #isHeld = false;
  #isLast = false;
  /** How often bytes were left. */
  holds = 0;

  constructor(from: Socket, to: Socket, ends: Ends) {
    this.#from = from;
    this.#to = to;
    this.#ends = ends;
  }

  /** Whether bytes are left to be written. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Whether more may be read at once. */
  pass(bytes: number, buffer: Uint8Array): boolean {
    this.#isHeld = !this.#ends.relay.pass(buffer, bytes, this.#to, this.#written);
    if (!this.#isHeld) return true;
    this.holds += 1;
    this.#ends.held();
    return false;
  }

  /**
   * Nothing more will come. Passed on when all is written: a socket that is told before cannot be reset any more, and
   * what is cut off would look complete.
   */
  end(): void {
    this.#isLast = true;
    if (!this.#isHeld) this.#to.end();
  }

  readonly #written = (error?: Error | null): void => {
    if (!this.#isHeld || error) return;
    this.#isHeld = false;
    this.#ends.accessed();
    if (this.#isLast) this.#to.end();
    else this.#from.resume();
    this.#ends.released();
  };
}

export class Link {
  readonly #ends: Ends;
  readonly #up: Way;
  readonly #down: Way;
  readonly #conversation = new Conversation();
  #clientSpokeAt: Millis = -Infinity;
  /** The last bytes came from the service, or none came. */
  #isAnswered = true;
  #hasUpstreamEnded = false;

  constructor(ends: Ends) {
    const { client, upstream } = ends;
    this.#ends = ends;
    this.#up = new Way(client, upstream, ends);
    this.#down = new Way(upstream, client, ends);
    this.join();
  }

  /** Whether the service owes an answer, or bytes are left to be written. */
  isInUse(now: Millis): boolean {
    if (this.#isHeld) return true;
    if (this.#hasUpstreamEnded) return false;
    if (this.isReadable) return !this.#conversation.isAtRest;
    return isInUse({ clientQuietFor: now - this.#clientSpokeAt, isAnswered: this.#isAnswered });
  }

  /** Whether nobody loses anything when the service is taken away: never where that cannot be known. */
  get isAtRest(): boolean {
    return !this.#isHeld && (this.#hasUpstreamEnded || this.#conversation.isAtRest);
  }

  /** Whether it is known where requests begin: then the next one may go to another service. */
  get isReadable(): boolean {
    return this.#conversation.speech === 'http';
  }

  /** The number of times that bytes of the client were left, if some are left now. */
  get hold(): number | undefined {
    return this.#up.isHeld ? this.#up.holds : undefined;
  }

  /** Whether the service could be asked once more. */
  get isOpen(): boolean {
    const { upstream } = this.#ends;
    return !upstream.destroyed && !upstream.readableEnded && !this.#hasUpstreamEnded;
  }

  /**
   * Reads what the client says: all of it, or up to where one more request begins than may. Returns how many bytes
   * are to be passed on; the others are for another service.
   */
  read(bytes: number, buffer: Buffer, mayBegin: number): number {
    let at = 0;
    let begun = 0;
    while (at < bytes) {
      if (this.#conversation.beginsRequest(buffer, at, bytes)) {
        if (begun === mayBegin) return at;
        begun += 1;
      }
      at = this.#conversation.fromClient(buffer, at, bytes);
    }
    return bytes;
  }

  /** Whether more may be read at once. */
  pass(bytes: number, buffer: Buffer): boolean {
    this.#clientSpokeAt = this.#ends.now();
    this.#isAnswered = false;
    return this.#up.pass(bytes, buffer);
  }

  /** Whether more may be read at once. */
  fromUpstream(bytes: number, buffer: Buffer): boolean {
    this.#isAnswered = true;
    this.#conversation.fromService(buffer, 0, bytes);
    return this.#down.pass(bytes, buffer);
  }

  clientEnded(): void {
    const { client, relay } = this.#ends;
    if (relay.isBroken(client)) client.destroy(new Error('the client broke the connection'));
    else this.#up.end();
  }

  /** Is told of the upstream's end, from the beginning and again after `part`. */
  join(): void {
    this.#ends.upstream.on('end', this.#upstreamEnded);
  }

  part(): void {
    this.#ends.upstream.off('end', this.#upstreamEnded);
  }

  get #isHeld(): boolean {
    return this.#up.isHeld || this.#down.isHeld;
  }

  readonly #upstreamEnded = (): void => {
    const { upstream, relay } = this.#ends;
    if (relay.isBroken(upstream)) {
      upstream.destroy(new Error('the service broke the connection'));
      return;
    }
    const isOwed = this.isReadable ? !this.#conversation.isAtRest : !this.#isAnswered;
    if (isOwed) this.#ends.accessed(); // the exchange ends with the connection, or without an answer
    this.#hasUpstreamEnded = true;
    this.#down.end();
    this.#ends.upstreamEnded();
  };
}

/** Tells the other end that the connection broke, where that can be told. */
export function reset(socket: Socket): void {
  // While libuv ends the socket it refuses to reset it, and `net` then never closes it. All bytes are written by then.
  const isEnding = socket.writableEnded && !socket.writableFinished;
  try {
    if (isEnding) socket.destroy();
    else socket.resetAndDestroy();
  } catch {
    socket.destroy(); // ERR_INVALID_HANDLE_TYPE: a unix socket has no reset
  }
}
