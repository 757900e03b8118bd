import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseConfig } from '../../src/procfile/parse-config.js';

const keys = [
  'services',
  'defaults',
  'web',
  'ttl',
  'grace',
  'restart',
  'env',
  'umask',
  'port',
  'instances',
  'user',
  '<<',
];
const key = fc.oneof({ arbitrary: fc.constantFrom(...keys), weight: 4 }, { arbitrary: fc.string(), weight: 1 });
const { tree } = fc.letrec<{ tree: unknown; map: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.constantFrom('30m', 'never', '022', 0, 1, -1, 90, true, null, '', 'x\0'),
    fc.anything({ maxDepth: 0 }),
    fc.array(tie('tree'), { maxLength: 3 }),
    tie('map'),
  ),
  map: fc.array(fc.tuple(key, tie('tree')), { maxLength: 4 }).map((pairs) => new Map(pairs)),
}));

function expectSound(text: string): void {
  const parsed = parseConfig(text, 'proclet.yml', ['ttl']);
  if (parsed.ok) {
    expect(Object.keys(parsed.value.places)).toEqual(Object.keys(parsed.value.services));
    return;
  }
  expect(parsed.problems.length).toBeGreaterThan(0);
  for (const { line, message } of parsed.problems) {
    expect(message).not.toMatch(/Invalid input|undefined|\[object/);
    if (line === undefined) continue;
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(text.split('\n').length);
  }
}

describe('parseConfig', () => {
  test('answers any text with a configuration, or with lines within it', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\n',
        '  ',
        ': ',
        '- ',
        '? ',
        '&a ',
        '*a',
        '<<: ',
        '{',
        '}',
        '[',
        ']',
        '"',
        '!!map ',
        '| ',
        '#',
        '---\n',
      ),
      fc.constantFrom('services:\n', 'defaults:\n', '  web:\n', '    ttl: 5\n', '    env: {A: 1}\n'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => expectSound(pieces.join(''))),
      { numRuns: 1000 },
    );
  });

  test('answers any YAML with a configuration, or with lines within it', () => {
    fc.assert(
      fc.property(tree, (value) => expectSound(stringify(value) ?? '')),
      { numRuns: 500 },
    );
  });

  test('finds the line of any service, however much stands before it', () => {
    const tags = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/), { minLength: 1 });
    fc.assert(
      fc.property(tags, fc.nat(5), (all, above) => {
        const text = `${'\n'.repeat(above)}services:\n${all.map((tag) => `  "${tag}":\n    ttl: 5\n`).join('')}`;
        const parsed = parseConfig(text, 'proclet.yml');
        const places = Object.fromEntries(all.map((tag, n) => [tag, { line: above + 2 + 2 * n, column: 3 }]));
        expect(parsed.ok && parsed.value.places).toEqual(places);
      }),
    );
  });
});
