/**
 * The socket of a run. Reads requests line by line and writes answers; what they mean is the desk's. Whatever a client
 * does, or does not do, concerns that client alone: it says too much and is cut off, it does not read and events are
 * left out for it, it says nothing and is the first to go when there are too many.
 */
import { chmodSync, existsSync, rmSync } from 'node:fs';
import net from 'node:net';
import { socketPathTrouble } from '../address.js';
import { ProcletError } from '../errors.js';
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';
import { causeWithPath, isSystemError, nextStep } from '../system-error.js';
import { createLineReader, toLine } from '../wire.js';
import { longestRequest, type Reply, type RequestId, type WireError } from './protocol.js';

/** One request, as the desk sees it. */
export interface Call {
  /** Sends an item, unless the client is behind: then it is counted. */
  item(item: { readonly event: object } | { readonly data: string } | { readonly secrets: readonly string[] }): void;
  /** Called once, when the client is gone or the request is answered. */
  onEnd(end: () => void): void;
}

/** Answers a request: the result, or a ProcletError. */
export type Desk = (line: string, call: Call) => { readonly id: RequestId; readonly answer: Promise<unknown> };

export interface ControlServer {
  /** Whether clients can find it. */
  isThere(): boolean;
  /** Makes the socket again, at the same path. Those who are connected stay so. */
  remake(): Promise<void>;
  /** Sends what is due, for a moment, and closes. */
  close(): Promise<void>;
}

const mostClients = 256;
/** What may wait for a client that does not read, in bytes. */
const mostUnread = 1024 * 1024;
/** Requests of one client that may be under way. */
const mostCalls = 64;
/** A client that is in the middle of a line is given so long. */
const patience: Millis = 10_000;
/** A connection on which nothing is under way is kept so long. */
const longestIdle: Millis = 60_000;
/** How long answers may take to leave at the end. */
const farewell: Millis = 500;

/** Rejects when the socket cannot be made. A path that is there is removed: whoever asks for it owns it. */
export async function openControl(path: string, clock: Clock, loadDesk: () => Promise<Desk>): Promise<ControlServer> {
  const clients = new Set<Client>();
  let desk: Promise<Desk> | undefined;
  const accept = (socket: net.Socket) => {
    if (clients.size >= mostClients) evict(clients);
    const client = new Client(socket, clock, () => {
      // One that could not be loaded is loaded again for the next request.
      desk ??= loadDesk().catch((error: unknown) => {
        desk = undefined;
        throw error;
      });
      return desk;
    });
    clients.add(client);
    socket.once('close', () => clients.delete(client));
  };
  const trouble = socketPathTrouble(path);
  if (trouble !== undefined) {
    throw new ProcletError('OS', `${trouble}; set XDG_RUNTIME_DIR to a shorter directory`);
  }
  let isClosed = false;
  let server = await listen(path, accept);
  return {
    isThere: () => isClosed || existsSync(path),
    async remake() {
      // First: what closes a socket removes whatever has its path.
      server.close();
      server = await listen(path, accept);
      if (isClosed) server.close();
    },
    async close() {
      isClosed = true;
      server.close();
      await Promise.race([
        Promise.all([...clients].map((client) => client.finish())),
        new Promise<void>((done) => void clock.wakeAt(clock.now() + farewell, done)),
      ]);
      for (const client of clients) client.destroy();
    },
  };
}

async function listen(path: string, accept: (socket: net.Socket) => void): Promise<net.Server> {
  const server = net.createServer({ allowHalfOpen: true }, accept);
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, backlog: 511 }, resolve);
  });
  server.removeAllListeners('error').on('error', () => {});
  try {
    chmodSync(path, 0o600);
  } catch (error) {
    server.close();
    throw error;
  }
  return server.unref();
}

/** The one that has been silent longest, of those that wait for nothing if there are any. */
function evict(clients: ReadonlySet<Client>): void {
  const all = [...clients];
  const idle = all.filter((client) => !client.isBusy);
  (idle[0] ?? all[0])?.refuse({ code: 'BUSY', message: 'there are too many connections' });
}

class Client {
  readonly #socket: net.Socket;
  readonly #ends = new Set<() => void>();
  /** Called when the client has read what was waiting. */
  readonly #flushes = new Set<() => void>();
  readonly #desk: () => Promise<Desk>;
  #calls = 0;
  #isReading = true;
  readonly #clock: Clock;
  #cancelPatience = () => {};
  #cancelIdle = () => {};

  constructor(socket: net.Socket, clock: Clock, desk: () => Promise<Desk>) {
    this.#socket = socket;
    this.#clock = clock;
    this.#desk = desk;
    this.#awaitRequest();
    const read = createLineReader(longestRequest, {
      line: (line) => void this.#take(line),
      tooLong: () => this.refuse({ code: 'PROTOCOL', message: `a line is longer than ${longestRequest} characters` }),
    });
    socket.on('data', (chunk) => {
      if (!this.#isReading) return;
      this.#cancelPatience();
      read(chunk);
      if (chunk.at(-1) !== 10) this.#cancelPatience = clock.wakeAt(clock.now() + patience, () => this.destroy());
    });
    socket.once('end', () => {
      this.#isReading = false;
      this.#closeIfDone();
    });
    // One for all requests: Node warns of more than ten, on the terminal of whoever runs proclet.
    socket.on('drain', () => {
      for (const flush of this.#flushes) flush();
    });
    socket.on('error', () => {}); // 'close' follows
    socket.once('close', () => {
      this.#cancelPatience();
      this.#cancelIdle();
      for (const end of this.#ends) end();
      this.#ends.clear();
    });
  }

  get isBusy(): boolean {
    return this.#calls > 0;
  }

  refuse(error: WireError): void {
    this.#isReading = false;
    this.#send({ id: null, ok: false, error });
    this.#socket.destroySoon();
  }

  finish(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) return resolve();
      this.#socket.once('close', () => resolve());
      this.#socket.end();
      this.#socket.resume();
      // One that does not close its side has got everything all the same.
      this.#socket.once('finish', () => this.#socket.destroy());
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #take(line: string): Promise<void> {
    if (line.trim() === '' || !this.#isReading) return;
    if (this.#calls >= mostCalls) return this.refuse({ code: 'BUSY', message: 'too many requests at once' });
    this.#calls += 1;
    this.#cancelIdle();
    const ends: (() => void)[] = [];
    const end = () => {
      for (const each of ends.splice(0)) each();
    };
    this.#ends.add(end);
    let id: RequestId = null;
    let skipped = 0;
    const flush = () => {
      if (skipped > 0) this.#send({ id, skipped });
      skipped = 0;
    };
    try {
      const desk = await this.#desk();
      const call = desk(line, {
        item: (item) => {
          if (this.#socket.writableLength > mostUnread) skipped += 1;
          else {
            flush();
            this.#send({ id, ...item } as Reply);
          }
        },
        onEnd: (ended) => ends.push(ended),
      });
      id = call.id;
      // Who has caught up hears of it at once, and not only when there is something new.
      this.#flushes.add(flush);
      ends.push(() => this.#flushes.delete(flush));
      const result = await call.answer;
      flush();
      this.#send({ id, ok: true, result: result ?? {} });
    } catch (error) {
      this.#send({ id, ok: false, error: errorFor(error) });
    } finally {
      this.#calls -= 1;
      this.#ends.delete(end);
      end();
      this.#closeIfDone();
      if (this.#calls === 0) this.#awaitRequest();
    }
  }

  #awaitRequest(): void {
    if (this.#socket.destroyed) return;
    this.#cancelIdle = this.#clock.wakeAt(this.#clock.now() + longestIdle, () => this.#socket.end());
  }

  #send(reply: Reply): void {
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.write(toLine(reply));
  }

  /** A client that has said all it wants to say gets its answers, and the end. */
  #closeIfDone(): void {
    if (!this.#isReading && this.#calls === 0 && !this.#socket.destroyed) this.#socket.end();
  }
}

/** What the system refused is no bug; what a bug says is for whoever reports it. */
function errorFor(error: unknown): WireError {
  if (error instanceof ProtocolError) return { code: 'PROTOCOL', message: error.message };
  if (isSystemError(error)) {
    const hint = nextStep(error);
    return { code: 'OS', message: causeWithPath(error), ...(hint !== undefined && { hint }) };
  }
  if (!(error instanceof ProcletError)) return { code: 'OS', message: `this is a bug in proclet: ${String(error)}` };
  const { code, message, hint, reason } = error;
  return { code, message, ...(hint !== undefined && { hint }), ...(reason && { reason }) };
}

/** A line that is no request. */
export class ProtocolError extends Error {}
