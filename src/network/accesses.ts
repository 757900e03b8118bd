/**
 * What a service's sockets say about who used it: one look after another at the rows of its ports. Pure: rows in,
 * the time of the last access out.
 *
 * A connection is known by its client's address and port and the service's port. On one machine it has a row at
 * either end, and the one that closed first leaves its row behind for a minute (TIME_WAIT); the remaining time says
 * when that was, however long ago we looked. So: a new row is an access, at the moment of its closing if it is
 * closed already. Of one that was open before, the closing says little: it may have been idle for long, or have
 * carried something at last. If the kernel tells of closings (`heard`), it tells that, too; if not, the end of a
 * connection is an access.
 */
import type { Millis } from '../model.js';
import type { Endpoint, SocketRow } from './sockets.js';

export interface Sight {
  readonly now: Millis;
  /** Every row that has to do with a port of the service. */
  readonly rows: readonly SocketRow[];
  /** What the service listens on. */
  readonly listening: readonly SocketRow[];
  readonly isLocal: (address: string) => boolean;
  /** Whether a local port is an end of a connection of proclet's own. */
  readonly isOwnPort: (port: number) => boolean;
  /** Whether the end of every connection is also told, by `ended`. */
  readonly hearsEnds: boolean;
}

/** What an open connection has carried, as the kernel counts it. */
export interface Counter {
  readonly bytes: number;
  /** When a byte moved last; when it was opened, if none did. */
  readonly active: Millis;
}

export interface Accesses {
  /** -Infinity before the first. */
  readonly last: Millis;
  /** Whether, at the last look, bytes were waiting at one end or on their way to the other. */
  readonly flowing: boolean;
  /** The keys of the connections that are open, without proclet's own. */
  readonly open: readonly string[];
  see(sight: Sight): void;
  /** A connection is gone that carried its last byte at `active`. */
  ended(key: string, active: Millis): void;
  count(counters: ReadonlyMap<string, Counter>): void;
}

/** What we have not heard of after this long was not told. */
const hearing: Millis = 1_000;

/** How long the kernel remembers a closed connection: TCP_TIMEWAIT_LEN. */
const memory: Millis = 60_000;

/** The remaining time is cut to hundredths of a second, and counted in ticks of up to 10 ms. */
const tick: Millis = 20;

/** Between two closings of the same pair of ports: Linux gives a pair away again after a second. */
const reuse: Millis = 500;

/** After a gap this long the machine may have slept, when TIME_WAIT stands still: then only what is new counts. */
const asleep: Millis = 30_000;

/** `fading`: one end has closed it and forgotten it, the other has not closed it yet. */
type Stage = (typeof stages)[number];
const stages = ['fading', 'open', 'closed'] as const;

interface Connection {
  readonly stage: Stage;
  own: boolean;
  /** Whether we have heard of its end. */
  told: boolean;
  /** Whether bytes wait at the service's end. */
  readonly carries: boolean;
  /** When it was closed; now, if it is not. */
  readonly closed: Millis;
}

/** The name of a connection to a service's port. */
export function keyOf(port: number, client: Endpoint): string {
  return `${port}<${client.address}#${client.port}`;
}

/** What happened before `since` belongs to whoever had the ports before. */
export function createAccesses(since: Millis): Accesses {
  let known = new Map<string, Connection>();
  let bytes = new Map<string, number>();
  let last = -Infinity;
  let looked = -Infinity;
  /** When connections ended that were open before, until we hear of them. */
  const untold = new Map<string, Millis>();

  const access = (at: Millis) => {
    if (at >= since) last = Math.max(last, at);
  };
  const close = (key: string, at: Millis, { told }: Connection) => {
    if (!told) untold.set(key, at);
  };
  const settle = (before: Millis) => {
    for (const [key, at] of untold) {
      if (at > before) continue;
      untold.delete(key);
      access(at);
    }
  };

  return {
    get last() {
      return Math.max(last, ...untold.values());
    },
    get flowing() {
      return [...known.values()].some(({ own, carries }) => carries && !own);
    },
    get open() {
      return [...known].flatMap(([key, { own, stage }]) => (stage === 'open' && !own ? [key] : []));
    },
    see(sight) {
      const slept = sight.now - looked > asleep;
      const current = connectionsIn(sight);
      for (const [key, connection] of current) {
        const before = known.get(key);
        const isNew = before === undefined || isAnother(before, connection, slept);
        if (!isNew) Object.assign(connection, { own: before.own, told: before.told });
        if (connection.own) continue;
        if (isNew) access(connection.closed);
        else if (before.stage === 'open' && connection.stage !== 'open') close(key, connection.closed, before);
        if (connection.carries) access(sight.now);
      }
      for (const [key, before] of known) {
        if (before.stage === 'open' && !before.own && !current.has(key)) close(key, sight.now, before);
      }
      settle(sight.hearsEnds ? sight.now - hearing : sight.now);
      known = current;
      looked = sight.now;
    },
    ended(key, active) {
      const connection = known.get(key);
      if (connection?.own) return;
      if (connection?.stage === 'open') connection.told = true;
      untold.delete(key);
      access(active);
    },
    count(counters) {
      for (const [key, { bytes: moved, active }] of counters) {
        if (moved !== (bytes.get(key) ?? 0)) access(active);
      }
      bytes = new Map([...counters].map(([key, counter]) => [key, counter.bytes]));
    },
  };
}

/** Whether a row belongs to a later connection of the same two ports. */
function isAnother(before: Connection, now: Connection, slept: boolean): boolean {
  if (before.stage !== 'closed') return false;
  return now.stage !== 'closed' || (!slept && now.closed > before.closed + reuse);
}

function connectionsIn(sight: Sight): Map<string, Connection> {
  const connections = new Map<string, Connection>();
  for (const row of sight.rows) {
    const end = endOf(row, sight);
    if (end === undefined) continue;
    const [client, server] = end === 'server' ? [row.remote, row.local] : [row.local, row.remote];
    const own = sight.isOwnPort(client.port) && sight.isLocal(client.address);
    const stage = stageOf(row);
    const closed = stage === 'closed' ? sight.now - memory + (row.forgottenIn ?? 0) + tick : sight.now;
    const one = {
      stage,
      own,
      told: false,
      carries: end === 'server' && carriesData(row),
      closed: Math.min(closed, sight.now),
    };
    const key = keyOf(server.port, client);
    const other = connections.get(key);
    connections.set(key, other ? both(one, other) : one);
  }
  return connections;
}

/** What the rows of the two ends say together. */
function both(a: Connection, b: Connection): Connection {
  // Closed for good at one end: the other's row is about to go. Otherwise the more alive one is right.
  const [main, other] = stages.indexOf(a.stage) >= stages.indexOf(b.stage) ? [a, b] : [b, a];
  const closed = main.stage === other.stage ? Math.max(a.closed, b.closed) : main.closed;
  return { ...main, closed, carries: a.carries || b.carries };
}

/**
 * Which end of a connection to the service a row is; undefined for one that is none. On one machine both ends have a
 * row, and both are needed: the tables are not read in one moment, and either may be the only one that is left.
 */
function endOf(row: SocketRow, sight: Sight): 'server' | 'client' | undefined {
  if (row.state === 'listen' || row.state === 'syn-received' || row.state === 'new-syn-received') return undefined;
  if (sight.listening.some((socket) => accepts(socket, row.local))) return 'server';
  if (row.state === 'syn-sent' || !sight.listening.some((socket) => accepts(socket, row.remote))) return undefined;
  return sight.isLocal(row.remote.address) ? 'client' : undefined;
}

function accepts({ local }: SocketRow, { address, port }: SocketRow['local']): boolean {
  if (local.port !== port) return false;
  if (local.address === '::') return true;
  return local.address === '0.0.0.0' ? !address.includes(':') : local.address === address;
}

function stageOf({ state, forgottenIn }: SocketRow): Stage {
  if (state === 'time-wait') return 'closed';
  return forgottenIn === undefined ? 'open' : 'fading';
}

function carriesData({ state, unsent, unread }: SocketRow): boolean {
  if (state === 'established') return unsent > 0 || unread > 0;
  // The client's end of stream counts as one unread byte, the service's own as one unsent.
  if (state === 'close-wait') return unsent > 0;
  return (state === 'fin-wait-1' || state === 'last-ack' || state === 'closing') && unsent > 1;
}
