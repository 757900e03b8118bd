import { expect, test } from 'vitest';
import { leftOf } from '../../../src/platform/left-of-lives.js';
import { type GuardedLife, leaderGone } from '../../../src/platform/lives.js';
import type { ProcessRow } from '../../../src/platform/process-table.js';

const life: GuardedLife = {
  ...{ pid: 100, started: '5000', mark: '123456789010001', ownsGroup: true, cgroup: '' },
  terms: { signal: 'SIGTERM', to: 'tree', grace: 0 },
  pipes: ['1:1:1', '1:2:1', '1:3:1'],
};

function rows(...all: (Pick<ProcessRow, 'pid' | 'started'> & Partial<ProcessRow>)[]) {
  return new Map(all.map((row) => [row.pid, { ppid: 1, pgid: row.pid, sid: row.pid, state: 'S', ...row }]));
}

const all = (pipes: ReadonlyMap<string, unknown>) => new Set(pipes.keys());

test('a leader is left if its start is the same; whoever has its pid since is a stranger', () => {
  expect([...leftOf([life], rows({ pid: 100, started: '5000' }), all)]).toEqual([[100, '5000']]);
  expect([...leftOf([life], rows({ pid: 100, started: '5001' }), all)]).toEqual([]);
  const inside = { pid: 101, started: '5002' };
  expect([...leftOf([{ ...life, inside }], rows(inside), all)]).toEqual([[101, '5002']]);
});

test('who has a pipe of a life open is left, if nobody has the other end', () => {
  const daemon = { pid: 200, started: '5003', pipes: ['1:3:1'] };
  expect([...leftOf([life], rows(daemon), all)]).toEqual([[200, '5003']]);
  expect([...leftOf([{ ...life, started: leaderGone }], rows(daemon), all)]).toEqual([[200, '5003']]);
  expect([...leftOf([life], rows(daemon), () => new Set(['1:2:1']))]).toEqual([]);
});

test('who is older than the leader, or has a pipe of a later birth, is a stranger', () => {
  const older = { pid: 200, started: '999', pipes: ['1:3:1'] };
  const later = { pid: 201, started: '6000', pipes: ['1:3:2'] };
  expect([...leftOf([life], rows(older, later), all)]).toEqual([]);
});

test('the ends are asked for only if somebody has a pipe: of standard input a service has the one to read', () => {
  const asked: (readonly [string, string])[][] = [];
  const ask = (pipes: ReadonlyMap<string, string>) => {
    asked.push([...pipes]);
    return new Set<string>();
  };
  leftOf([life], rows({ pid: 100, started: '5000' }), ask);
  expect(asked).toEqual([]);
  leftOf([life], rows({ pid: 200, started: '5003', pipes: ['1:1:1'] }), ask);
  expect(asked).toEqual([
    [
      ['1:1:1', 'read'],
      ['1:2:1', 'write'],
      ['1:3:1', 'write'],
    ],
  ]);
});
