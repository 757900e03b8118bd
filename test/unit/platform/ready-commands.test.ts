import { expect, test } from 'vitest';
import type { InstanceSpec, ProcletEvent } from '../../../src/model.js';
import { createReadyCommands } from '../../../src/platform/ready-commands.js';
import { at } from '../../support/events.js';
import { code, FakeChildren, signal } from '../../support/fake-children.js';
import { FakeClock } from '../../support/fake-clock.js';
import { instanceSpec } from '../../support/plans.js';

const db: Partial<InstanceSpec> = {
  ...{ id: 'db.1', tag: 'db', directory: '/srv/db', user: 'postgres', umask: '077', tty: true, detach: ['tmux'] },
  ...{ env: { A: '1', PORT: '5000' }, ready: { kind: 'command', command: 'pg_isready', timeout: 30_000 } },
  ...{ readyProgram: ['sh', '-c', 'exec pg_isready'], stop: 'leader' },
};
const attempt = '(ready db.1)';

function begin(over: Partial<InstanceSpec> = db, generation = 1) {
  const children = new FakeChildren();
  const clock = new FakeClock();
  const specs: InstanceSpec[] = [];
  const notices: string[] = [];
  const ready: string[] = [];
  const ended: string[] = [];
  const { spawn, observe } = createReadyCommands({
    clock,
    spawn: children.spawn,
    attempt: (spec, listener, n) => {
      specs.push(spec);
      return children.spawn(spec, listener, n);
    },
    portOf: ({ port }) => port + 1_000,
    ready: (life) => ready.push(`${life.id}#${life.generation}`),
    notice: (text) => notices.push(text),
  });
  const listener = { output() {}, orphaned() {}, exited: () => void ended.push('db.1') };
  spawn(instanceSpec(over), listener, generation);
  const tell = (event: object) => observe(at({ id: 'db.1', generation, ...event } as never) as ProcletEvent);
  const unready = () => {
    tell({ type: 'unready', after: 30_000, waiting: [] });
    clock.advance(0);
  };
  return { children, clock, specs, notices, ready, ended, tell, unready };
}

test('the command is run like the service, but without its terminal, and at the port of just this life', () => {
  const { clock, specs } = begin();
  clock.advance(0);
  expect(specs).toEqual([
    expect.objectContaining({
      ...{ argv: ['sh', '-c', 'exec pg_isready'], directory: '/srv/db', user: 'postgres', umask: '077' },
      ...{ env: { A: '1', PORT: '6000' }, port: 0, tty: false, detach: [], stop: 'tree' },
    }),
  ]);
});

test('a life is ready as soon as it exits with 0, and no attempt follows', () => {
  const { children, clock, ready } = begin(db, 3);
  clock.advance(0);
  expect(ready).toEqual([]);
  children.exit(attempt, code(0));
  expect(ready).toEqual(['db.1#3']);
  clock.advance(60_000);
  expect(children.alive).toEqual(['db.1']);
  expect(clock.waiting).toBe(0);
});

test('one follows the other after 100 ms and ever longer, up to a second, and never beside it', () => {
  const { children, clock, specs } = begin();
  const pauses: number[] = [];
  clock.advance(0);
  for (let n = 1; n <= 9; n += 1) {
    clock.advance(5_000);
    expect(specs).toHaveLength(n);
    children.exit(attempt, n % 2 === 0 ? code(2) : signal('SIGSEGV'));
    const began = clock.now();
    while (specs.length === n) clock.advance(1);
    pauses.push(clock.now() - began);
  }
  expect(pauses).toEqual([100, 150, 225, 338, 507, 760, 1_000, 1_000, 1_000]);
});

test('one that takes over 10 s is ended whole, and counts as none even if it ends with 0 then', () => {
  const { children, clock, ready, specs } = begin();
  clock.advance(9_999);
  expect(children.log).not.toContain(`${attempt} kill`);
  clock.advance(1);
  expect(children.log.at(-1)).toBe(`${attempt} kill`);
  clock.advance(500);
  expect(specs).toHaveLength(1);
  children.exit(attempt, code(0));
  expect(ready).toEqual([]);
  clock.advance(100);
  expect(specs).toHaveLength(2);
  children.exit(attempt, code(0));
  expect(ready).toEqual(['db.1#1']);
});

test('of one that was ended so it is said that it took too long', () => {
  const { children, clock, notices, unready } = begin();
  clock.advance(10_000);
  children.exit(attempt, signal('SIGKILL'));
  clock.advance(50);
  unready();
  expect(notices).toEqual(["db.1: 'pg_isready' was run once without success: it took longer than 10s"]);
});

test('one that leaves processes behind is ended whole before it counts', () => {
  const { children, clock, ready } = begin();
  clock.advance(0);
  children.orphan(attempt, code(0), 2);
  expect(children.log.at(-1)).toBe(`${attempt} kill`);
  expect(ready).toEqual([]);
  children.exit(attempt, code(0));
  expect(ready).toEqual(['db.1#1']);
});

test.each(['stopping', 'up'])('at the event %s the attempt under way is ended, and none follows', (type) => {
  const { children, clock, ready, tell, specs } = begin();
  clock.advance(0);
  tell({ type });
  expect(children.log.at(-1)).toBe(`${attempt} kill`);
  children.exit(attempt, code(0));
  clock.advance(60_000);
  expect(ready).toEqual([]);
  expect(specs).toHaveLength(1);
});

test('a life has not ended before its attempt has, which is given up after 5 s', () => {
  const { children, clock, ended } = begin();
  clock.advance(0);
  children.exit('db.1', code(1));
  expect(ended).toEqual([]);
  expect(children.log.at(-1)).toBe(`${attempt} kill`);
  clock.advance(4_999);
  expect(ended).toEqual([]);
  clock.advance(1);
  expect(children.log.at(-1)).toBe(`${attempt} abandon`);
  expect(ended).toEqual(['db.1']);
  expect(clock.waiting).toBe(0);
});

test('a life that ends between two attempts has ended at once, and none follows', () => {
  const { children, clock, ended, specs } = begin();
  clock.advance(0);
  children.exit(attempt, code(1));
  children.exit('db.1', code(1));
  expect(ended).toEqual(['db.1']);
  clock.advance(60_000);
  expect(specs).toHaveLength(1);
});

const hasty = { ...db, ready: { kind: 'command', command: 'pg_isready', timeout: 2_000 } } as const;

test('what the last attempt said is told when the life was not ready in time, and only then', () => {
  const { children, clock, notices, tell, unready } = begin(hasty);
  clock.advance(0);
  children.print(attempt, 'the first\n');
  children.exit(attempt, code(2));
  clock.advance(1_500);
  children.print(attempt, '1\n2\n3\n');
  children.print(attempt, '4\n\u001B[31m5\u001B[0m\n\n6 \xc3\xa9\n');
  children.exit(attempt, code(2));
  clock.advance(500);
  expect(notices).toEqual([]);
  tell({ type: 'unready', generation: 2 });
  unready();
  expect(notices).toEqual([
    "db.1: 'pg_isready' was run 3 times without success, the last time it exited with code 2 after 1.4s:",
    ...['2', '3', '4', '5', '6 é'].map((line) => `db.1: ${line}`),
  ]);
});

test('of an attempt that is still under way it is said that it did not end in time', () => {
  const { children, clock, notices, unready } = begin(hasty);
  clock.advance(2_000);
  children.print(attempt, 'waiting\n');
  unready();
  expect(notices).toEqual([
    "db.1: 'pg_isready' was run once without success: it did not end in time:",
    'db.1: waiting',
  ]);
  expect(children.log.at(-1)).toBe(`${attempt} kill`);
});

test('a service that shows it in another way has no attempts', () => {
  const { clock, specs } = begin({ id: 'db.1', ready: { kind: 'tcp', timeout: 1 } });
  clock.advance(1_000);
  expect(specs).toEqual([]);
});
