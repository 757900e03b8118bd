/**
 * One client of the front, from its arrival to its end: waits for a service, is linked to it, or is refused.
 *
 * What is read of a client that waits is bounded, and goes to the service first. A client that hangs up while it
 * waits is gone, unless it has said something: that looks like a half-close, and it may read an answer. Nothing
 * here touches any other connection.
 */
import type { Socket } from 'node:net';
import type { Address, Millis } from '../model.js';
import type { Delay } from './front-delay.js';
import { Link, reset } from './front-link.js';
import type { Arrival } from './front-listen.js';
import type { OwnPorts } from './front-own-ports.js';
import { endpointsOf, proxyHeader } from './front-proxy-protocol.js';
import { beginsLikeHttp, beginsRequest, type Refusal, refusalPage, speechOf } from './front-refusal.js';
import type { Relay } from './front-relay.js';
import type { Turnstiles } from './front-turnstile.js';
import { approach } from './front-upstream.js';

/** A client that waits is read until this much is here, so at most twice as much is held. */
export const heldWhileWaiting = 4096;

/** What a connection needs of its front. */
export interface Surroundings {
  readonly relay: Relay;
  readonly ports: OwnPorts;
  readonly turnstiles: Turnstiles;
  /** What clients that wait read into: `heldWhileWaiting` bytes. */
  readonly vestibule: Buffer;
  /** Between attempts to connect; for a refused client to say what it speaks; for it to hang up. */
  readonly delays: { readonly attempt: Delay; readonly turn: Delay; readonly speak: Delay; readonly hangUp: Delay };
  /** Where clients connect to, if services are to be told about them. */
  readonly tell: Address | undefined;
  readonly now: () => Millis;
  /** One more waits for `target`. */
  waits(): void;
  readonly target: () => Address | Promise<Address>;
  readonly refusal: (error: unknown) => Refusal;
  /** Something happened that counts as an access. */
  readonly accessed: () => void;
  /** The connection does not wait any more. */
  settled(): void;
  left(connection: Connection): void;
}

type Stage =
  | { readonly is: 'waiting'; readonly first: Buffer[]; readonly cancel: () => void }
  | { readonly is: 'linked'; readonly link: Link; readonly upstream: Socket }
  | { readonly is: 'refused'; readonly first: Buffer[]; readonly error: unknown; readonly cancel: () => void }
  | { readonly is: 'leaving'; readonly cancel: () => void }
  | { readonly is: 'over' };

const nothing = () => {};

export class Connection {
  readonly #around: Surroundings;
  readonly #client: Socket;
  readonly #header: readonly Buffer[];
  #stage: Stage = { is: 'waiting', first: [], cancel: nothing };
  #hasClientEnded = false;
  #leaveTurnstile = nothing;
  #address: Address | undefined;
  /** When bytes last moved, once the connection is to be seen off. */
  #quietSince: Millis | undefined;
  /** Sockets that are not closed. */
  #open = 1;

  constructor(arrival: Arrival, around: Surroundings) {
    this.#around = around;
    this.#client = arrival.open({
      buffer: () => (this.#stage.is === 'waiting' ? around.vestibule : around.relay.buffer),
      callback: (bytes, buffer) => this.#fromClient(bytes, buffer),
    });
    this.#header = around.tell === undefined ? [] : [proxyHeader(endpointsOf(this.#client, around.tell))];
    this.#client
      .on('end', () => this.#clientEnded())
      .on('error', () => this.#broken())
      .on('close', () => this.#closed());
    this.#client.resume();
  }

  get isInFlight(): boolean {
    const stage = this.#stage;
    switch (stage.is) {
      case 'waiting':
        return true;
      case 'linked':
        return stage.link.isInFlight;
      case 'refused':
      case 'leaving':
        return this.#client.writableLength > 0;
      case 'over':
        return false;
      default:
        return stage satisfies never;
    }
  }

  /** Asks where to connect to, and connects. */
  seekTarget(): void {
    try {
      const target = this.#around.target();
      if (target instanceof Promise) target.then(this.#connect, this.#refuse);
      else this.#connect(target);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Ends both sides at once. */
  destroy(): void {
    this.#finish((socket) => socket.destroy());
  }

  readonly #connect = (address: Address): void => {
    if (this.#stage.is !== 'waiting') return;
    this.#address = address;
    const { first } = this.#stage;
    const { relay, ports, delays, turnstiles } = this.#around;
    const fromUpstream = (bytes: number, buffer: Uint8Array) => this.#fromUpstream(bytes, buffer);
    const onread = { buffer: () => relay.buffer, callback: fromUpstream };
    const heard = { connected: (upstream: Socket) => this.#link(upstream), failed: this.#refuse };
    const go = () => {
      if (this.#stage.is !== 'waiting') return;
      try {
        const cancel = approach({ address, delay: delays.attempt, ports, onread, ...heard });
        this.#stage = { is: 'waiting', first, cancel };
      } catch (error) {
        this.#refuse(error); // not an address
      }
    };
    this.#leaveTurnstile = turnstiles.enter('path' in address ? address.path : `${address.host} ${address.port}`, go);
  };

  #link(upstream: Socket): void {
    if (this.#stage.is !== 'waiting') return;
    const { first } = this.#stage;
    const { relay, accessed } = this.#around;
    this.#open += 1;
    const isOurs = () => this.#stage.is === 'linked' && this.#stage.upstream === upstream;
    upstream.on('error', () => isOurs() && this.#broken()).on('close', () => this.#closed());
    const link = new Link({ client: this.#client, upstream, relay, accessed });
    this.#become({ is: 'linked', link, upstream });
    for (const header of this.#header) upstream.write(header);
    const said = first.length === 1 ? first[0] : Buffer.concat(first);
    const isTaken = said === undefined || said.length === 0 || link.fromClient(said.length, said);
    if (this.#hasClientEnded) link.clientEnded();
    else if (isTaken) this.#client.resume();
  }

  /** Whether more may be read at once. */
  #fromClient(bytes: number, buffer: Uint8Array): boolean {
    const stage = this.#stage;
    this.#around.accessed();
    switch (stage.is) {
      case 'linked':
        if (this.#quietSince !== undefined) {
          if (!stage.link.isInFlight && beginsRequest(buffer, bytes)) return this.#move(stage.upstream, bytes, buffer);
          this.#quietSince = this.#around.now();
        }
        return stage.link.fromClient(bytes, buffer);
      case 'waiting':
        return keep(stage.first, bytes, buffer);
      case 'refused': {
        const goesOn = keep(stage.first, bytes, buffer);
        this.#judge();
        return goesOn || this.#stage.is === 'leaving';
      }
      case 'leaving':
        return true; // and is thrown away: a socket that is closed with unread bytes resets its peer
      case 'over':
        return false;
      default:
        return stage satisfies never;
    }
  }

  #fromUpstream(bytes: number, buffer: Uint8Array): boolean {
    this.#around.accessed();
    this.#makePlace();
    if (this.#quietSince !== undefined) this.#quietSince = this.#around.now();
    return this.#stage.is === 'linked' && this.#stage.link.fromUpstream(bytes, buffer);
  }

  /** Whether it is one of those that are connected to this upstream, which are to be seen off from now on. */
  leave(upstream: Address): boolean {
    const { is } = this.#stage;
    if ((is !== 'linked' && is !== 'waiting') || !isSame(this.#address, upstream)) return false;
    this.#quietSince ??= this.#around.now();
    return true;
  }

  /** Whether it is still connected to this upstream; if it was quiet since before a moment, that is ended now. */
  isLeaving(upstream: Address, before: Millis): boolean {
    const stage = this.#stage;
    if (!isSame(this.#address, upstream)) return false;
    if (stage.is !== 'linked') return stage.is === 'waiting';
    if (stage.link.isInFlight || this.#quietSince === undefined || this.#quietSince > before) return true;
    this.#client.end();
    stage.upstream.end();
    return false;
  }

  /** A request begins on a connection whose upstream is to be left: another gets it. */
  #move(upstream: Socket, bytes: number, buffer: Uint8Array): boolean {
    upstream.removeAllListeners('end');
    this.#quietSince = undefined;
    this.#address = undefined;
    this.#around.waits();
    this.#stage = { is: 'waiting', first: [], cancel: nothing };
    keep(this.#stage.first, bytes, buffer);
    upstream.destroy();
    this.seekTarget();
    return false;
  }

  #clientEnded(): void {
    const stage = this.#stage;
    this.#hasClientEnded = true;
    if (stage.is === 'linked') stage.link.clientEnded();
    else if (stage.is === 'refused') this.#judge();
    else if (stage.is === 'waiting' && stage.first.length === 0) this.destroy();
  }

  readonly #refuse = (error: unknown): void => {
    if (this.#stage.is !== 'waiting') return;
    const { first } = this.#stage;
    this.#makePlace();
    const cancel = this.#around.delays.speak.start(() => this.#leave());
    this.#become({ is: 'refused', first, error, cancel });
    this.#around.accessed();
    this.#judge();
  };

  /** Answers as soon as it is clear what the client speaks. */
  #judge(): void {
    if (this.#stage.is !== 'refused') return;
    const { error } = this.#stage;
    const first = Buffer.concat(this.#stage.first);
    const speech = speechOf(first);
    const isHttp = speech === 'http' || (first.length >= heldWhileWaiting && beginsLikeHttp(first));
    if (isHttp) this.#leave(refusalPage(this.#around.refusal(error), first));
    else if (speech === 'other' || this.#hasClientEnded || first.length >= heldWhileWaiting) this.#leave();
  }

  #leave(lastWords = ''): void {
    if (this.#stage.is !== 'refused') return;
    this.#stage.cancel();
    this.#become({ is: 'leaving', cancel: this.#around.delays.hangUp.start(() => this.destroy()) });
    this.#client.end(lastWords, this.#around.accessed);
    this.#client.resume();
  }

  /** Somebody else may go to the service. */
  #makePlace(): void {
    if (this.#leaveTurnstile === nothing) return;
    this.#leaveTurnstile();
    this.#leaveTurnstile = nothing;
  }

  #broken(): void {
    this.#finish(reset);
  }

  #finish(end: (socket: Socket) => void): void {
    const stage = this.#stage;
    if (stage.is === 'over') return;
    if (this.isInFlight) this.#around.accessed();
    this.#become({ is: 'over' });
    this.#makePlace();
    if (stage.is === 'linked') end(stage.upstream);
    else stage.cancel();
    end(this.#client);
  }

  #closed(): void {
    this.#open -= 1;
    if (this.#open > 0) return;
    this.#makePlace();
    if (this.#stage.is === 'leaving') this.#stage.cancel();
    this.#become({ is: 'over' });
    this.#around.left(this);
  }

  #become(stage: Stage): void {
    if (this.#stage.is === 'waiting') this.#around.settled();
    this.#stage = stage;
  }
}

function isSame(one: Address | undefined, other: Address): boolean {
  if (one === undefined || 'path' in one || 'path' in other) return false;
  return one.host === other.host && one.port === other.port;
}

/** Keeps a copy. Whether there is room for more. */
function keep(first: Buffer[], bytes: number, buffer: Uint8Array): boolean {
  first.push(Buffer.from(buffer.subarray(0, bytes)));
  return first.reduce((sum, { length }) => sum + length, 0) < heldWhileWaiting;
}
