import { describe, expect, test } from 'vitest';
import { isAttended, mayLive } from '../../../src/platform/attendance.js';
import { bootId, pidNamespace } from '../../../src/platform/boot.js';
import { guardianMark, markOf } from '../../../src/platform/mark.js';
import type { ProcessRow, ProcessTable } from '../../../src/platform/process-table.js';
import type { RunRecord } from '../../../src/platform/runtime-dir.js';

const run = '12345678901';

function row(pid: number, over: Partial<ProcessRow> = {}): ProcessRow {
  return { pid, ppid: 1, pgid: pid, sid: pid, state: 'S', started: `s${pid}`, ...over };
}

const record: RunRecord = {
  ...{ run, pid: 70, started: 's70', boot: bootId(), pids: pidNamespace(), root: '/p', name: '', command: 'start' },
  ...{ cgroup: '', within: '', ports: [], since: 0 },
};

function attended(rows: ProcessRow[], over: Partial<RunRecord> | 'no record' = {}): boolean {
  const processes = new Map(rows.map((one) => [one.pid, one]));
  const table = { command: (pid: number) => (pid === 70 ? 'node proclet start' : 'other') } as ProcessTable;
  return isAttended({ run, record: over === 'no record' ? undefined : { ...record, ...over } }, processes, table);
}

describe('a run is attended to', () => {
  const service = row(80, { ppid: 70, mark: markOf(run, 1) });

  test.each<[string, boolean]>([
    ['while its runner lives', attended([row(70), service])],
    [
      'while its runner lives and its guardian was stopped',
      attended([row(70), row(90, { mark: guardianMark(run), state: 'T' })]),
    ],
    ['while its guardian lives', attended([service, row(90, { mark: guardianMark(run) })])],
    [
      'while a guardian lives, though its record is gone',
      attended([row(90, { mark: guardianMark(run) })], 'no record'),
    ],
    [
      'while a proclet is the parent of its services, though its record is gone',
      attended([row(70), service], 'no record'),
    ],
    ['as far as can be known from another pid namespace', attended([service], { pids: 'pid:[1]' })],
  ])('%s', (_, is) => expect(is).toBe(true));

  test.each<[string, boolean]>([
    ['when both are gone', attended([service])],
    [
      'when one is gone and the other was stopped, and will do nothing',
      attended([service, row(90, { mark: guardianMark(run), state: 'T' })]),
    ],
    ['when its pid is another process now', attended([row(70, { started: 'later' }), service])],
    ['after another boot', attended([row(70), service], { boot: 'another' })],
    ['after another boot, whatever the namespace was', attended([row(70)], { boot: 'another', pids: 'pid:[1]' })],
    [
      'when its services have another parent and its record is gone',
      attended([row(71), row(80, { ...service, ppid: 71 })], 'no record'),
    ],
  ])('no more %s', (_, is) => expect(is).toBe(false));
});

test('who made a file is not taken for dead because its pid means nothing here', () => {
  expect(mayLive({ ...record, pids: 'pid:[1]' }, () => undefined)).toBe(true);
});
