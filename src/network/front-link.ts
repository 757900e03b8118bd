/**
 * A client and a service, linked: bytes go both ways, each side's end is passed on by itself, an error of one side is
 * a reset of the other. Nothing is known about what the bytes mean.
 */
import type { Socket } from 'node:net';
import type { Relay } from './front-relay.js';

export interface Ends {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly relay: Relay;
  /** Something happened that counts as an access. */
  accessed(): void;
}

/** One way: stops reading where bytes come from while they cannot be written where they go. */
class Way {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #relay: Relay;
  readonly #accessed: () => void;
  #isHeld = false;
  #isLast = false;

  constructor(from: Socket, to: Socket, { relay, accessed }: Ends) {
    this.#from = from;
    this.#to = to;
    this.#relay = relay;
    this.#accessed = accessed;
  }

  /** Whether bytes are left to be written. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Whether more may be read at once. */
  pass(bytes: number, buffer: Uint8Array): boolean {
    this.#isHeld = !this.#relay.pass(buffer, bytes, this.#to, this.#written);
    return !this.#isHeld;
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
    this.#accessed();
    if (this.#isLast) this.#to.end();
    else this.#from.resume();
  };
}

export class Link {
  readonly #ends: Ends;
  readonly #up: Way;
  readonly #down: Way;
  /** The last bytes came from the client, and the service may still answer. */
  #isOwed = false;

  constructor(ends: Ends) {
    const { client, upstream } = ends;
    this.#ends = ends;
    this.#up = new Way(client, upstream, ends);
    this.#down = new Way(upstream, client, ends);
    upstream.on('end', () => this.#upstreamEnded());
  }

  get isInFlight(): boolean {
    return this.#isOwed || this.#up.isHeld || this.#down.isHeld;
  }

  fromClient(bytes: number, buffer: Uint8Array): boolean {
    this.#isOwed = true;
    return this.#up.pass(bytes, buffer);
  }

  fromUpstream(bytes: number, buffer: Uint8Array): boolean {
    this.#isOwed = false;
    return this.#down.pass(bytes, buffer);
  }

  clientEnded(): void {
    const { client, relay } = this.#ends;
    if (relay.isBroken(client)) client.destroy(new Error('the client broke the connection'));
    else this.#up.end();
  }

  #upstreamEnded(): void {
    const { upstream, relay } = this.#ends;
    if (relay.isBroken(upstream)) {
      upstream.destroy(new Error('the service broke the connection'));
      return;
    }
    if (this.#isOwed) this.#ends.accessed(); // the exchange ended without an answer
    this.#isOwed = false;
    this.#down.end();
  }
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
