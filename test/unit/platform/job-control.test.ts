import { describe, expect, test } from 'vitest';
import { standingIn, wasSentByProcess } from '../../../src/platform/job-control.js';
import type { ProcessRow } from '../../../src/platform/process-table.js';

const self = 50;

function table(...rows: Partial<ProcessRow>[]): Map<number, ProcessRow> {
  const all = [{ pid: self, ppid: 9, pgid: 40 }, ...rows];
  return new Map(
    all.map((row) => [Number(row.pid), { pid: 0, ppid: 1, pgid: 1, sid: 1, state: 'S', started: '1', ...row }]),
  );
}

describe('where proclet stands with its terminal', () => {
  test.each([
    ['50 (node) S 9 40 9 34816 40 0', 'foreground'],
    ['50 (node) S 9 40 9 34816 9 0', 'background'],
    ['50 (a) S (b) S 9 40 9 34816 9 0', 'background'],
    ['50 (node) S 9 40 9 0 -1 0', 'none'],
    ['50 (node) S 9 40 9 34816 -1 0', 'none'],
  ] as const)('%s: %s', (stat, standing) => {
    expect(standingIn(stat)).toBe(standing);
  });
});

describe('a SIGTTIN', () => {
  test.each(['foreground', 'none', 'unknown'] as const)(
    'to what is not in the background (%s) was sent',
    (standing) => {
      expect(wasSentByProcess(standing, table({ pid: 40, pgid: 40 }), self)).toBe(true);
    },
  );

  test('to what is alone in the background was sent: it does not touch the terminal itself', () => {
    const rows = table({ pid: 60, ppid: self, pgid: 40 }, { pid: 70, pgid: 70 });
    expect(wasSentByProcess('background', rows, self)).toBe(true);
  });

  test('to a group in the background may be for another of the group', () => {
    expect(wasSentByProcess('background', table({ pid: 40, pgid: 40 }), self)).toBe(false);
  });
});
