import { expect, test } from 'vitest';
import { statusTable, type TableService } from '../../../src/observers/status-table.js';

const usage = { pids: [10, 11], memory: 62 * 1024 ** 2, cpu: 1_200, ports: [5000] };
const web: TableService = {
  ...{ tag: 'web', command: 'true', position: 0, start: 'always', listen: [], usedAgo: 4_000 },
  lease: { idle: 540_000, kept: false },
  instances: [
    { id: 'web.1', phase: 'up', role: 'serving', generation: 3, port: 5000, pid: 10, age: 60_000, usage },
    {
      ...{ id: 'web.2', phase: 'backoff', role: 'serving', generation: 1, port: 5001, retryIn: 4_000 },
      last: { exit: { how: 'signal', signal: 'SIGKILL' }, ago: 2_000 },
    },
  ],
};
const asleep: TableService = {
  ...{ tag: 'psgi', command: 'true', position: 1, start: 'on-access', listen: [{ host: '127.0.0.1', port: 8080 }] },
  instances: [{ id: 'psgi.1', phase: 'down', role: 'serving', generation: 0, port: 5100 }],
};
const report: TableService = {
  ...{ tag: 'report', command: 'true', position: 2, start: 'always', listen: [], nextIn: 90_000 },
  instances: [{ id: 'report.1', phase: 'down', role: 'serving', generation: 1, port: 5200 }],
};
const lines = (columns: number, services = [web, asleep, report]) =>
  statusTable(services, { columns, color: false }).split('\n');

test('a pipe gets every column, under its title', () => {
  expect(lines(Infinity)).toMatchInlineSnapshot(`
    [
      "INSTANCE  PHASE                 PID  PROCS  PORT  UP   CPU  MEMORY  LEFT     USED  RESTARTS  LAST EXIT",
      "web.1     up                     10      2  5000  1m  2.0%    62MB  9m idle    4s         2  -",
      "web.2     backoff 4s              -      -     -   -     -       -  9m idle    4s         0  killed by SIGKILL 2s ago",
      "psgi.1    down (asleep)           -      -  8080   -     -       -  -           -         0  -",
      "report.1  down (next in 1m30s)    -      -     -   -     -       -  -           -         0  -",
    ]
  `);
});

test.each([
  [{ cause: { reason: 'idle', window: 5_000 } }, 'expired (idle) 2s ago'],
  [{ cause: { reason: 'requested' }, forced: 'grace' }, 'stopped, killed 2s ago'],
  [{ cause: { reason: 'changed' } }, 'changed 2s ago'],
  [{ cause: { reason: 'expired' } }, 'expired 2s ago'],
  [{}, 'killed by SIGTERM 2s ago'],
] as const)('an end of ours is told by its cause, another by how: %j', (why, told) => {
  const last = { exit: { how: 'signal', signal: 'SIGTERM' }, ago: 2_000, ...why } as const;
  const [, line] = lines(Infinity, [
    { ...asleep, instances: [{ id: 'psgi.1', phase: 'down', role: 'serving', generation: 1, port: 5100, last }] },
  ]);
  expect(line?.endsWith(told)).toBe(true);
});

test.each([40, 60, 80, 100, 120])('a screen of %d columns is not exceeded, and who and how always stay', (columns) => {
  for (const line of lines(columns)) expect(line.length).toBeLessThanOrEqual(columns);
  expect(lines(columns)[1]).toMatch(/^web\.1 +up/);
});

test('colours change nothing of the widths', () => {
  const colored = statusTable([web, asleep], { columns: 60, color: true });
  expect(colored).toContain('\x1b[');
  expect(colored.replace(/\x1b\[[\d;]*m/g, '').split('\n')).toEqual(lines(60, [web, asleep]));
});

test('one of a handover is told from the one that serves', () => {
  const [serving] = web.instances;
  const coming = { ...serving, role: 'coming', phase: 'starting' } as NonNullable<typeof serving>;
  expect(lines(Infinity, [{ ...web, instances: [coming] }])[1]).toMatch(/^web\.1 \(coming\) +starting/);
});
