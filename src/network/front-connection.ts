/**
 * One client of the front, from its arrival to its end: waits for a service, is linked to it, loses it and waits for
 * another, or is refused.
 *
 *   waiting ──> linked ──> waiting   with its next request, when it has to ask where that goes
 *      │          └──────> parked ──> waiting   its service is taken away while nothing is owed
 *      └──> refused
 *
 * What is read of a client that waits is bounded, and goes to the service first. A client that hangs up while it
 * waits is gone, unless it has said something: that looks like a half-close, and it may read an answer. Nothing
 * here touches any other connection.
 */
import type { Socket } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { Address, Millis } from '../model.js';
import { type Admission, admit } from './front-admission.js';
import { Farewell } from './front-farewell.js';
import { Link, reset } from './front-link.js';
import type { Arrival } from './front-listen.js';
import type { Unwatched } from './front-lost-clients.js';
import { endpointsOf, proxyHeader } from './front-proxy-protocol.js';
import { cancel, holdOf, isInFlight, type Linked, mayRead, type Stage } from './front-stage.js';
import type { Surroundings } from './front-surroundings.js';

const nothing = () => {};

export class Connection {
  readonly #around: Surroundings;
  readonly #client: Socket;
  readonly #header: readonly Buffer[];
  #stage: Stage = { is: 'waiting', first: [], cancel: nothing };
  #hasClientEnded = false;
  #admission: Admission | undefined;
  #address: Address | undefined;
  /** Its upstream is to be left as soon as nobody loses anything by that. */
  #leaves = false;
  /** Sockets that are not closed. */
  #open = 1;

  constructor(arrival: Arrival, around: Surroundings) {
    this.#around = around;
    this.#client = arrival.open({
      buffer: () => (this.#stage.is === 'waiting' ? around.vestibule : around.relay.buffer),
      callback: (bytes, buffer) => this.#fromClient(bytes, buffer as Buffer),
    });
    this.#header = around.tell === undefined ? [] : [proxyHeader(endpointsOf(this.#client, around.tell))];
    this.#client
      .on('end', () => this.#clientEnded())
      .on('error', () => this.breakOff())
      .on('close', () => this.#closed());
    this.#client.resume();
  }

  isInFlight(now: Millis): boolean {
    return isInFlight(this.#stage, this.#client, now);
  }

  /** The client, while it would not be noticed that it is gone: nobody reads from it, or it has ended its side. */
  get unwatched(): Unwatched | undefined {
    const isAwaited = this.#hasClientEnded && this.isInFlight(this.#around.now());
    if (this.#stage.is === 'over' || (mayRead(this.#stage) && !isAwaited)) return undefined;
    return { client: this.#client, hold: holdOf(this.#stage), isPatient: this.#stage.is === 'waiting' };
  }

  /** Nobody is there to read an answer. What was passed on to the service stays with it. */
  lose(): void {
    if (this.#stage.is === 'linked' && mayRead(this.#stage)) this.destroy();
    else this.breakOff();
  }

  /** Asks where to connect to, and connects. */
  seekTarget(): void {
    const current = this.#leaves ? undefined : this.#address;
    new Promise<Address>((resolve) => resolve(this.#around.target(current))).then(this.#connect, this.#refuse);
  }

  /** Ends both sides at once. */
  destroy(): void {
    this.#finish((socket) => socket.destroy());
  }

  /** Ends both sides, and tells them that something broke. */
  breakOff(): void {
    this.#finish(reset);
  }

  readonly #connect = (address: Address): void => {
    const stage = this.#stage;
    if (stage.is !== 'waiting') return;
    const { first, spare } = stage;
    if (spare?.link.isOpen && !this.#leaves && isDeepStrictEqual(address, this.#address)) {
      spare.link.join();
      this.#become(spare);
      this.#begin(spare, first);
      return;
    }
    spare?.upstream.destroy();
    this.#stage = { is: 'waiting', first, cancel: () => this.#admission?.cancel() };
    this.#address = address;
    this.#leaves = false;
    this.#admission?.leave();
    const { relay } = this.#around;
    const fromUpstream = (bytes: number, buffer: Uint8Array) => this.#fromUpstream(bytes, buffer as Buffer);
    this.#admission = admit(this.#around, {
      address,
      client: this.#client,
      onread: { buffer: () => relay.buffer, callback: fromUpstream },
      connected: (upstream) => this.#link(upstream),
      // What it was led to may have been replaced since.
      failed: (error) => (this.#leaves ? this.seekTarget() : this.#refuse(error)),
      gone: () => this.breakOff(),
    });
  };

  #link(upstream: Socket): void {
    if (this.#stage.is !== 'waiting') return;
    const { first } = this.#stage;
    const { relay, accessed, held, now } = this.#around;
    this.#open += 1;
    const isOurs = () => this.#stage.is === 'linked' && this.#stage.upstream === upstream;
    upstream.on('error', () => isOurs() && this.breakOff()).on('close', () => this.#closed());
    const told = { released: () => this.#rested(), upstreamEnded: () => this.#upstreamEnded() };
    const link = new Link({ client: this.#client, upstream, relay, accessed, held, now, ...told });
    const linked: Linked = { is: 'linked', link, upstream, next: undefined };
    this.#become(linked);
    for (const header of this.#header) upstream.write(header);
    this.#begin(linked, first);
  }

  /** The first request has asked where it goes, and here it is. */
  #begin(linked: Linked, first: readonly Buffer[]): void {
    const said = Buffer.concat(first);
    const isTaken = said.length === 0 || this.#pass(linked, said.length, said, 1);
    if (this.#hasClientEnded && linked.next === undefined) linked.link.clientEnded();
    else if (isTaken) this.#client.resume();
  }

  /** Whether more may be read at once. */
  #fromClient(bytes: number, buffer: Buffer): boolean {
    const stage = this.#stage;
    this.#around.accessed();
    switch (stage.is) {
      case 'linked':
        return this.#pass(stage, bytes, buffer, 0);
      case 'waiting':
        stage.first.push(Buffer.from(buffer.subarray(0, bytes)));
        return this.#mayRead();
      case 'parked':
        stage.cancel();
        this.#wait([Buffer.from(buffer.subarray(0, bytes))]);
        return this.#mayRead();
      case 'refused':
        return stage.farewell.fromClient(Buffer.from(buffer.subarray(0, bytes)));
      case 'over':
        return false;
      default:
        return stage satisfies never;
    }
  }

  /** Whether more may be read at once. So many requests may begin before one has to ask where it goes. */
  #pass(linked: Linked, bytes: number, buffer: Buffer, mayBegin: number): boolean {
    const { link } = linked;
    const asksAgain = this.#around.asksAgain();
    const own = link.read(bytes, buffer, asksAgain || this.#leaves ? mayBegin : Infinity);
    if (asksAgain && !link.isReadable) this.#around.used();
    const isTaken = own === 0 || link.pass(own, buffer);
    if (own === bytes) return isTaken;
    linked.next = Buffer.from(buffer.subarray(own, bytes));
    this.#rested();
    return this.#mayRead();
  }

  #fromUpstream(bytes: number, buffer: Buffer): boolean {
    this.#around.accessed();
    this.#admission?.leave();
    const stage = this.#stage;
    if (stage.is === 'waiting') stage.spare?.upstream.destroy(); // nobody has asked for what it says
    if (stage.is !== 'linked') return false;
    const goesOn = stage.link.fromUpstream(bytes, buffer);
    if (stage.next !== undefined) this.#rested();
    return goesOn;
  }

  /** Perhaps nothing is owed any more: then the next request has its turn. */
  #rested(): void {
    const stage = this.#stage;
    if (stage.is !== 'linked' || stage.next === undefined || !stage.link.isAtRest) return;
    const { next } = stage;
    stage.next = undefined;
    stage.link.part();
    this.#wait([next], stage);
  }

  /** The client was told: whatever it has said since goes the way of all else. */
  #upstreamEnded(): void {
    const stage = this.#stage;
    if (stage.is !== 'linked' || stage.next === undefined) return;
    const { next } = stage;
    stage.next = undefined;
    const isTaken = stage.link.pass(next.length, next);
    if (this.#hasClientEnded) stage.link.clientEnded();
    else if (isTaken) this.#client.resume();
  }

  /** Whether its client may be read; if not, its going has to be looked for. */
  #mayRead(): boolean {
    const may = mayRead(this.#stage);
    if (!may) this.#around.held();
    return may;
  }

  #wait(first: Buffer[], spare?: Linked): void {
    this.#around.waits();
    this.#stage = { is: 'waiting', first, cancel: nothing, spare };
    if (this.#mayRead()) this.#client.resume();
    this.seekTarget();
  }

  /** Whether it is one of those that are connected to this upstream, which are to be seen off from now on. */
  leave(upstream: Address): boolean {
    const { is } = this.#stage;
    if ((is !== 'linked' && is !== 'waiting') || !isDeepStrictEqual(this.#address, upstream)) return false;
    this.#leaves = true;
    return true;
  }

  /** Whether it still needs the upstream that it is to leave. If nothing is owed any more, it loses it now. */
  isLeaving(): boolean {
    const stage = this.#stage;
    if (!this.#leaves || (stage.is !== 'linked' && stage.is !== 'waiting')) return false;
    if (stage.is === 'waiting') return stage.spare === undefined;
    if (stage.next !== undefined || !stage.link.isAtRest) return true;
    this.#park(stage);
    return false;
  }

  #park({ link, upstream }: Linked): void {
    link.part();
    this.#leaves = false;
    this.#address = undefined;
    const late = () => this.#sayFarewell([]).leave();
    this.#become({ is: 'parked', cancel: this.#around.delays.park.start(late) });
    upstream.destroy();
    if (this.#hasClientEnded) this.#client.end();
  }

  #clientEnded(): void {
    const stage = this.#stage;
    const { relay, held } = this.#around;
    this.#hasClientEnded = true;
    held();
    if (stage.is === 'linked') stage.link.clientEnded();
    else if (stage.is === 'refused') stage.farewell.clientEnded();
    else if (stage.is === 'parked') this.#client.end();
    else if (stage.is === 'waiting' && (stage.first.length === 0 || relay.isBroken(this.#client))) this.destroy();
  }

  readonly #refuse = (error: unknown): void => {
    const stage = this.#stage;
    if (stage.is !== 'waiting') return;
    stage.spare?.upstream.destroy();
    this.#admission?.leave();
    this.#around.accessed();
    this.#sayFarewell(stage.first, error).judge();
  };

  #sayFarewell(first: Buffer[], error?: unknown): Farewell {
    const parting = { client: this.#client, around: this.#around, error, late: () => this.destroy() };
    const farewell = new Farewell(parting, first, this.#hasClientEnded);
    this.#become({ is: 'refused', farewell });
    return farewell;
  }

  #finish(end: (socket: Socket) => void): void {
    const stage = this.#stage;
    if (stage.is === 'over') return;
    if (this.isInFlight(this.#around.now())) this.#around.accessed();
    this.#become({ is: 'over' });
    this.#admission?.leave();
    cancel(stage);
    if (stage.is === 'linked') end(stage.upstream);
    else if (stage.is === 'waiting' && stage.spare) end(stage.spare.upstream);
    end(this.#client);
  }

  #closed(): void {
    this.#open -= 1;
    if (this.#open > 0) return;
    this.#admission?.leave();
    cancel(this.#stage);
    this.#become({ is: 'over' });
    this.#around.left(this);
  }

  #become(stage: Stage): void {
    if (this.#stage.is === 'waiting') this.#around.settled();
    this.#stage = stage;
  }
}
