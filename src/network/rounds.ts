/**
 * When to look at the machine's sockets. One reading serves every watcher, because a reading is dear (9 ms).
 *
 * Where the ends of connections are told (see closings.ts), a look every five seconds is for what remains: new
 * ports, and connections that are open. Where they are not, short connections must be caught while they are there:
 * how many were ever accepted is cheap to ask (0.06 ms), so ten times a second that number is compared, and when it
 * has changed the tables are read.
 *
 * Readings cost at most a hundredth of a processor in the long run. Each one is a debt of a hundred times what it
 * took, which passing time pays off; with a debt of two seconds or more the next one waits, but never longer than
 * twenty, while the kernel forgets a closed connection only after sixty.
 */
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';
import type { Closings } from './closings.js';
import { parseSockets, type SocketRow } from './sockets.js';
import type { Tally } from './tallies.js';

/** The operating system's side, so that a test can invent one. */
export interface Machine {
  /** How many connections were ever accepted; undefined where nobody counts. */
  accepted(): number | undefined;
  /** /proc/net/tcp and tcp6. */
  tables(): string;
  /** How much of a processor this process has used so far. */
  used(): Millis;
  /** Tells of every connection that ends. */
  closings(heard: (tallies: ReadonlyMap<string, Tally>) => void): Closings;
}

export interface Watcher {
  /** The sockets that listen on this machine, at `now`; answers the ports that it wants to see. */
  choose(listening: readonly SocketRow[], now: Millis): ReadonlySet<number>;
  /** Every row that has one of these ports at either end, and may have others'. */
  see(rows: readonly SocketRow[], now: Millis, hearsEnds: boolean): void;
  /** Connections to any watcher's ports that have ended. */
  hear(tallies: ReadonlyMap<string, Tally>, now: Millis): void;
}

export interface Rounds {
  join(watcher: Watcher): () => void;
  /** Looks now. */
  look(): void;
}

const pulse: Millis = 100;
/** Where the ends of connections are told. */
const slow: Millis = 1_000;
const regular: Millis = 5_000;
/** Where accepted connections are not counted. */
const blind: Millis = 1_000;
const longest: Millis = 20_000;

const share = 100;
const mostDebt: Millis = 2_000;

export function createRounds(clock: Clock, machine: Machine): Rounds {
  const watchers = new Set<Watcher>();
  let cancel = () => {};
  let accepted: number | undefined;
  let lookedAt = -Infinity;
  let debt: Millis = 0;
  const closings = machine.closings((tallies) => {
    const now = clock.now();
    for (const watcher of watchers) watcher.hear(tallies, now);
  });

  const isDue = () => {
    const gap = clock.now() - lookedAt;
    if (gap >= longest) return true;
    if (debt - gap >= mostDebt) return false;
    if (closings.isOn) return gap >= regular;
    const count = machine.accepted();
    return count === undefined ? gap >= blind : count !== accepted || gap >= regular;
  };

  const look = () => {
    const [now, used] = [clock.now(), machine.used()];
    debt = Math.max(0, debt - (now - lookedAt));
    lookedAt = now;
    // Asked before the tables are read: what is accepted in between is then looked at once too often.
    accepted = machine.accepted();
    const tables = machine.tables();
    show(tables, { watchers, closings, now: clock.now() });
    debt += share * (machine.used() - used);
  };

  const beat = () => {
    try {
      if (isDue()) look();
    } catch {
      // EMFILE: the next beat may see more. Whoever wants to know it now asks for a look, and hears of it.
    }
    if (watchers.size > 0) cancel = clock.wakeAt(clock.now() + (closings.isOn ? slow : pulse), beat);
  };

  return {
    look,
    join(watcher) {
      watchers.add(watcher);
      if (watchers.size === 1) cancel = clock.wakeAt(clock.now() + pulse, beat);
      return () => {
        watchers.delete(watcher);
        if (watchers.size > 0) return;
        cancel();
        closings.close();
      };
    },
  };
}

/** `now` is after the reading: what the tables show had happened by then. */
function show(tables: string, { watchers, closings, now }: Scene): void {
  const listening = parseSockets(tables, (_local, _remote, state) => state === 'listen');
  const ports = new Set<number>();
  for (const watcher of watchers) for (const port of watcher.choose(listening, now)) ports.add(port);
  closings.follow([...ports].sort((a, b) => a - b));
  const rows = parseSockets(tables, (local, remote, state) => {
    return state !== 'listen' && (ports.has(local) || ports.has(remote));
  });
  for (const watcher of watchers) watcher.see(rows, now, closings.isOn);
}

interface Scene {
  readonly watchers: ReadonlySet<Watcher>;
  readonly closings: Closings;
  readonly now: Millis;
}
