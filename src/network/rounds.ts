/**
 * When to look at the machine's sockets. One reading serves every watcher, because a reading is dear (9 ms) while
 * asking how many connections were ever accepted is cheap (0.06 ms): ten times a second the number is compared, and
 * only when it has changed, or every five seconds, the tables are read.
 *
 * Readings cost at most a hundredth of a processor in the long run. Each one is a debt of a hundred times what it took,
 * which passing time pays off; with a debt of two seconds or more the next one waits, but never longer than twenty,
 * while the kernel forgets a closed connection only after sixty.
 */
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';
import { parseSockets, type SocketRow } from './sockets.js';

/** The operating system's side, so that a test can invent one. */
export interface Machine {
  /** How many connections were ever accepted; undefined where nobody counts. */
  accepted(): number | undefined;
  /** /proc/net/tcp and tcp6. */
  tables(): string;
  /** How much of a processor this process has used so far. */
  used(): Millis;
}

export interface Watcher {
  /** The sockets that listen on this machine, at `now`; answers the ports that it wants to see. */
  choose(listening: readonly SocketRow[], now: Millis): ReadonlySet<number>;
  /** Every row that has one of these ports at either end, and may have others'. */
  see(rows: readonly SocketRow[], now: Millis): void;
}

export interface Rounds {
  join(watcher: Watcher): () => void;
  /** Looks now. */
  look(): void;
}

const pulse: Millis = 100;
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

  const isDue = () => {
    const gap = clock.now() - lookedAt;
    if (gap >= longest) return true;
    if (debt - gap >= mostDebt) return false;
    const count = machine.accepted();
    return count === undefined ? gap >= blind : count !== accepted || gap >= regular;
  };

  const look = () => {
    const [now, used] = [clock.now(), machine.used()];
    debt = Math.max(0, debt - (now - lookedAt));
    lookedAt = now;
    // Asked before the tables are read: what is accepted in between is then looked at once too often.
    accepted = machine.accepted();
    show(machine.tables(), watchers, clock);
    debt += share * (machine.used() - used);
  };

  const beat = () => {
    if (isDue()) look();
    if (watchers.size > 0) cancel = clock.wakeAt(clock.now() + pulse, beat);
  };

  return {
    look,
    join(watcher) {
      watchers.add(watcher);
      if (watchers.size === 1) cancel = clock.wakeAt(clock.now() + pulse, beat);
      return () => {
        watchers.delete(watcher);
        if (watchers.size === 0) cancel();
      };
    },
  };
}

function show(tables: string, watchers: ReadonlySet<Watcher>, clock: Clock): void {
  // Now that the tables are read: what they show had happened by then.
  const now = clock.now();
  const listening = parseSockets(tables, (_local, _remote, state) => state === 'listen');
  const ports = new Set<number>();
  for (const watcher of watchers) for (const port of watcher.choose(listening, now)) ports.add(port);
  const rows = parseSockets(tables, (local, remote, state) => {
    return state !== 'listen' && (ports.has(local) || ports.has(remote));
  });
  for (const watcher of watchers) watcher.see(rows, now);
}
