/**
 * The front: a TCP proxy in this process, one for each public address that has to be held while its service sleeps,
 * changes or is several. It passes bytes on, changes none and needs not know what they mean, so whatever speaks over
 * TCP works through it: HTTP/1, HTTP/2, WebSocket, Redis, PostgreSQL. It adds nothing to them, but for the PROXY
 * protocol's header where that is asked for, and answers by itself only a client for whom there is no service. What is
 * HTTP/1 it reads on its way, to know what is owed and where the next request begins.
 *
 * Not seen: bytes that the kernel holds for a slow client after the front has handed over the last of them (up to
 * net.ipv4.tcp_wmem).
 */
import type { AddressInfo } from 'node:net';
import type { Address, Millis } from '../model.js';
import type { Clock } from '../ports.js';
import { Connection } from './front-connection.js';
import { Delay } from './front-delay.js';
import { type Arrival, listen, listenOn, type Means } from './front-listen.js';
import { LostClients } from './front-lost-clients.js';
import { OwnPorts } from './front-own-ports.js';
import type { Refusal } from './front-refusal.js';
import { Relay } from './front-relay.js';
import { heldWhileWaiting } from './front-stage.js';
import type { Surroundings } from './front-surroundings.js';
import { Turnstiles, turn } from './front-turnstile.js';
import { betweenAttempts } from './front-upstream.js';
import { Writer } from './front-write.js';
import { type SharedSocket, shareSocket } from './share-socket.js';
import type { Ids } from './socket-file.js';

export type { Address };

/** Connections that may wait for a service at once, unless `waitingLimit` says otherwise. */
export const defaultWaitingLimit = 16_384;

/** A refused client that says nothing for so long is closed without a page. */
const speakWithin: Millis = 250;
/** Between two looks at the connections that are seen off. */
const betweenDrains: Millis = 20;

/** A refused client that does not hang up for so long is cut off. */
const hangUpWithin: Millis = 2_000;

/** A client whose service was taken away while nothing was owed is closed if it asks for nothing for so long. */
const parkedFor: Millis = 60_000;

export interface FrontOptions {
  readonly clock: Clock;
  /** The public address. A path gets mode 0600, and replaces a socket that nobody listens on. */
  readonly listen: Address;
  /**
   * Called for each new connection: the address to connect to, now or later (the service may have to be started
   * first). When it rejects, the client is refused. With `current`, for the next request of a client that is connected
   * there already: the same address keeps it there.
   */
  readonly target: (current?: Address) => Address | Promise<Address>;
  /**
   * Whether `target` is asked for every HTTP/1 request, not only for the first of a connection. A connection that is
   * not HTTP/1 stays where it is, and what its client says calls `target` in vain.
   */
  readonly asksAgain?: () => boolean;
  /** What an HTTP/1 client reads with status 502 when there is no service for it; any other client is closed. */
  readonly refusal: (error: unknown) => Refusal;
  /** Whether services are told who connects, in the PROXY protocol, version 2. Looked at for each connection. */
  readonly proxyProtocol: boolean;
  /** Whose a Unix socket is to be. */
  readonly ids?: Ids | undefined;
  /** Most connections that wait for `target` and its service at once; one more is closed at once. */
  readonly waitingLimit?: number;
  /** A socket that listens at the address already; the front then owns it. */
  readonly socket?: object;
  /** `fast` unless told otherwise: see front-listen.ts and front-write.ts. */
  readonly means?: Means;
}

export interface Front {
  /** As bound: port 0 is resolved. */
  readonly address: Address;
  /**
   * When the last access was, on the clock's `now`: a connection was opened, bytes moved either way, or an exchange
   * that was in flight ended. `-Infinity` before the first.
   */
  readonly lastAccess: Millis;
  readonly connections: number;
  /** Connections that wait for `target`, or to be connected to what it answered. */
  readonly waiting: number;
  /**
   * Connections that wait, for which bytes are still buffered towards either side, or on which an answer is owed: of
   * HTTP/1 until its last byte, of anything else as in unread.ts. An HTTP/1 connection at rest is none of these.
   */
  readonly inFlight: number;
  /** Whether a local port is, or was in the last two minutes, that of one of the front's connections to a service. */
  isOwnPort(port: number): boolean;
  /**
   * Sees its connections to this upstream off: each is closed when nothing is owed on it, while its client may stay
   * and is led to `target` with its next request. What is not HTTP/1 is left to end by itself. Resolves when none is
   * left, or after `within`.
   */
  drain(upstream: Address, within: Millis): Promise<void>;
  /** Another handle of the socket that listens, for when this one is closed. */
  share(): Promise<SharedSocket>;
  /** Stops accepting; open connections go on. */
  stopListening(): Promise<void>;
  /** Closes everything now. */
  close(): Promise<void>;
}

/** Rejects with what `listen` says: EADDRINUSE, EACCES ... */
export async function openFront(options: FrontOptions): Promise<Front> {
  const clients = new Clients(options);
  const { listen: wanted, socket, means = 'fast' } = options;
  const admit = (arrival: Arrival) => clients.admit(arrival);
  const server = await (socket === undefined
    ? listen(wanted, means, admit, options.ids)
    : listenOn(socket, means, admit));
  const bound = server.address();
  const address = bound === null || typeof bound === 'string' ? wanted : addressOf(bound);

  /** The sockets that listen are closed when `close` returns; the server's own event would wait for connections. */
  async function stopListening(): Promise<void> {
    if (server.listening) server.close();
  }

  return {
    address,
    get lastAccess() {
      return clients.lastAccess;
    },
    get connections() {
      return clients.count;
    },
    get waiting() {
      return clients.waiting;
    },
    get inFlight() {
      return clients.inFlight;
    },
    isOwnPort: (port) => clients.isOwnPort(port),
    drain: (upstream, within) => clients.drain(upstream, within),
    share: () => shareSocket((server as unknown as { _handle: object })._handle),
    stopListening,
    async close() {
      const stopped = stopListening();
      clients.close(); // before anything is awaited: all sockets are closed when this returns
      await stopped;
    },
  };
}

function addressOf({ address, port }: AddressInfo): Address {
  return { host: address, port };
}

/** The connections of a front, and what is known about them together. */
class Clients {
  lastAccess: Millis = -Infinity;
  waiting = 0;
  readonly #all = new Set<Connection>();
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #around: Surroundings;

  readonly #lost: LostClients;
  #isUsing = false;

  constructor(options: FrontOptions) {
    const { clock, listen: address, target, refusal, waitingLimit, means } = options;
    this.#limit = waitingLimit ?? defaultWaitingLimit;
    this.#clock = clock;
    const turnstile = new Delay(clock, turn);
    const relay = new Relay(new Writer(means === 'documented' ? 'none' : process.versions.node));
    this.#lost = new LostClients({ clock, relay, all: this.#all });
    this.#around = {
      relay,
      ports: new OwnPorts(clock),
      turnstiles: new Turnstiles(turnstile),
      vestibule: Buffer.allocUnsafeSlow(heldWhileWaiting),
      delays: {
        attempt: new Delay(clock, betweenAttempts),
        turn: turnstile,
        speak: new Delay(clock, speakWithin),
        hangUp: new Delay(clock, hangUpWithin),
        park: new Delay(clock, parkedFor),
      },
      get tell() {
        return options.proxyProtocol ? address : undefined;
      },
      target,
      asksAgain: options.asksAgain ?? (() => false),
      used: () => this.#use(target),
      refusal,
      accessed: () => {
        this.lastAccess = clock.now();
      },
      held: () => this.#lost.watch(),
      now: () => clock.now(),
      waits: () => {
        this.waiting += 1;
      },
      settled: () => {
        this.waiting -= 1;
      },
      left: (connection) => this.#all.delete(connection),
    };
  }

  get count(): number {
    return this.#all.size;
  }

  get inFlight(): number {
    const now = this.#clock.now();
    let count = 0;
    for (const connection of this.#all) if (connection.isInFlight(now)) count += 1;
    return count;
  }

  isOwnPort(port: number): boolean {
    return this.#around.ports.has(port);
  }

  admit(arrival: Arrival): void {
    this.#around.accessed();
    if (this.waiting >= this.#limit) {
      arrival.drop();
      return;
    }
    this.waiting += 1;
    const connection = new Connection(arrival, this.#around);
    this.#all.add(connection);
    connection.seekTarget();
  }

  async drain(upstream: Address, within: Millis): Promise<void> {
    const until = this.#clock.now() + within;
    const going = [...this.#all].filter((connection) => connection.leave(upstream));
    for (;;) {
      const now = this.#clock.now();
      const left = going.filter((connection) => connection.isLeaving());
      if (left.length === 0 || now >= until) return;
      await new Promise<void>((resolve) => void this.#clock.wakeAt(now + betweenDrains, resolve));
    }
  }

  close(): void {
    for (const connection of this.#all) connection.destroy();
    for (const delay of Object.values(this.#around.delays)) delay.close();
    this.#lost.close();
  }

  /** One question at a time: what its answer is does not matter, only that it was asked. */
  #use(target: FrontOptions['target']): void {
    if (this.#isUsing) return;
    this.#isUsing = true;
    const done = () => {
      this.#isUsing = false;
    };
    new Promise((resolve) => resolve(target())).then(done, done);
  }
}
