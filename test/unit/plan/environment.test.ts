import { expect, test } from 'vitest';
import { expand, mergeLayers, namesIn } from '../../../src/plan/environment.js';

const variables = { A: '1', 'B.C': '2', EMPTY: '', PORT: '5000' };

test.each([
  ['http://localhost:${PORT}/', 'http://localhost:5000/', ['PORT']],
  ['${B.C}${A}', '21', ['B.C', 'A']],
  ['${GONE:-other}/${EMPTY:-full}', 'other/full', []],
  ['${GONE:-}', '', []],
  ['$$A $${A} $$$$', '$A ${A} $$', []],
  ['$A ${} ${1} $', '$A ${} ${1} $', []],
  ['${constructor}', '', ['constructor']],
])('%s is expanded', (text, expanded, names) => {
  expect(expand(text, variables)).toBe(expanded);
  expect(namesIn(text)).toEqual(names);
});

test('what a service sets is expanded by all other layers, once', () => {
  const layers = { parent: { HOME: '/h', A: '$$' }, dotenv: { D: 'd' }, envFile: { E: 'e' }, added: { PORT: '1' } };
  const service = { X: '${HOME}/${D}/${E}/${PORT}', Y: '${A}' };
  expect(mergeLayers({ ...layers, service })).toMatchObject({ X: '/h/d/e/1', Y: '$$' });
});
