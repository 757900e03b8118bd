/**
 * Makes trees empty. Every tree that is being ended is looked at together: one reading of the process table
 * serves them all, and the next look is one deadline. A tree has ended when nothing of it is left, not when
 * its leader is gone. A reading that fails says nothing about anybody: it is tried again.
 */
import { sparing } from '../errors.js';
import type { Millis, Survivor } from '../model.js';
import type { Clock } from '../ports.js';
import { isSystemError } from '../system-error.js';
import type { Cgroup } from './cgroup.js';
import { deliverAll, type Ending, meetLeader, nestedOf, type TreeListener, withoutHolder } from './ending.js';
import type { Guests } from './guests.js';
import type { Known } from './lives.js';
import { runOf } from './mark.js';
import { isGuest, isInGroup, type Kinship, kinshipIn, membersOf } from './membership.js';
import type { ProcessRow, ProcessTable } from './process-table.js';
import { strike } from './strike.js';
import { survivorsOf, unseenSurvivors } from './survivors.js';

const firstLook: Millis = 4;
const slowestLook: Millis = 50;

/** A program that forks faster than the table can be read may hide from one reading, hardly from three. */
const quietLooks = 3;

/** The guardian of a proclet that was started from within a tree, and had to be killed, gets this long to end its run. */
const guestsLeaveIn: Millis = 3_000;

/** What holds the terminal of a program that was killed has this long to pass on what that had printed. */
const lastWordsIn: Millis = 1_000;

/** What a tree is known by. */
export interface Seed {
  readonly leader: number;
  /** When the leader started, where that was noted before; undefined or '': it is looked up. */
  readonly started?: string;
  /** Pid to start of other members that were noted before. */
  readonly known?: ReadonlyMap<number, string>;
  readonly mark: string;
  /** The leader was started in a session and group of its own. */
  readonly ownsGroup: boolean;
  /** What holds the leader's terminal. */
  readonly holder?: Known | undefined;
  readonly cgroup?: Cgroup | undefined;
  /** What was made for its streams, by `pipeKey`. */
  readonly pipes?: ReadonlySet<string>;
}

export interface PlantedTree {
  /** From now on this process is the leader, and the one before only holds its terminal. Returns when it started. */
  leadBy(pid: number): string | undefined;
  /** When the leader started, as the process table tells; undefined when it was gone already. */
  readonly started: string | undefined;
  /** Signals every member, or all but the leader, and wakes the ones that are stopped so that they can act on it. */
  signal(signal: NodeJS.Signals, to?: 'tree' | 'rest'): void;
  /** Signals the leader alone, and wakes it if it is stopped. Returns false when it ignores that signal. */
  pass(signal: NodeJS.Signals): boolean;
  /** SIGKILL until nothing is left. */
  kill(): void;
  /** Whether the leader is still there, or may be. */
  isLed(): boolean;
  /** The leader is gone: from here on, an empty tree is an end. */
  leaderExited(): void;
  /** Ends the waiting: what is left is reported. */
  abandon(): void;
  /** The live members, now. */
  pids(): readonly number[];
}

export interface Surroundings {
  readonly self?: number;
  readonly troubled?: (error: Error) => void;
}

export class ProcessTrees {
  readonly #clock: Clock;
  readonly #table: ProcessTable;
  readonly #guests: Guests;
  readonly #self: number;
  readonly #ending = new Set<Ending>();
  #pause = firstLook;
  #dueAt = Infinity;
  #cancel = () => {};

  readonly #troubled: (error: Error) => void;

  /** `troubled` hears of each reading that failed. */
  constructor(
    clock: Clock,
    table: ProcessTable,
    guests: Guests,
    { self = process.pid, troubled = () => {} }: Surroundings = {},
  ) {
    this.#troubled = troubled;
    this.#clock = clock;
    this.#table = table;
    this.#guests = guests;
    this.#self = self;
  }

  plant(
    { leader, mark, ownsGroup, cgroup, pipes = new Set<string>(), ...seed }: Seed,
    listener: TreeListener,
  ): PlantedTree {
    const known = new Map(seed.known);
    if (seed.started) known.set(leader, seed.started);
    if (seed.holder) known.set(seed.holder.pid, seed.holder.started);
    const tree: Ending = {
      ...{ mark, leader, known, ownsGroup, guests: new Set<string>(), orphaned: new Set<string>(), cgroup, listener },
      ...{ nested: new Map(), pipes },
      ...{
        holder: seed.holder?.pid,
        aloneSince: undefined,
        leaderGone: false,
        over: false,
        announced: false,
        killing: false,
        looked: false,
        pending: [],
        quiet: 0,
        guestsLeaveAt: undefined,
      },
    };
    if (!known.has(leader)) this.#read(() => meetLeader(tree, this.#table.find(leader)));
    return {
      started: known.get(leader),
      leadBy: (pid) => {
        const program = this.#read(() => this.#table.find(pid))?.started;
        tree.holder = tree.leader;
        tree.leader = pid;
        if (program !== undefined) known.set(pid, program);
        return program;
      },
      signal: (signal, to = 'tree') => {
        tree.pending.push({ signal, to });
        this.#hasten(tree);
      },
      pass: (signal) => {
        // Whether it ignores the signal may not be known: then it counts as heard.
        const isHeard = this.#read(() => this.#table.ignores(tree.leader, signal)) !== true;
        tree.pending.push({ signal, to: 'leader' });
        this.#hasten(tree);
        return isHeard;
      },
      kill: () => {
        tree.killing = true;
        this.#hasten(tree);
      },
      isLed: () => this.#read(() => this.#isLed(tree)) ?? true,
      leaderExited: () => {
        tree.leaderGone = true;
        this.#hasten(tree);
      },
      pids: () => withoutHolder(tree, this.#membersOf(tree, this.#table.read())).map(({ pid }) => pid),
      abandon: () => {
        if (!this.#ending.has(tree)) return;
        const found = this.#read(() => survivorsOf(this.#membersOf(tree, this.#table.read()), this.#table));
        this.#end(tree, found ?? unseenSurvivors([...tree.known.keys()]));
      },
    };
  }

  #isLed({ leader, known }: Ending): boolean {
    return known.has(leader) && this.#table.find(leader)?.started === known.get(leader);
  }

  #hasten(tree: Ending): void {
    if (tree.over) return;
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
    if (this.#read(() => this.#lookAtAll()) === undefined) this.#pause = slowestLook;
    if ([...this.#ending].some((tree) => tree.leaderGone || tree.killing || tree.pending.length > 0)) {
      // Those that look empty are looked at again soon: it is time they wait for, not the others.
      if ([...this.#ending].some(({ quiet, guestsLeaveAt }) => quiet > 0 && !guestsLeaveAt)) this.#pause = firstLook;
      this.#lookIn(this.#pause);
      this.#pause = Math.min(this.#pause * 1.5, slowestLook);
    }
  }

  /** What a reading answers; undefined when it failed. */
  #read<T>(reading: () => T): T | undefined {
    try {
      return reading();
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#troubled(error);
      return undefined;
    }
  }

  #lookAtAll(): true {
    const processes = this.#table.read();
    const kinship = kinshipIn(processes);
    const members = new Map(
      [...this.#ending].map((tree) => {
        const rows = this.#membersOf(tree, processes, kinship);
        return [tree, this.#adopt(tree, processes, rows.length) ? this.#membersOf(tree, processes, kinship) : rows];
      }),
    );
    for (const [tree, rows] of members) deliverAll(tree, rows, this.#table);
    const killing = new Map(
      [...members].flatMap(([tree, rows]) => (tree.killing ? [[tree, this.#mortal(tree, rows)] as const] : [])),
    );
    if (killing.size > 0) strike(killing, processes, this.#table, this.#self);
    for (const [tree, rows] of members) this.#judge(tree, rows, processes);
    return true;
  }

  #membersOf(tree: Ending, processes: Map<number, ProcessRow>, kinship?: Kinship): ProcessRow[] {
    if (!tree.leaderGone) meetLeader(tree, processes.get(tree.leader));
    // That a group can be removed is the shortest way to know that nothing is in it.
    const grouped = tree.leaderGone && tree.cgroup?.remove() ? [] : tree.cgroup?.pids();
    const members = membersOf(tree, processes, this.#self, grouped, kinship);
    for (const { pid, mark } of tree.nested.size === 0 ? [] : members)
      tree.nested.get(runOf(mark) ?? '')?.pids.add(pid);
    return members;
  }

  /**
   * Takes over what is left of the tree's guests that nobody attends to. Records are read when the end begins and when
   * nothing else seems to be left. Returns whether there was anything to take over.
   */
  #adopt(tree: Ending, processes: Map<number, ProcessRow>, found: number): boolean {
    if (tree.looked && found > 0 && tree.guests.size === 0) return false;
    tree.looked = true;
    const orphans = this.#guests.orphaned(tree.guests, tree.mark, processes);
    const fresh = orphans.filter(({ run }) => !tree.orphaned.has(run));
    for (const orphan of fresh) {
      tree.guests.delete(orphan.run);
      tree.orphaned.add(orphan.run);
      for (const [pid, started] of orphan.left) tree.known.set(pid, started);
      tree.nested.set(orphan.run, { orphan, pids: new Set() });
    }
    return fresh.length > 0;
  }

  /** What SIGKILL is for: the holder of a terminal not before it has had time to pass on the last words of the others. */
  #mortal(tree: Ending, members: ProcessRow[]): ProcessRow[] {
    const others = withoutHolder(tree, members);
    if (others.length > 0 || members.length === 0) return others;
    tree.aloneSince ??= this.#clock.now();
    return this.#clock.now() < tree.aloneSince + lastWordsIn ? [] : members;
  }

  #judge(tree: Ending, members: readonly ProcessRow[], processes: Map<number, ProcessRow>): void {
    if (!tree.leaderGone || !this.#ending.has(tree)) return;
    const left = members.length;
    tree.ownsGroup &&= members.some((row) => isInGroup(tree, row));
    const announce = !tree.announced;
    tree.announced = true;
    if (left > 0) {
      tree.quiet = 0;
      if (announce) sparing(() => tree.listener.orphaned(left));
      return;
    }
    tree.quiet += 1;
    if (tree.quiet < (tree.known.size > 1 ? quietLooks : 1)) return;
    if (!this.#waitsForGuests(tree, processes)) this.#end(tree, []);
  }

  #waitsForGuests(tree: Ending, processes: Map<number, ProcessRow>): boolean {
    if (![...processes.values()].some((row) => isGuest(tree, row))) return false;
    tree.guestsLeaveAt ??= this.#clock.now() + guestsLeaveIn;
    return this.#clock.now() < tree.guestsLeaveAt;
  }

  #end(tree: Ending, survivors: readonly Survivor[]): void {
    this.#ending.delete(tree);
    tree.over = true;
    tree.cgroup?.remove();
    for (const run of tree.orphaned) sparing(() => this.#guests.forget(run));
    const nested = nestedOf(tree);
    const processes = tree.known.size - (tree.holder === undefined ? 0 : 1);
    sparing(() => tree.listener.ended({ processes, survivors, ...(nested.length > 0 && { nested }) }));
  }
}
