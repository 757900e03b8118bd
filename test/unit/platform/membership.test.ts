import { describe, expect, test } from 'vitest';
import { detachedMark, guardianMark, markIn, markOf, runOf } from '../../../src/platform/mark.js';
import { membersOf, type Tree } from '../../../src/platform/membership.js';
import type { ProcessRow } from '../../../src/platform/process-table.js';

const run = '12345678901';
const mark = markOf(run, 1);
const self = 50;

function row(pid: number, over: Partial<ProcessRow> = {}): ProcessRow {
  return { pid, ppid: 1, pgid: pid, sid: pid, state: 'S', started: `s${pid}`, ...over };
}

function members(rows: ProcessRow[], over: Partial<Tree> = {}): number[] {
  const tree: Tree = {
    mark,
    leader: 100,
    known: new Map([[100, 's100']]),
    ownsGroup: true,
    guests: new Set(),
    orphaned: new Set(),
    ...over,
  };
  const table = new Map(rows.map((one) => [one.pid, one]));
  return membersOf(tree, table, self)
    .map(({ pid }) => pid)
    .sort((a, b) => a - b);
}

const leader = row(100, { ppid: self });

describe('the members of a tree', () => {
  test('are the leader, its group, its session and their children', () => {
    const group = row(101, { pgid: 100, sid: 100 });
    const session = row(102, { pgid: 102, sid: 100 });
    const child = row(103, { ppid: 102 });
    expect(members([leader, group, session, child, row(200)])).toEqual([100, 101, 102, 103]);
  });

  test('include what carries the mark, wherever it went', () => {
    expect(members([leader, row(300, { mark })])).toEqual([100, 300]);
    expect(members([row(300, { mark })])).toEqual([300]);
  });

  test('include what has one of its pipes and no mark of its own', () => {
    const pipes = new Set(['5:1', '5:2']);
    const holder = row(300, { pipes: ['5:9', '5:2'] });
    expect(members([leader, holder, row(301, { pipes: ['5:3'] })], { pipes })).toEqual([100, 300]);
    expect(members([leader, holder])).toEqual([100]);
  });

  test('include the children of what carries the mark, though they lost it', () => {
    expect(members([row(300, { mark }), row(301, { ppid: 300 })])).toEqual([300, 301]);
  });

  test('include whoever is in a session that a member leads', () => {
    expect(members([leader, row(101, { ppid: 100 }), row(102, { sid: 101 })])).toEqual([100, 101, 102]);
  });

  test('are remembered, and still known when everything but pid and start has changed', () => {
    const known = new Map([[100, 's100']]);
    members([leader, row(101, { ppid: 100 })], { known });
    expect(members([row(101)], { known })).toEqual([101]);
  });

  test('never include a process that got the pid of a member later', () => {
    expect(members([row(100, { started: 'later' })], { ownsGroup: false })).toEqual([]);
  });

  test('never include the group of another program that got the pid of the leader', () => {
    const heir = row(100, { started: 'later' });
    const child = row(101, { pgid: 100, sid: 100 });
    expect(members([heir, child])).toEqual([]);
    expect(members([heir, child, row(300, { mark })])).toEqual([300]);
  });

  test('keep the group of a leader that is gone, until it was seen empty', () => {
    const left = row(101, { pgid: 100, sid: 100 });
    expect(members([left])).toEqual([101]);
    expect(members([left], { ownsGroup: false })).toEqual([]);
  });

  test('never include proclet, process 1, or what another run of proclet started', () => {
    const other = markOf('98765432109', 1);
    const nested = row(101, { ppid: 100, mark });
    const theirs = row(102, { ppid: 101, mark: other });
    const below = row(103, { ppid: 102, mark: other });
    expect(members([leader, row(self, { mark }), row(1, { mark }), nested, theirs, below])).toEqual([100, 101]);
  });

  test('name the runs of other proclets that were started among them', () => {
    const guests = new Set<string>();
    const theirs = row(102, { ppid: 101, mark: markOf('98765432109', 1) });
    members([leader, row(101, { ppid: 100, mark }), theirs, row(103, { mark: guardianMark(run) })], { guests });
    expect([...guests]).toEqual(['98765432109']);
  });

  test('include what a run that nobody attends to has left, wherever it went, but not its guardian', () => {
    const orphaned = new Set(['98765432109']);
    const theirs = row(300, { mark: markOf('98765432109', 1) });
    const guardian = row(301, { mark: guardianMark('98765432109') });
    expect(members([leader, theirs, guardian, row(302, { ppid: 300 })], { orphaned })).toEqual([100, 300, 302]);
  });

  test('never include a guardian', () => {
    expect(members([leader, row(101, { ppid: 100, mark: guardianMark(run) })])).toEqual([100]);
  });

  test('include what is in the control group of the tree', () => {
    const tree: Tree = {
      mark,
      leader: 100,
      known: new Map(),
      ownsGroup: false,
      guests: new Set(),
      orphaned: new Set(),
    };
    const table = new Map(
      [row(300), row(301, { mark: markOf('98765432109', 1) }), row(302)].map((one) => [one.pid, one]),
    );
    expect(membersOf(tree, table, self, [300, 301, 999]).map(({ pid }) => pid)).toEqual([300]);
  });

  test('of a whole run are those of every life of it', () => {
    const rows = [row(300, { mark }), row(301, { mark: markOf(run, 77) }), row(302, { mark: guardianMark(run) })];
    expect(members(rows, { mark: run, leader: 0, known: new Map(), ownsGroup: false })).toEqual([300, 301]);
  });

  test('include what runs under a limit that is nobody’s mark', () => {
    expect(members([leader, row(101, { ppid: 100, mark: '1024' })])).toEqual([100, 101]);
  });
});

describe('a mark', () => {
  test('names its run and is a whole number that a shell can set', () => {
    expect(runOf(mark)).toBe(run);
    expect(Number.isSafeInteger(Number(mark))).toBe(true);
  });

  test('of another life of the run differs', () => {
    const marks = [1, 2, 9_999].map((life) => markOf(run, life));
    expect(new Set([guardianMark(run), ...marks]).size).toBe(4);
  });

  test('is told from ordinary limits', () => {
    for (const limit of [undefined, 'unlimited', '1024', '18446744073709551615', '012345678901234']) {
      expect(runOf(limit)).toBeUndefined();
    }
  });
});

describe('the mark of a process', () => {
  const environment = (text: string) => () => text;

  test('is its limit, and otherwise what its environment says', () => {
    const other = `PROCLET_MARK=${markOf('98765432109', 1)}`;
    expect(markIn(mark, environment(other))).toBe(mark);
    for (const limit of [undefined, 'unlimited', '100']) {
      expect(markIn(limit, environment(`A=1\0PROCLET_MARK=${mark}\0B=2\0`))).toBe(mark);
      expect(markIn(limit, environment(`PROCLET_GUARDIAN=${guardianMark(run)}\0`))).toBe(guardianMark(run));
    }
  });

  test('is none for anything else that an environment holds', () => {
    for (const text of ['', 'A=1\0', `NOT_PROCLET_MARK=${mark}\0`, `PROCLET_MARK=${mark}0000\0`, 'PROCLET_MARK=\0']) {
      expect(markIn('unlimited', environment(text))).toBeUndefined();
    }
  });

  test('names no run when it was let go, whatever its environment was', () => {
    expect(markIn(detachedMark, environment(`PROCLET_MARK=${mark}\0`))).toBe(detachedMark);
    expect(markIn('unlimited', environment(`PROCLET_MARK=${detachedMark}\0`))).toBe(detachedMark);
    expect(runOf(detachedMark)).toBeUndefined();
  });
});
