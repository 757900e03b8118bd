import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/model.js';
import { parseProcfile } from '../../src/procfile/parse-procfile.js';

const tag = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/);
const command = fc
  .string({ minLength: 1, maxLength: 60, unit: 'binary' })
  .map((text) => text.replace(/[\n\0]/g, '').replace(/^[ \t\r]+|[ \t\r]+$/g, ''))
  .filter((text) => text !== '');
const entries = fc.uniqueArray(fc.record({ tag, command }), { minLength: 1, selector: (entry) => entry.tag });
const noise = fc.array(fc.constantFrom('', '  ', '# note', '\t# web: no', '#'), { maxLength: 2 });

/** A Procfile with these entries, and where each of them is. */
function print(parts: readonly { entry: { tag: string; command: string }; before: readonly string[] }[], eol: string) {
  const lines: string[] = [];
  const expected: Entry[] = [];
  for (const { entry, before } of parts) {
    lines.push(...before, `${entry.tag}: ${entry.command}`);
    expected.push({ ...entry, line: lines.length });
  }
  return { text: lines.join(eol), expected };
}

describe('parseProcfile', () => {
  test('reads back what was printed, with any comments and line ends in between', () => {
    const layout = fc.tuple(entries, fc.infiniteStream(noise), fc.constantFrom('\n', '\r\n'));
    fc.assert(
      fc.property(layout, ([all, before, eol]) => {
        const { text, expected } = print(
          all.map((entry) => ({ entry, before: before.next().value ?? [] })),
          eol,
        );
        expect(parseProcfile(text, 'Procfile')).toEqual({ ok: true, value: { path: 'Procfile', entries: expected } });
      }),
    );
  });

  test('reads any text, or names lines within it', () => {
    const line = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('web: a', 'web:', 'a b: c', ': x', '\\'));
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const text = lines.join('\n');
        const parsed = parseProcfile(text, 'Procfile');
        if (parsed.ok) {
          expect(parsed.value.entries.length).toBeGreaterThan(0);
          return;
        }
        const named = parsed.problems.filter((problem) => problem.line !== undefined);
        if (named.length === 0) expect(parsed.problems).toHaveLength(1);
        else expect(named).toHaveLength(parsed.problems.length);
        for (const { line: at = 0 } of named) {
          expect(at).toBeGreaterThanOrEqual(1);
          expect(at).toBeLessThanOrEqual(text.split('\n').length);
        }
      }),
    );
  });
});
