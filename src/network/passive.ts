/**
 * How an access is seen where proclet does not front the port: by looking at the sockets of the service's processes
 * from outside. Nothing is put between the service and its clients, and the service need not know.
 *
 * What it sees: every connection to any TCP port that a process of the service listens on, and when bytes moved on
 * one last. What it cannot see: ports in another network namespace (a container), of programs of another user (but
 * for root), and anything elsewhere than on Linux. Without `ss` and `stdbuf` it sees less: a connection that was
 * reset, or closed first by a client on another machine, is likely missed if it lasted less than a tenth of a second,
 * an open connection counts as in use, and its end as an access.
 */
import { networkInterfaces } from 'node:os';
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';
import { createAccesses } from './accesses.js';
import { followClosings } from './closings.js';
import { createRounds, type Machine, type Rounds } from './rounds.js';
import { heldBy, readAccepted, readTables, type SocketRow } from './sockets.js';
import { readTallies, type Tally } from './tallies.js';

export interface PassiveOptions {
  readonly clock: Clock;
  /** The live pids of the service's trees, now. */
  readonly pids: () => readonly number[];
  /** Whether a local port is one of proclet's own connections (its front, its readiness probes): those are no accesses. */
  readonly isOwnPort: (port: number) => boolean;
}

export interface Passive {
  /** The TCP ports that the service really listens on, on any address, as of the last look; ascending. */
  readonly ports: readonly number[];
  /** Looks now. Blocks for 10 ms, and another 10 if there are open connections. What cannot be looked at is in use. */
  look(): Look;
  close(): void;
}

export interface Look {
  /** The clock's time of the last access seen so far, -Infinity if none. */
  readonly last: Millis;
  /** Whether a connection carries data now, or a client waits for an answer. `last` is then now. */
  readonly busy: boolean;
  readonly listens: boolean;
}

/** What is asked of the operating system. */
export interface Sockets extends Machine {
  heldBy(pids: readonly number[], inodes: ReadonlySet<string>): ReadonlySet<string>;
  tallies(ports: readonly number[]): ReadonlyMap<string, Tally> | undefined;
  /** The addresses of this machine. */
  addresses(): readonly string[];
}

const linux: Sockets = {
  accepted: readAccepted,
  tables: readTables,
  used: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  },
  closings: followClosings,
  heldBy,
  tallies: readTallies,
  addresses: () => Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []),
};

/** Bytes that moved less long ago than this are still moving. */
const pause: Millis = 2_000;

/** A client that got no answer for this long has none coming: its last message was not a question. */
const patience: Millis = 15 * 60_000;

/** Which sockets the service holds is asked again when any socket begins or ends to listen, and this often. */
const recheck: Millis = 5_000;

/** Everybody who watches by the same clock shares the readings. */
const shared = new WeakMap<Clock, Rounds>();

export function watchPassively(options: PassiveOptions, sockets: Sockets = linux): Passive {
  const { clock, isOwnPort } = options;
  const rounds = shared.get(clock) ?? createRounds(clock, sockets);
  shared.set(clock, rounds);
  const accesses = createAccesses(clock.now());
  const holding = createHolding(options.pids, sockets);
  let talliesAt = -Infinity;
  let wasBusy = false;
  let addresses: ReadonlySet<string> | undefined;

  const isLocal = (address: string) => {
    if (address.startsWith('127.') || address === '::1') return true;
    addresses ??= new Set(sockets.addresses());
    return addresses.has(address);
  };

  const leave = rounds.join({
    choose: (listening, now) => holding.find(listening, now),
    see(rows, now, hearsEnds) {
      addresses = undefined;
      accesses.see({ now, rows, listening: holding.sockets, isLocal, isOwnPort, hearsEnds });
    },
    hear(tallies, now) {
      for (const [key, { port, client, quietFor }] of tallies) {
        if (!holding.ports.includes(port)) continue;
        if (!isOwnPort(client.port) || !isLocal(client.address)) accesses.ended(key, now - quietFor);
      }
    },
  });

  /** Whether an open connection has carried something a moment ago, or owes an answer. */
  function isInUse(): boolean {
    const open = new Set(accesses.open);
    if (open.size === 0) return false;
    // A busy service is asked for again and again: one answer does for as long as it would be the same.
    if (wasBusy && clock.now() - talliesAt < pause) return true;
    const all = sockets.tallies(holding.ports);
    const now = clock.now();
    talliesAt = now;
    if (all === undefined) return true;
    const tallies = [...all].filter(([key]) => open.has(key));
    accesses.count(new Map(tallies.map(([key, { bytes, quietFor }]) => [key, { bytes, active: now - quietFor }])));
    return tallies.some(([, { bytes, quietFor, owes }]) => bytes > 0 && quietFor < (owes ? patience : pause));
  }

  return {
    get ports() {
      return holding.ports;
    },
    look() {
      try {
        holding.forget();
        rounds.look();
        wasBusy = isInUse() || accesses.flowing;
      } catch {
        // EMFILE: a service does not end because a file could not be read
        return { last: clock.now(), busy: true, listens: true };
      }
      const last = wasBusy ? clock.now() : accesses.last;
      return { last, busy: wasBusy, listens: holding.sockets.length > 0 };
    },
    close: leave,
  };
}

/** Which of the machine's listening sockets the service's processes hold. */
function createHolding(pids: () => readonly number[], sockets: Sockets) {
  let asked = -Infinity;
  let seen = '';
  let held: ReadonlySet<string> = new Set();
  let mine: readonly SocketRow[] = [];
  return {
    get sockets() {
      return mine;
    },
    get ports() {
      return [...new Set(mine.map(({ local }) => local.port))].sort((a, b) => a - b);
    },
    /** Asks anew at the next look. */
    forget() {
      asked = -Infinity;
    },
    find(listening: readonly SocketRow[], now: Millis): ReadonlySet<number> {
      const inodes = listening.map(({ inode }) => inode);
      const all = inodes.join(' ');
      if (all !== seen || now - asked >= recheck) {
        held = sockets.heldBy(pids(), new Set(inodes));
        seen = all;
        asked = now;
      }
      mine = listening.filter(({ inode }) => held.has(inode));
      return new Set(mine.map(({ local }) => local.port));
    },
  };
}
