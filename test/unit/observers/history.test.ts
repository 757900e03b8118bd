import { expect, test } from 'vitest';
import type { ProcletEvent } from '../../../src/model.js';
import { createHistory } from '../../../src/observers/history.js';

const line = (id: string, text: string, at = 0): ProcletEvent => ({
  ...{ type: 'output', at, id, stream: 'stdout', text: `${text}\n`, shown: 0, continued: false, end: 'line' },
});
const textsOf = (events: readonly ProcletEvent[]) => events.map((event) => ('text' in event ? event.text.trim() : ''));

test('keeps what happened in its order, over all services', () => {
  const history = createHistory();
  const events = [
    line('web.1', 'a'),
    { type: 'notice', at: 1, text: 'b' } as const,
    line('db.1', 'c'),
    line('web.1', 'd'),
  ];
  for (const event of events) history.observe(event);
  expect(textsOf(history.events())).toEqual(['a', 'b', 'c', 'd']);
  expect(history.completeSince()).toBe(-Infinity);
});

test('a service that floods pushes out its own lines only, and it is known since when all is there', () => {
  const history = createHistory();
  history.observe(line('db.1', 'quiet', 1));
  for (let n = 1; n <= 10_000; n += 1) history.observe(line('web.1', 'x'.repeat(200), n));
  const kept = history.events();
  expect(textsOf(kept)[0]).toBe('quiet');
  expect(kept.length).toBeGreaterThan(1_000);
  expect(kept.length).toBeLessThan(3_000);
  expect(history.completeSince()).toBe(kept[1] && kept[1].at - 1);
});

test('an unfinished line is kept until what follows it is there', () => {
  const history = createHistory();
  const prompt = { ...line('web.1', 'x'), end: 'open' } as ProcletEvent;
  history.observe(line('web.1', 'before'));
  history.observe(prompt);
  history.observe(line('db.1', 'other'));
  expect(textsOf(history.events())).toEqual(['before', 'x', 'other']);
  history.observe(line('web.1', 'x y'));
  expect(textsOf(history.events())).toEqual(['before', 'other', 'x y']);
});
