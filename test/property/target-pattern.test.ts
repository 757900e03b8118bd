import fc from 'fast-check';
import { expect, test } from 'vitest';
import { targetPattern } from '../../src/target-pattern.js';

const word = fc.string({ unit: fc.constantFrom('a', 'b', '.', '1'), maxLength: 8 });
const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 });

test('a pattern matches what the expression that it stands for matches', () => {
  fc.assert(
    fc.property(pattern, word, (text, name) => {
      const source = text.replace(/\./g, '\\.').replaceAll('*', '.*').replaceAll('?', '.');
      expect(targetPattern(text).test(name)).toBe(new RegExp(`^${source}$`).test(name));
    }),
    { numRuns: 2_000 },
  );
});

test('a pattern that is made to take for ever does not', () => {
  expect(targetPattern(`${'*a'.repeat(80)}*b`).test('a'.repeat(5_000))).toBe(false);
});

test('what means something to expressions means nothing here', () => {
  for (const text of ['[w]eb', 'we|b', '(web)', 'w.b', 'web$']) expect(targetPattern(text).test('web')).toBe(false);
  expect(targetPattern('all').test('anything')).toBe(true);
});
