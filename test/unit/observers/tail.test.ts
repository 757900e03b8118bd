import { expect, test } from 'vitest';
import { createTail } from '../../../src/observers/tail.js';
import { at, output } from '../../support/events.js';

const after = (...events: Parameters<ReturnType<typeof createTail>['observe']>[0][]) => {
  const tail = createTail();
  for (const event of events) tail.observe(event);
  return tail;
};

test('the last lines come oldest first, without newlines', () => {
  const tail = after(output('one\ntwo\n'), output('three\n', { stream: 'stderr' }));
  expect(tail.last('web.1', 2)).toEqual(['two', 'three']);
  expect(tail.last('web.1', 9)).toEqual(['one', 'two', 'three']);
});

test('an empty line is a line', () => {
  expect(after(output('one\n\n')).last('web.1', 5)).toEqual(['one', '']);
});

test('instances have nothing to do with each other', () => {
  const tail = after(output('mine\n'), output('theirs\n', { id: 'web.2' }));
  expect(tail.last('web.1', 5)).toEqual(['mine']);
  expect(tail.last('web.3', 5)).toEqual([]);
});

test('a prompt counts once, when its line is finished', () => {
  const tail = after(output('name? ', { end: 'open' }), output('name? ok\n', { shown: 6 }));
  expect(tail.last('web.1', 5)).toEqual(['name? ok']);
});

test('the pieces of a long line are one line, whatever the other stream says meanwhile', () => {
  const tail = after(
    output('long ', { end: 'cut' }),
    output('other\n', { stream: 'stderr' }),
    output('line\n', { continued: true }),
  );
  expect(tail.last('web.1', 5)).toEqual(['other', 'long line']);
});

test('a new life has no words yet', () => {
  const tail = after(output('old\n'), at({ type: 'spawned', id: 'web.1', pid: 9, port: 5000 }));
  expect(tail.last('web.1', 5)).toEqual([]);
});

test('no more than 8 KB are kept, in whole lines where possible', () => {
  const line = `${'x'.repeat(99)}\n`;
  const many = after(...Array.from({ length: 500 }, () => output(line))).last('web.1', 9999);
  expect(many.join('\n').length).toBeLessThanOrEqual(8192);
  expect(new Set(many)).toEqual(new Set(['x'.repeat(99)]));
  const one = after(output(`${'x'.repeat(65_536)}`, { end: 'cut' }), output('end\n', { continued: true }));
  expect(one.last('web.1', 5)[0]).toMatch(/^x+end$/);
  expect(one.last('web.1', 5)[0]?.length).toBeLessThanOrEqual(8192);
});
