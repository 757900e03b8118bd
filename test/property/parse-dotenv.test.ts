import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDotenv } from '../../src/procfile/parse-dotenv.js';

const key = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,10}$/);
const text = fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.replaceAll('\0', ''));

const doubleQuoted = (value: string) =>
  `"${value
    .replace(/[\\"$`]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')}"`;
const singleQuoted = (value: string) => `'${value}'`;

const quoted = fc.oneof(
  text.map((value) => ({ value, written: doubleQuoted(value) })),
  text.map((value) => value.replace(/['\r]/g, '')).map((value) => ({ value, written: singleQuoted(value) })),
);

describe('parseDotenv', () => {
  test('reads back whatever was quoted, comments and export beside it', () => {
    const line = fc.record({
      key,
      quoted,
      before: fc.constantFrom('', 'export ', '# note\n', '\n  '),
      after: fc.constantFrom('', ' ', ' # note', '\t#"'),
    });
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const source = lines.map((each) => `${each.before}${each.key}=${each.quoted.written}${each.after}`).join('\n');
        const parsed = parseDotenv(source, '.env');
        const expected = new Map(lines.map((each) => [each.key, each.quoted.value]));
        expect(parsed.ok && new Map(Object.entries(parsed.value))).toEqual(expected);
      }),
    );
  });

  test('reads any text, or names lines within it, in order', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('A=', '"', "'", '\\', '\n', ' #', '\r\n', 'x'),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const source = pieces.join('');
        const parsed = parseDotenv(source, '.env');
        if (parsed.ok) return;
        const lines = parsed.problems.map(({ line }) => line ?? Number.NaN);
        expect(lines).toEqual([...lines].sort((a, b) => a - b));
        expect(lines[0]).toBeGreaterThanOrEqual(1);
        expect(lines.at(-1)).toBeLessThanOrEqual(source.split('\n').length);
      }),
    );
  });
});
