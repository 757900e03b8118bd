import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Survivor } from '../../../src/model.js';
import type { Guests } from '../../../src/platform/guests.js';
import { guardianMark, markOf } from '../../../src/platform/mark.js';
import type { ProcessRow, ProcessTable } from '../../../src/platform/process-table.js';
import { type PlantedTree, ProcessTrees } from '../../../src/platform/process-tree.js';
import { FakeClock } from '../../support/fake-clock.js';

const run = '12345678901';
const mark = markOf(run, 1);
const otherRun = '98765432109';

function row(pid: number, over: Partial<ProcessRow> = {}): ProcessRow {
  return { pid, ppid: 1, pgid: pid, sid: pid, state: 'S', started: `s${pid}`, ...over };
}

/** A machine with the processes that the test says, on which signals are only written down. */
class FakeMachine implements ProcessTable {
  rows: ProcessRow[] = [];
  readonly signals: string[] = [];
  /** What a reading fails with. */
  failure: Error | undefined;
  /** What `find` answers for a pid whose process has changed since it was read. */
  readonly successors = new Map<number, ProcessRow>();
  /** Called at each look for new processes. */
  onReadNew = (): number => 0;

  read = () => {
    this.#fail();
    return new Map(this.rows.map((one) => [one.pid, one]));
  };
  readNew = (seen: Set<number>, meet: (row: ProcessRow) => void = () => {}) => {
    const missed = this.onReadNew();
    const rows = this.rows.filter(({ pid }) => !seen.has(pid));
    for (const one of rows) {
      seen.add(one.pid);
      meet(one);
    }
    return { rows, missed };
  };
  find = (pid: number) => {
    this.#fail();
    return this.successors.get(pid) ?? this.rows.find((one) => one.pid === pid);
  };
  isSame = (row: ProcessRow) => this.find(row.pid)?.started === row.started;
  ignores = () => false;
  command = (pid: number) => `command of ${pid}`;

  #fail() {
    if (this.failure) throw this.failure;
  }
}

/** The runs of other proclets that nobody attends to. */
let abandoned: string[];
let forgotten: string[];
const guests: Guests = {
  orphaned: (known) =>
    [...known]
      .filter((one) => abandoned.includes(one))
      .map((one) => ({ run: one, record: undefined, left: new Map() })),
  forget: (one) => void forgotten.push(one),
};

let machine: FakeMachine;
let clock: FakeClock;
let tree: PlantedTree;
let orphaned: number[];
let ends: { processes: number; survivors: readonly Survivor[] }[];

function plant(...rows: ProcessRow[]): void {
  machine.rows = rows;
  const trees = new ProcessTrees(clock, machine, guests, { self: 50 });
  tree = trees.plant(
    { leader: 100, mark, ownsGroup: true },
    { orphaned: (count) => orphaned.push(count), ended: (result) => ends.push(result) },
  );
}

beforeEach(() => {
  machine = new FakeMachine();
  clock = new FakeClock();
  orphaned = [];
  ends = [];
  abandoned = [];
  forgotten = [];
  vi.spyOn(process, 'kill').mockImplementation((pid, signal) => {
    machine.signals.push(`${signal} ${pid}`);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

const leader = row(100, { ppid: 50, mark });
const child = row(101, { ppid: 100, mark });

describe('a process is signalled', () => {
  test('only while pid and start are those that were seen', () => {
    plant(leader, child);
    machine.successors.set(101, row(101, { started: 'later' }));
    tree.signal('SIGTERM');
    tree.kill();
    clock.advance(0);
    expect(machine.signals).toEqual(['SIGTERM 100', 'SIGSTOP 100', 'SIGKILL 100']);
  });

  test('the leader alone, then the rest alone; and a stopped one is woken to act on it', () => {
    plant(leader, { ...child, state: 'T' });
    expect(tree.pass('SIGTERM')).toBe(true);
    clock.advance(0);
    expect(machine.signals).toEqual(['SIGTERM 100']);
    tree.signal('SIGTERM', 'rest');
    clock.advance(0);
    expect(machine.signals).toEqual(['SIGTERM 100', 'SIGTERM 101', 'SIGCONT 101']);
  });

  test('never when it got the pid of the leader, or of a member, later', () => {
    plant(leader, child);
    tree.signal('SIGTERM');
    clock.advance(0);
    machine.signals.length = 0;
    machine.rows = [row(100, { started: 'later' }), row(101, { started: 'later' }), row(102, { pgid: 100, sid: 100 })];
    tree.leaderExited();
    tree.kill();
    clock.advance(1_000);
    expect(machine.signals).toEqual([]);
    expect(ends).toEqual([{ processes: 2, survivors: [] }]);
  });

  test('never when it is in a group with the number of the leader’s, once that group was seen empty', () => {
    const daemon = row(300, { mark });
    plant(leader, daemon);
    tree.leaderExited();
    machine.rows = [daemon];
    clock.advance(0);
    machine.rows = [daemon, row(102, { pgid: 100, sid: 100 })];
    tree.kill();
    clock.advance(0);
    expect(machine.signals).toEqual(['SIGSTOP 300', 'SIGKILL 300']);
  });
});

describe('while the process table cannot be read', () => {
  const failure = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });

  test('no tree has ended; what is left is found and killed once it can be', () => {
    plant(leader, child);
    machine.rows = [child];
    machine.failure = failure;
    tree.leaderExited();
    tree.kill();
    clock.advance(10_000);
    expect([ends, orphaned, machine.signals]).toEqual([[], [], []]);
    machine.failure = undefined;
    clock.advance(50);
    expect(machine.signals).toContain('SIGKILL 101');
    machine.rows = [];
    clock.advance(200);
    expect(ends).toEqual([{ processes: 2, survivors: [] }]);
  });

  test('a signal waits, and is sent once it can be', () => {
    plant(leader);
    machine.failure = failure;
    tree.signal('SIGTERM');
    clock.advance(1_000);
    machine.failure = undefined;
    clock.advance(50);
    expect(machine.signals).toEqual(['SIGTERM 100']);
  });

  test('a leader that could not be looked at when it was planted is still the leader', () => {
    machine.failure = failure;
    const own = row(100);
    plant(own);
    machine.failure = undefined;
    tree.signal('SIGTERM');
    clock.advance(0);
    expect(machine.signals).toEqual(['SIGTERM 100']);
  });

  test('what is abandoned is named as far as it exists', () => {
    plant(leader, child);
    tree.signal('SIGTERM');
    clock.advance(0);
    machine.failure = failure;
    tree.leaderExited();
    tree.abandon();
    expect(ends[0]?.survivors.map(({ pid }) => pid)).toEqual([100, 101]);
  });
});

test('a tree that has ended does not end again, whatever is asked of it while its last output is read', () => {
  plant(leader);
  machine.rows = [];
  tree.leaderExited();
  clock.advance(0);
  expect(ends).toHaveLength(1);
  tree.kill();
  tree.signal('SIGTERM');
  tree.leaderExited();
  tree.abandon();
  clock.advance(1_000);
  expect(ends).toHaveLength(1);
  expect(clock.waiting).toBe(0);
});

test('a kill stops everything first, and what is born meanwhile at once', () => {
  plant(leader, child);
  const births = [row(102, { ppid: 101, mark }), row(103, { ppid: 102 }), row(200)];
  machine.onReadNew = () => {
    const born = births.shift();
    if (born) machine.rows.push(born);
    return 0;
  };
  tree.kill();
  clock.advance(0);
  expect(machine.signals.slice(0, 4)).toEqual(['SIGSTOP 100', 'SIGSTOP 101', 'SIGSTOP 102', 'SIGSTOP 103']);
  expect(machine.signals.slice(4).sort()).toEqual(['SIGKILL 100', 'SIGKILL 101', 'SIGKILL 102', 'SIGKILL 103']);
});

test('a kill goes on looking while processes are gone before they can be read, and finds the one that stays', () => {
  plant(leader);
  let looks = 0;
  machine.onReadNew = () => {
    looks += 1;
    if (looks === 9) machine.rows.push(row(109, { mark }));
    return looks < 9 ? 1 : 0;
  };
  tree.kill();
  clock.advance(0);
  expect(machine.signals).toContain('SIGKILL 109');
});

test('a process that SIGKILL does not end is named when the waiting is ended, and not waited for after that', () => {
  plant(leader, row(101, { ppid: 100, mark, state: 'D' }));
  tree.kill();
  clock.advance(0);
  machine.rows = [row(101, { mark, state: 'D' })];
  tree.leaderExited();
  clock.advance(4_000);
  expect(ends).toEqual([]);
  tree.abandon();
  expect(ends).toEqual([{ processes: 2, survivors: [{ pid: 101, state: 'D', command: 'command of 101' }] }]);
  expect(orphaned).toEqual([1]);
  machine.signals.length = 0;
  clock.advance(10_000);
  expect(machine.signals).toEqual([]);
  expect(clock.waiting).toBe(0);
});

describe('another proclet that was started from within', () => {
  const inner = row(101, { ppid: 100, mark });
  const theirs = row(102, { ppid: 101, mark: markOf(otherRun, 1) });
  const theirGuardian = row(103, { ppid: 101, mark: guardianMark(otherRun) });

  test('is ended, and what it started is left to it and its guardian', () => {
    plant(leader, inner, theirs, theirGuardian);
    tree.signal('SIGTERM');
    tree.kill();
    clock.advance(0);
    expect(machine.signals.some((signal) => /10[23]$/.test(signal))).toBe(false);
    expect(machine.signals).toContain('SIGKILL 101');
  });

  test('leaves what it started to the tree when nobody attends to it any more', () => {
    plant(leader, inner, theirs);
    abandoned = [otherRun];
    tree.signal('SIGTERM');
    tree.kill();
    clock.advance(0);
    expect(machine.signals).toContain('SIGTERM 102');
    expect(machine.signals).toContain('SIGKILL 102');
    machine.rows = [];
    tree.leaderExited();
    clock.advance(1_000);
    expect(ends).toEqual([{ processes: 3, survivors: [], nested: [{ processes: 1 }] }]);
    expect(forgotten).toEqual([otherRun]);
  });

  test('is not gone before its guardian is', () => {
    plant(leader, inner, theirs, theirGuardian);
    tree.kill();
    clock.advance(0);
    machine.rows = [theirs, theirGuardian];
    tree.leaderExited();
    clock.advance(1_000);
    expect(ends).toEqual([]);
    machine.rows = [];
    clock.advance(100);
    expect(ends).toEqual([{ processes: 2, survivors: [] }]);
  });

  test('is waited for three seconds and not for ever', () => {
    plant(leader, inner, theirs, theirGuardian);
    tree.kill();
    clock.advance(0);
    machine.rows = [theirs, theirGuardian];
    tree.leaderExited();
    clock.advance(2_900);
    expect(ends).toEqual([]);
    clock.advance(300);
    expect(ends).toHaveLength(1);
  });
});
