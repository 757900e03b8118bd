import { describe, expect, test } from 'vitest';
import { bare, columnsOf, needsCare, tame } from '../../src/escapes.js';

const terminal = { colors: 'guard', terminal: true } as const;
const untouched = { colors: 'pass', terminal: false } as const;

describe('in a terminal', () => {
  test.each([
    ['colours stay', '\x1b[1;31mred\x1b[0m', '\x1b[1;31mred\x1b[0m'],
    ['erasing to the right stays', 'a\x1b[K', 'a\x1b[K'],
    ['clearing the screen goes', 'a\x1b[2J\x1b[H\x1b[3Jb', 'ab'],
    ['resetting the terminal goes', 'a\x1bcb', 'ab'],
    ['switching screens and hiding the cursor go', '\x1b[?1049h\x1b[?25la', 'a'],
    ['moving the cursor goes', 'a\x1b[3A\x1b[10;5Hb\x1b7\x1b8', 'ab'],
    ['a window title goes', 'a\x1b]0;title\x07b\x1b]2;title\x1b\\c', 'abc'],
    ['a title without end takes the rest', 'a\x1b]0;title', 'a'],
    ['a change of character set goes', 'a\x1b(0b\x0ec\x0f', 'abc'],
    ['clearing the row is going back to its start', '50%\x1b[2K60%', '50%\r\x1b[K60%'],
    ['going to the first column too', '50%\x1b[1G60%', '50%\r60%'],
    ['a carriage return before a newline goes', 'a\r\nb\r\r\n', 'a\nb\n'],
    ['another carriage return stays', 'a\rb', 'a\rb'],
    ['UTF-8 is not taken for controls', 'é語'.repeat(3), 'é語'.repeat(3)],
  ])('%s', (_, given, expected) => {
    expect(tame(given, terminal)).toBe(expected);
  });

  test('stripping colours takes them and leaves the rest', () => {
    expect(tame('\x1b[31mred\x1b[0m\x1b[K', { colors: 'strip', terminal: true })).toBe('red\x1b[K');
  });
});

describe('in a pipe', () => {
  test('everything but a carriage return before a newline passes', () => {
    const wild = '\x1b[31mred\x1b[2J\x1b]0;t\x07\x0e a\rb';
    expect(tame(`${wild}\r\n`, untouched)).toBe(`${wild}\n`);
  });

  test('stripping colours takes only them', () => {
    expect(tame('\x1b[31mred\x1b[0m\x1b[2J', { colors: 'strip', terminal: false })).toBe('red\x1b[2J');
  });
});

test.each([
  ['plain text', 'a\tb\n', false, false],
  ['an escape', '\x1b[1m', true, false],
  ['a carriage return', 'a\r\n', true, true],
  ['a bell', '\x07', true, false],
])('%s needs care where it could do harm', (_, text, inTerminal, inPipe) => {
  expect(needsCare(text, terminal)).toBe(inTerminal);
  expect(needsCare(text, untouched)).toBe(inPipe);
});

test('bare text has no controls', () => {
  expect(bare('\x1b[31ma\x1b]0;t\x07\tb\r\n\x00c\x1b')).toBe('a\tb\nc');
});

test('wide characters take two columns', () => {
  expect(columnsOf('aé語😀')).toBe(6);
});
