/**
 * Makes trees empty. Every tree that is being ended is looked at together: one reading of the process table
 * serves them all, and the next look is one deadline. A tree has ended when nothing of it is left, not when
 * its leader is gone.
 */
import type { Millis, Survivor } from '../model.js';
import type { Clock } from '../ports.js';
import type { Cgroup } from './cgroup.js';
import { isForeign, membersOf, type Tree } from './membership.js';
import type { ProcessRow, ProcessTable } from './process-table.js';

const firstLook: Millis = 4;
const slowestLook: Millis = 50;

/** A program that forks faster than the table can be read may hide from one reading, hardly from three. */
const quietLooks = 3;

/** Before SIGKILL everything is stopped; readings go on until this many in a row found nothing new, or to the limit. */
const calmReadings = 3;
const mostReadings = 60;

/** What a tree is known by. */
export interface Seed {
  readonly leader: number;
  readonly mark: string;
  /** The leader was started in a session and group of its own. */
  readonly ownsGroup: boolean;
  readonly cgroup?: Cgroup | undefined;
}

export interface PlantedTree {
  /** Signals every member, and wakes the ones that are stopped so that they can act on it. */
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL until nothing is left. */
  kill(): void;
  /** The leader is gone: from here on, an empty tree is an end. */
  leaderExited(): void;
  /** Ends the waiting: what is left is reported. */
  abandon(): void;
}

export interface TreeListener {
  /** At the first look after the leader's end: how many are left. Not called when none are. */
  orphaned(processes: number): void;
  /** Called once, last. `processes` counts all that were seen, the leader included. */
  ended(result: { processes: number; survivors: readonly Survivor[] }): void;
}

interface Ending extends Tree {
  readonly cgroup: Cgroup | undefined;
  readonly listener: TreeListener;
  leaderGone: boolean;
  announced: boolean;
  killing: boolean;
  pending: NodeJS.Signals[];
  quiet: number;
}

export class ProcessTrees {
  readonly #clock: Clock;
  readonly #table: ProcessTable;
  readonly #self: number;
  readonly #ending = new Set<Ending>();
  #pause = firstLook;
  #dueAt = Infinity;
  #cancel = () => {};

  constructor(clock: Clock, table: ProcessTable, self: number = process.pid) {
    this.#clock = clock;
    this.#table = table;
    this.#self = self;
  }

  plant({ leader, mark, ownsGroup, cgroup }: Seed, listener: TreeListener): PlantedTree {
    const started = this.#table.find(leader)?.started;
    const known = new Map(started === undefined ? [] : [[leader, started]]);
    const tree: Ending = {
      ...{ mark, leader, known, ownsGroup, cgroup, listener },
      ...{ leaderGone: false, announced: false, killing: false, pending: [], quiet: 0 },
    };
    return {
      signal: (signal) => {
        tree.pending.push(signal);
        this.#hasten(tree);
      },
      kill: () => {
        tree.killing = true;
        this.#hasten(tree);
      },
      leaderExited: () => {
        tree.leaderGone = true;
        this.#hasten(tree);
      },
      abandon: () => {
        if (!this.#ending.has(tree)) return;
        this.#end(tree, survivorsOf(this.#membersOf(tree, this.#table.read()), this.#table));
      },
    };
  }

  #hasten(tree: Ending): void {
    this.#ending.add(tree);
    this.#pause = firstLook;
    this.#lookIn(0);
  }

  #lookIn(delay: Millis): void {
    const at = this.#clock.now() + delay;
    if (at >= this.#dueAt) return;
    this.#cancel();
    this.#dueAt = at;
    this.#cancel = this.#clock.wakeAt(at, () => this.#look());
  }

  #look(): void {
    this.#dueAt = Infinity;
    const processes = this.#table.read();
    for (const tree of this.#ending) deliver(tree, this.#membersOf(tree, processes), this.#table);
    const killing = [...this.#ending].filter((tree) => tree.killing);
    if (killing.length > 0) this.#strike(killing, processes);
    for (const tree of this.#ending) this.#judge(tree, this.#membersOf(tree, processes).length);
    if ([...this.#ending].some((tree) => tree.leaderGone || tree.killing)) {
      this.#lookIn(this.#pause);
      this.#pause = Math.min(this.#pause * 1.5, slowestLook);
    }
  }

  #membersOf(tree: Ending, processes: Map<number, ProcessRow>): ProcessRow[] {
    return membersOf(tree, processes, this.#self, tree.cgroup?.pids());
  }

  /**
   * Stops everything first, so that nothing can fork or be missed, then kills it. Adds to `processes` what is
   * born meanwhile. A control group does both in one write, unless another proclet's processes are in it.
   */
  #strike(trees: readonly Ending[], processes: Map<number, ProcessRow>): void {
    const struck = new Map<number, ProcessRow>();
    const seen = new Set(processes.keys());
    for (let reading = 0, calm = 0; reading < mostReadings && calm < calmReadings; reading += 1) {
      const fresh = trees.flatMap((tree) => this.#membersOf(tree, processes)).filter(({ pid }) => !struck.has(pid));
      for (const row of fresh) {
        send(row, 'SIGSTOP', this.#table);
        struck.set(row.pid, row);
      }
      calm = fresh.length === 0 ? calm + 1 : 0;
      for (const row of this.#table.readNew(seen)) processes.set(row.pid, row);
    }
    for (const row of struck.values()) send(row, 'SIGKILL', this.#table);
    for (const tree of trees) {
      const inside = tree.cgroup?.pids().map((pid) => processes.get(pid)) ?? [];
      if (!inside.some((row) => row !== undefined && isForeign(tree, row))) tree.cgroup?.kill();
    }
  }

  #judge(tree: Ending, left: number): void {
    if (!tree.leaderGone) return;
    tree.ownsGroup &&= left > 0;
    const announce = !tree.announced;
    tree.announced = true;
    if (left > 0) {
      tree.quiet = 0;
      if (announce) tree.listener.orphaned(left);
      return;
    }
    tree.quiet += 1;
    if (tree.quiet >= (tree.known.size > 1 ? quietLooks : 1)) this.#end(tree, []);
  }

  #end(tree: Ending, survivors: readonly Survivor[]): void {
    this.#ending.delete(tree);
    tree.cgroup?.remove();
    tree.listener.ended({ processes: tree.known.size, survivors });
  }
}

/** Sends what was asked for, then SIGCONT to what is stopped: a stopped process cannot act on a signal. */
function deliver(tree: Ending, members: readonly ProcessRow[], table: ProcessTable): void {
  for (const signal of tree.pending.splice(0)) {
    for (const row of members) {
      send(row, signal, table);
      if (row.state === 'T') send(row, 'SIGCONT', table);
    }
  }
}

/** Signals a process only if it is still the one that was seen: same pid, same start. */
function send(row: ProcessRow, signal: NodeJS.Signals, table: ProcessTable): void {
  if (table.find(row.pid)?.started !== row.started) return;
  try {
    process.kill(row.pid, signal);
  } catch {
    // ESRCH: gone in this very moment. EPERM: it became another user's, and is not ours to end.
  }
}

function survivorsOf(rows: readonly ProcessRow[], table: ProcessTable): Survivor[] {
  return rows.map(({ pid, state }) => ({ pid, state, command: table.command(pid) }));
}
