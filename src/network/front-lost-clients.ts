/**
 * Finds out about clients that are gone where a socket does not tell: nobody reads from them because the service does
 * not take what they said last, or they have ended their side, which may also be a client that still waits for an
 * answer. As long as there are such clients they are looked at every two seconds. A reset shows at the next look, by an
 * empty write or because the kernel does not know the socket any more. A client of this machine that was killed or has
 * closed its socket leaves an end that belongs to no process; if nothing moves for ten seconds, it is gone for good.
 * Whether a program of another machine still lives cannot be seen, unless that machine says so.
 */
import type { Socket } from 'node:net';
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';
import type { Relay } from './front-relay.js';
import { readSockets, type SocketRow } from './sockets.js';

/** Between two looks. */
const pulse: Millis = 2_000;

export interface Unwatched {
  readonly client: Ends & Socket;
  /** Changes when bytes of it have moved. */
  readonly hold: number | undefined;
  /** A client that has said all and hung up may wait as long as its service starts. */
  readonly isPatient: boolean;
}

/** A connection as far as it matters here. */
export interface Watched {
  readonly unwatched: Unwatched | undefined;
  breakOff(): void;
  lose(): void;
}

/** The two ends of a connection, from our side of it. */
export type Ends = Pick<Socket, 'localAddress' | 'localPort' | 'remoteAddress' | 'remotePort'>;

/** `missing`: our end is not in the tables; `left-behind`: that of the client is not, or belongs to no process. */
export type Fate = 'alive' | 'missing' | 'left-behind';

/** How often in a row each must be seen. The tables are not read in one moment. */
const enough: Readonly<Record<Fate, number>> = { alive: Infinity, missing: 2, 'left-behind': 5 };

interface Sight {
  readonly hold: number | undefined;
  readonly fate: Fate;
  readonly times: number;
}

export interface LostClientsOptions {
  readonly clock: Clock;
  readonly relay: Relay;
  readonly all: Iterable<Watched>;
  /** Rows that have one of these ports at our end, or at the other. */
  readonly rows?: (ports: ReadonlySet<number>) => readonly SocketRow[];
}

export class LostClients {
  readonly #options: LostClientsOptions;
  #seen = new Map<Watched, Sight>();
  #cancel: (() => void) | undefined;

  constructor(options: LostClientsOptions) {
    this.#options = options;
  }

  /** Somebody is not read any more. */
  watch(): void {
    const { clock } = this.#options;
    this.#cancel ??= clock.wakeAt(clock.now() + pulse, () => this.#look());
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#seen.clear();
  }

  #look(): void {
    this.#cancel = undefined;
    const before = this.#seen;
    this.#seen = new Map();
    const stalled: Watched[] = [];
    for (const watched of [...this.#options.all]) {
      const { unwatched } = watched;
      if (unwatched === undefined) continue;
      if (this.#options.relay.isBroken(unwatched.client)) {
        watched.breakOff();
        continue;
      }
      const last = before.get(watched);
      const isStill = last !== undefined && last.hold === unwatched.hold;
      if (isStill) stalled.push(watched);
      this.#seen.set(watched, isStill ? last : { hold: unwatched.hold, fate: 'alive', times: 0 });
    }
    this.#judge(stalled);
    if (this.#seen.size > 0) this.watch();
  }

  #judge(stalled: readonly Watched[]): void {
    const { relay, rows: read = rowsOf } = this.#options;
    let rows: readonly SocketRow[] | undefined;
    for (const watched of stalled) {
      const client = watched.unwatched?.client;
      if (client === undefined) continue;
      if (relay.isDeaf(client)) this.#see(watched, 'left-behind');
      else if (client.remotePort !== undefined) {
        rows ??= read(new Set(stalled.flatMap(({ unwatched }) => unwatched?.client.remotePort ?? [])));
        if (rows.length > 0) this.#see(watched, fateOf(client, rows)); // elsewhere than on Linux there are none
      }
    }
  }

  #see(watched: Watched, fate: Fate): void {
    const last = this.#seen.get(watched);
    if (last === undefined) return;
    const times = fate === last.fate ? last.times + 1 : 1;
    this.#seen.set(watched, { ...last, fate, times });
    const isPatient = fate === 'left-behind' && watched.unwatched?.isPatient === true;
    if (isPatient || times < enough[fate]) return;
    this.#seen.delete(watched);
    if (fate === 'missing') watched.breakOff();
    else watched.lose();
  }
}

/** Pure. */
export function fateOf(ends: Ends, rows: readonly SocketRow[]): Fate {
  const isAt = (row: SocketRow['local'], address = '', port = 0) => row.port === port && row.address === plain(address);
  const near = (row: SocketRow['local']) => isAt(row, ends.localAddress, ends.localPort);
  const far = (row: SocketRow['local']) => isAt(row, ends.remoteAddress, ends.remotePort);
  if (!rows.some(({ local, remote }) => near(local) && far(remote))) return 'missing';
  const theirs = rows.find(({ local, remote }) => far(local) && near(remote));
  // Both ends of a loopback connection are in the same tables.
  if (theirs === undefined) return isLoopback(plain(ends.remoteAddress ?? '')) ? 'left-behind' : 'alive';
  return theirs.inode === '0' ? 'left-behind' : 'alive';
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

function rowsOf(ports: ReadonlySet<number>): readonly SocketRow[] {
  return readSockets((local, remote) => ports.has(local) || ports.has(remote));
}

/** An IPv4 address that came to a socket for both, as the tables write it. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}
