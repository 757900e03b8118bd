import { describe, expect, test } from 'vitest';
import { createLines, longest, type Stretch } from '../../../src/platform/lines.js';

function collect() {
  const stretches: Stretch[] = [];
  const lines = createLines((stretch) => stretches.push(stretch));
  return {
    lines,
    data: (text: string) => lines.data(Buffer.from(text, 'utf8')),
    bytes: (...bytes: number[]) => lines.data(Buffer.from(bytes)),
    /** What was emitted since the last call. */
    take: () => stretches.splice(0),
  };
}

const line = (text: string, more: Partial<Stretch> = {}): Stretch => ({
  text,
  shown: 0,
  continued: false,
  end: 'line',
  ...more,
});

describe('whole lines', () => {
  test('all lines of a chunk leave as one text', () => {
    const { data, take } = collect();
    data('one\ntwo\nthree\n');
    expect(take()).toEqual([line('one\ntwo\nthree\n')]);
  });

  test('a line torn by a read leaves whole, with the lines that follow', () => {
    const { data, take } = collect();
    data('one\ntw');
    data('');
    data('o\nthree\nfo');
    expect(take()).toEqual([line('one\n'), line('two\nthree\n')]);
  });

  test('bytes that are not UTF-8 pass through unharmed', () => {
    const { bytes, take } = collect();
    bytes(0xff, 0x00, 0xc3);
    bytes(0xa9, 0x0a);
    expect(take()).toEqual([line('\xff\x00\xc3\xa9\n')]);
  });

  test('the last line without a newline leaves with one when the stream ends', () => {
    const { lines, data, take } = collect();
    data('one\ntwo');
    lines.end();
    lines.end();
    expect(take()).toEqual([line('one\n'), line('two\n')]);
  });

  test('an end after a newline adds nothing', () => {
    const { lines, data, take } = collect();
    data('one\n');
    lines.end();
    expect(take()).toEqual([line('one\n')]);
  });
});

describe('a prompt', () => {
  test('is emitted open, and repeated from its start when the line goes on', () => {
    const { lines, data, take } = collect();
    data('name? ');
    lines.quiet();
    data('again? ');
    lines.quiet();
    data('ok\nnext\n');
    expect(take()).toEqual([
      line('name? ', { end: 'open' }),
      line('name? again? ', { end: 'open', shown: 6 }),
      line('name? again? ok\nnext\n', { shown: 13 }),
    ]);
  });

  test('that did not grow is not emitted again', () => {
    const { lines, data, take } = collect();
    data('name? ');
    lines.quiet();
    lines.quiet();
    expect(take()).toHaveLength(1);
  });

  test('is pending until someone looked at it', () => {
    const { lines, data } = collect();
    expect(lines.pending).toBe(false);
    data('a\nname? ');
    expect(lines.pending).toBe(true);
    lines.quiet();
    expect(lines.pending).toBe(false);
    data('\n');
    expect(lines.pending).toBe(false);
  });

  test('can be told from the start of another line by the line number', () => {
    const { lines, data } = collect();
    data('..');
    const first = lines.line;
    data('..');
    expect(lines.line).toBe(first);
    data('\n..');
    expect(lines.line).not.toBe(first);
  });

  test.each([
    ['two bytes', 'é'],
    ['three bytes', '語'],
    ['four bytes', '😀'],
  ])('is not torn inside a character of %s', (_, character) => {
    const { lines, take } = collect();
    const whole = Buffer.from(`a${character}`, 'utf8');
    for (let length = 2; length < whole.length; length += 1) {
      lines.data(length === 2 ? whole.subarray(0, 2) : whole.subarray(length - 1, length));
      lines.quiet();
    }
    expect(take()).toEqual([line('a', { end: 'open' })]);
    lines.data(whole.subarray(-1));
    lines.quiet();
    expect(take()).toEqual([line(whole.toString('latin1'), { end: 'open', shown: 1 })]);
  });

  test.each([
    ['a colour', '\x1b[38;5', 'm'],
    ['a bare escape', '\x1b', 'c'],
    ['a title', '\x1b]0;ti', 'tle\x07'],
    ['a title ended by two bytes', '\x1b]0;title\x1b', '\\'],
    ['a character set', '\x1b(', 'B'],
  ])('is not torn inside %s', (_, start, rest) => {
    const { lines, data, take } = collect();
    data(`a${start}`);
    lines.quiet();
    expect(take()).toEqual([line('a', { end: 'open' })]);
    data(rest);
    lines.quiet();
    expect(take()).toEqual([line(`a${start}${rest}`, { end: 'open', shown: 1 })]);
  });

  test('whose incomplete end never comes is shown when the stream ends', () => {
    const { lines, data, take } = collect();
    data('a\x1b[3');
    lines.quiet();
    lines.end();
    expect(take()).toEqual([line('a', { end: 'open' }), line('a\x1b[3\n', { shown: 1 })]);
  });
});

describe('a very long line', () => {
  test('leaves in pieces, and each after the first says that it goes on', () => {
    const { lines, data, take } = collect();
    const piece = 'x'.repeat(longest + 1);
    data(piece);
    data(piece);
    data('end\n');
    lines.end();
    expect(take()).toEqual([
      line(piece, { end: 'cut' }),
      line(piece, { end: 'cut', continued: true }),
      line('end\n', { continued: true }),
    ]);
  });

  test('is cut between characters', () => {
    const { bytes, data, take } = collect();
    data('x'.repeat(longest));
    bytes(0xc3);
    bytes(0xa9, 0x0a);
    expect(take()).toEqual([line('x'.repeat(longest), { end: 'cut' }), line('\xc3\xa9\n', { continued: true })]);
  });

  test('of which a part was shown says how much', () => {
    const { lines, data, take } = collect();
    data('ab');
    lines.quiet();
    data('x'.repeat(longest));
    expect(take().map(({ shown, end }) => ({ shown, end }))).toEqual([
      { shown: 0, end: 'open' },
      { shown: 2, end: 'cut' },
    ]);
  });

  test('that ends with the stream still gets its newline', () => {
    const { lines, data, take } = collect();
    data('x'.repeat(longest + 1));
    lines.end();
    expect(take().at(-1)).toEqual(line('\n', { continued: true }));
  });
});
