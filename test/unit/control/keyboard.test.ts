import { expect, test } from 'vitest';
import { createKeyboard } from '../../../src/control/keyboard.js';
import { planOf } from '../../support/plans.js';
import { supervised } from '../../support/supervised.js';

function keyboard() {
  const run = supervised(planOf({ web: { ttl: 60_000 }, worker: {} }));
  const said: string[] = [];
  let quits = 0;
  const keys = createKeyboard(
    run.supervisor,
    (text) => said.push(text),
    () => {
      quits += 1;
    },
  );
  const type = (text: string) => {
    for (const key of text) keys.press(key);
  };
  return { ...run, said, type, quits: () => quits, log: () => run.children.log.slice(2) };
}

test('r asks which service and restarts it', () => {
  const { type, said, log } = keyboard();
  type('r2');
  expect(said).toEqual(['restart which? 1 web  2 worker  (any other key: none)']);
  expect(log()).toEqual(['worker.1 SIGTERM']);
});

test('a key that is no answer restarts nothing, and is no command either', () => {
  const { type, log, quits } = keyboard();
  type('rq');
  expect([log(), quits()]).toEqual([[], 0]);
});

test('l extends the only lease that there is', () => {
  const { type, said } = keyboard();
  type('l');
  expect(said).toEqual(['web has 11m left']);
});

test('s sends a line as it was typed and corrected', () => {
  const { type, said, log } = keyboard();
  type('s2helo\x7flo\r');
  expect(log()).toEqual(['worker.1 read hello\n']);
  expect(said.at(-1)).toBe('to worker: hello');
});

test('Escape sends nothing', () => {
  const { type, log } = keyboard();
  type('s2rm\x1bx');
  expect(log()).toEqual([]);
});

test('q quits when it is pressed twice, and not when another key comes between', () => {
  const { type, said, quits } = keyboard();
  type('qxq');
  expect(quits()).toBe(0);
  expect(said).toEqual(Array.from({ length: 2 }, () => 'q once more stops everything; any other key does not'));
  type('q');
  expect(quits()).toBe(1);
});

test('? explains every key', () => {
  const { type, said } = keyboard();
  type('?');
  for (const key of ['r', 'R', 'l', 'p', 's', 'q', '?'])
    expect(said.join('\n')).toMatch(new RegExp(`(^|\\s)[${key}]  ?`, 'm'));
});
