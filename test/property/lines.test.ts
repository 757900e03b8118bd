import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLines, longest, type Stretch } from '../../src/platform/lines.js';

/** Text with what is hard to cut: characters of several bytes, escape sequences, carriage returns. */
const texts = fc
  .array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom('\n', '\r\n', 'a', ' ', 'é', '語', '😀', '\x1b[31m', '\x1b]0;t\x07', '\x1b'),
      },
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    ),
    { maxLength: 60 },
  )
  .map((parts) => Buffer.from(parts.join(''), 'utf8'));
const anyBytes = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes));
const chunkings = fc.array(fc.record({ length: fc.nat({ max: 12 }), quiet: fc.boolean() }), { maxLength: 80 });

/** Feeds bytes in chunks, with a look at the unfinished line after some of them, and ends the stream. */
function emitted(bytes: Buffer, chunking: readonly { length: number; quiet: boolean }[]): Stretch[] {
  const stretches: Stretch[] = [];
  const lines = createLines((stretch) => stretches.push(stretch));
  let at = 0;
  for (const { length, quiet } of chunking) {
    lines.data(bytes.subarray(at, at + length));
    at += length;
    if (quiet) lines.quiet();
  }
  lines.data(bytes.subarray(at));
  lines.end();
  return stretches;
}

/** The stream as its stretches tell it: what an `open` showed is repeated, and counted once. */
function resolved(stretches: readonly Stretch[]): string {
  return stretches.map(({ text, shown }) => text.slice(shown)).join('');
}

const finished = (bytes: Buffer) => {
  const text = bytes.toString('latin1');
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
};

test('the lines are the same however the bytes are chunked and whenever someone looks', () => {
  fc.assert(
    fc.property(fc.oneof(texts, anyBytes), chunkings, (bytes, chunking) => {
      expect(resolved(emitted(bytes, chunking))).toBe(finished(bytes));
    }),
    { numRuns: 2000 },
  );
});

test('what was shown is the beginning of what is said next', () => {
  fc.assert(
    fc.property(texts, chunkings, (bytes, chunking) => {
      let open = '';
      for (const { text, shown, end } of emitted(bytes, chunking)) {
        expect(text.slice(0, shown)).toBe(open);
        open = end === 'open' ? text : '';
      }
    }),
    { numRuns: 1000 },
  );
});

test('whole lines end with a newline and an unfinished one has none', () => {
  fc.assert(
    fc.property(texts, chunkings, (bytes, chunking) => {
      for (const { text, end } of emitted(bytes, chunking)) {
        if (end === 'line') expect(text.endsWith('\n')).toBe(true);
        else expect(text).not.toContain('\n');
      }
    }),
  );
});

test('what is shown of well-formed text is well-formed', () => {
  const strict = new TextDecoder('utf-8', { fatal: true });
  fc.assert(
    fc.property(texts, chunkings, (bytes, chunking) => {
      for (const { text } of emitted(bytes, chunking)) {
        expect(() => strict.decode(Buffer.from(text, 'latin1'))).not.toThrow();
      }
    }),
    { numRuns: 1000 },
  );
});

test('a line of any length leaves in pieces of bounded size that make up the whole', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 65_536 }), { minLength: 1, maxLength: 20 }), (sizes) => {
      const stretches: Stretch[] = [];
      const lines = createLines((stretch) => stretches.push(stretch));
      let kept = 0;
      for (const size of sizes) {
        lines.data(Buffer.alloc(size, 'é'));
        kept += size - stretches.splice(0).reduce((sum, { text }) => sum + text.length, 0);
        expect(kept).toBeLessThanOrEqual(longest);
      }
    }),
    { numRuns: 50 },
  );
});

test('a piece says that it continues a line exactly when one was cut before it', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(1, longest, longest + 9, -1), { maxLength: 12 }), (steps) => {
      const stretches: Stretch[] = [];
      const lines = createLines((stretch) => stretches.push(stretch));
      for (const step of steps) lines.data(step < 0 ? Buffer.from('\n') : Buffer.alloc(step, 'x'));
      lines.end();
      let cut = false;
      for (const { continued, end } of stretches) {
        expect(continued).toBe(cut);
        cut = end === 'cut';
      }
      expect(cut).toBe(false);
    }),
    { numRuns: 100 },
  );
});
