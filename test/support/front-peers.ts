/** Fronts, services and clients for tests of the front: real sockets on 127.0.0.1, closed after each test. */
import net from 'node:net';
import { afterEach } from 'vitest';
import { type Address, type Front, type FrontOptions, openFront } from '../../src/network/front.js';
import { createClock } from '../../src/platform/clock.js';
import { eventually } from './eventually.js';

const endings: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

export const loopback: Address = { host: '127.0.0.1', port: 0 };

/** A front with what a test does not say filled in. */
export async function front(options: Partial<FrontOptions> & Pick<FrontOptions, 'target'>): Promise<Front> {
  const clock = options.clock ?? realClock();
  const refusal = (error: unknown) => ({ title: 'web did not start', lines: [String(error)] });
  const opened = await openFront({ listen: loopback, refusal, proxyProtocol: false, ...options, clock });
  endings.push(() => opened.close());
  return opened;
}

function realClock() {
  const clock = createClock();
  endings.push(() => clock.close());
  return clock;
}

export interface Service {
  readonly address: Address;
  readonly peers: Peer[];
  /** The next connection that was not yet asked for. */
  next(): Promise<Peer>;
  /** Stops listening. */
  leave(): void;
}

/** Something that listens; the peer is its side of a connection. */
export async function service(
  accepted: (peer: Peer) => void = () => {},
  address: net.ListenOptions = loopback as net.ListenOptions,
): Promise<Service> {
  const peers: Peer[] = [];
  let given = 0;
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    const peer = new Peer(socket);
    peers.push(peer);
    accepted(peer);
  });
  await new Promise<void>((resolve) => void server.listen(address, 4096, resolve));
  endings.push(() => void server.close());
  const bound = server.address();
  if (bound === null) throw new Error('not bound');
  return {
    address: typeof bound === 'string' ? { path: bound } : { host: bound.address, port: bound.port },
    peers,
    next: () =>
      eventually(() => {
        const peer = peers[given];
        if (peer === undefined) throw new Error('nobody connected');
        given += 1;
        return peer;
      }),
    leave: () => void server.close(),
  };
}

/** A service that says back what it hears. */
export function echo(address?: net.ListenOptions): Promise<Service> {
  return service((peer) => {
    peer.read();
    peer.socket.on('data', (chunk) => peer.socket.write(chunk));
    peer.socket.on('end', () => peer.socket.end());
  }, address);
}

/** Connects a client that reads. */
export async function client(address: Address): Promise<Peer> {
  const peer = await silentClient(address);
  peer.read();
  return peer;
}

/** Connects a client that does not read before `read()`. */
export async function silentClient(address: Address): Promise<Peer> {
  const socket = net.connect({ ...address, allowHalfOpen: true, noDelay: true });
  socket.pause();
  const peer = new Peer(socket);
  await new Promise<void>((resolve, reject) => void socket.once('connect', resolve).once('error', reject));
  return peer;
}

/** Waits until a number has stopped changing: the same five times in a row. */
export async function standsStill(measure: () => number): Promise<void> {
  let last = Number.NaN;
  let times = 0;
  await eventually(() => {
    const now = measure();
    times = now === last ? times + 1 : 0;
    last = now;
    if (times < 5) throw new Error(`still moving: ${now}`);
  });
}

/** One end of a connection. It closes when both sides have ended, not by itself when the other has. */
export class Peer {
  readonly socket: net.Socket;
  readonly #chunks: Buffer[] = [];
  bytes = 0;
  hasEnded = false;
  /** The error's code, or 'closed' for an orderly end. */
  closedBy: string | undefined;

  constructor(socket: net.Socket) {
    this.socket = socket;
    let code: string | undefined;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code ?? error.message;
    });
    socket.on('end', () => {
      this.hasEnded = true;
    });
    socket.on('close', () => {
      this.closedBy = code ?? 'closed';
    });
    endings.push(() => void socket.destroy());
  }

  read(): void {
    this.socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      if (this.bytes < 1e6) this.#chunks.push(chunk);
    });
    this.socket.resume();
  }

  get heard(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.heard.toString('latin1');
  }

  /** Waits until this was heard. */
  hears(text: string): Promise<string> {
    return eventually(() => {
      if (!this.text.includes(text)) throw new Error(`heard '${this.text}', not '${text}'`);
      return this.text;
    });
  }

  ends(): Promise<void> {
    return this.#becomes('hasEnded');
  }

  async closes(): Promise<string | undefined> {
    await this.#becomes('closedBy');
    return this.closedBy;
  }

  async #becomes(fact: 'hasEnded' | 'closedBy'): Promise<void> {
    await eventually(() => {
      if (!this[fact]) throw new Error(`not yet: ${fact}`);
    });
  }
}
