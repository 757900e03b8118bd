import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ProcletEvent } from '../../src/model.js';
import { createLineReader, eventFromWire, eventToWire, toLine } from '../../src/wire.js';

const at = Date.UTC(2026, 0, 1);
const millis = fc.nat();
const tag = fc.stringMatching(/^[a-z]{1,8}$/);
const id = tag.map((text) => `${text}.1`);
/** Bytes, as output has them, that are whole UTF-8. */
const text = fc.string({ unit: 'grapheme' }).map((line) => Buffer.from(line.replaceAll('\n', '')).toString('latin1'));
const events: fc.Arbitrary<ProcletEvent> = fc.oneof(
  fc.record({
    type: fc.constant('up' as const),
    at: fc.constant(at),
    id,
    generation: fc.nat(),
    after: millis,
    probed: fc.boolean(),
  }),
  fc.record({ type: fc.constant('notice' as const), at: fc.constant(at), text: fc.string() }),
  fc.record({
    ...{
      type: fc.constant('stopping' as const),
      at: fc.constant(at),
      id,
      generation: fc.integer({ min: 1 }),
      signal: fc.constant('SIGTERM' as const),
    },
    cause: fc.record({ reason: fc.constant('ttl' as const), window: millis }),
    grace: fc.oneof(millis, fc.constant(Infinity)),
  }),
  fc.record({ type: fc.constant('scheduled' as const), at: fc.constant(at), tag, every: fc.string(), in: millis }),
  fc.record({
    ...{
      type: fc.constant('output' as const),
      at: fc.constant(at),
      id,
      stream: fc.constantFrom('stdout' as const, 'stderr' as const),
    },
    ...{
      text: text.map((line) => `${line}\n`),
      shown: fc.nat(),
      continued: fc.boolean(),
      end: fc.constant('line' as const),
    },
  }),
);

test('what goes over the wire comes back as it was', () => {
  fc.assert(
    fc.property(events, (event) => {
      expect(eventFromWire(JSON.parse(toLine(eventToWire(event))))).toEqual(event);
    }),
  );
});

test('lines are found wherever the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme' })),
      fc.array(fc.integer({ min: 1, max: 7 })),
      (written, sizes) => {
        const lines = written.map((line) => line.replaceAll('\n', ' '));
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const found: string[] = [];
        const read = createLineReader(10_000, {
          line: (line) => found.push(line),
          tooLong: () => found.push('too long'),
        });
        for (let start = 0, n = 0; start < bytes.length; n += 1) {
          const size = sizes[n % sizes.length] ?? bytes.length;
          read(bytes.subarray(start, start + size));
          start += size;
        }
        // A decoder takes a byte order mark away at the start of a stream.
        expect(found.join('\n').replace(/^\uFEFF/, '')).toBe(lines.join('\n').replace(/^\uFEFF/, ''));
      },
    ),
  );
});

test('a line without an end is reported once, and costs no more memory than its bound', () => {
  let reports = 0;
  const read = createLineReader(1_000, { line: () => expect.unreachable(), tooLong: () => (reports += 1) });
  for (let n = 0; n < 1_000; n += 1) read(Buffer.alloc(100, 'x'));
  expect(reports).toBe(1);
});

test('what is not an event is none', () => {
  expect(eventFromWire({})).toBeUndefined();
  expect(eventFromWire({ time: new Date(at).toISOString(), type: 'future' })).toBeUndefined();
  expect(eventFromWire({ time: 'yesterday', type: 'notice' })).toBeUndefined();
});
