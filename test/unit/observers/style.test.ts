import { expect, test } from 'vitest';
import { styleAfter } from '../../../src/observers/style.js';

test.each([
  ['text leaves the style alone', '\x1b[1m', 'plain', '\x1b[1m'],
  ['a colour stays on', '', 'a\x1b[31mb', '\x1b[31m'],
  ['a reset ends everything', '\x1b[1;31m', 'a\x1b[0mb', ''],
  ['an empty reset too', '\x1b[1;31m', 'a\x1b[mb', ''],
  ['what comes after a reset counts', '\x1b[31m', '\x1b[0;32m', '\x1b[32m'],
  ['the last colour of a kind counts', '', '\x1b[31m\x1b[92m\x1b[44m', '\x1b[92;44m'],
  ['each thing has its own end', '', '\x1b[1;3;4;31m\x1b[22;23m\x1b[39m', '\x1b[4m'],
  ['a default background ends one', '\x1b[31;44m', '\x1b[49m', '\x1b[31m'],
  ['a palette colour is one thing', '', '\x1b[38;5;196;1m', '\x1b[38;5;196;1m'],
  ['a true colour is one thing', '', '\x1b[48;2;1;2;3;4m\x1b[24m', '\x1b[48;2;1;2;3m'],
  ['the colon form too', '', '\x1b[38:2::1:2:3m', '\x1b[38:2::1:2:3m'],
  ['a curly underline can be ended in the colon form', '\x1b[4:3m', '\x1b[4:0m', ''],
  ['a sequence that is no style counts for nothing', '', '\x1b[2J\x1b[10;20H\x1b[?25l', ''],
])('%s', (_, before, bytes, after) => {
  expect(styleAfter(before, bytes)).toBe(after);
});

test('a style stays short however many colours a service prints', () => {
  const rainbow = Array.from({ length: 5000 }, (_, i) => `\x1b[38;2;${i % 256};0;0mx`).join('');
  expect(styleAfter('', rainbow).length).toBeLessThan(30);
  expect(styleAfter('', `\x1b[38:${'1'.repeat(5000)}m`).length).toBeLessThan(30);
});
