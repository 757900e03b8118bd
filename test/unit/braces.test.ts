import { expect, test } from 'vitest';
import { expandBraces, splitOutsideBraces } from '../../src/braces.js';

test.each([
  ['src/**/*.{ts,json}', ['src/**/*.ts', 'src/**/*.json']],
  ['{a,b}/{c,d}', ['a/c', 'a/d', 'b/c', 'b/d']],
  ['x{a,{b,c}d}', ['xa', 'xbd', 'xcd']],
  ['{,un}done', ['done', 'undone']],
  ['plain', ['plain']],
  ['{one}', ['{one}']],
  ['open{a,b', ['open{a,b']],
  ['a}{b', ['a}{b']],
])('%s', (pattern, expanded) => {
  expect(expandBraces(pattern)).toEqual(expanded);
});

test('a comma in braces parts nothing', () => {
  expect(splitOutsideBraces('lib,web=*.{ts,js},x')).toEqual(['lib', 'web=*.{ts,js}', 'x']);
});
