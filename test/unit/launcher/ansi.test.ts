import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pieces } from '../../../templates/launcher/ansi.js';

const text = (line: string) =>
  pieces(line)
    .map((piece) => piece.text)
    .join('');

describe('pieces', () => {
  test.each([
    ['plain', [{ text: 'plain' }]],
    ['\x1b[32mgreen\x1b[0m not', [{ text: 'green', color: '#57ab5a' }, { text: ' not' }]],
    ['\x1b[1;4mx', [{ text: 'x', bold: true, underline: true }]],
    ['\x1b[38;5;196mx\x1b[39my', [{ text: 'x', color: 'rgb(255, 0, 0)' }, { text: 'y' }]],
    ['\x1b[48;2;1;2;3mx\x1b[49my', [{ text: 'x', back: 'rgb(1, 2, 3)' }, { text: 'y' }]],
    ['\x1b[38;5;244mx', [{ text: 'x', color: 'rgb(128, 128, 128)' }]],
    ['\x1b[91mx', [{ text: 'x', color: '#ff938a' }]],
    ['\x1b[7mx\x1b[27my', [{ text: 'x', color: '#101214', back: '#e6e7e8' }, { text: 'y' }]],
    ['\x1b[38;2;999;0;0mx', [{ text: 'x' }]],
    ['<script>alert(1)</script>', [{ text: '<script>alert(1)</script>' }]],
  ])('%j', (line, expected) => expect(pieces(line)).toEqual(expected));

  test('what moves the cursor, renames the window or makes links is left out', () => {
    expect(text('a\x1b[2Jb\x1b]0;title\x07c\x1b]8;;http://evil\x1b\\d\x1b[10;10He\rf\x07')).toBe('abcdef');
  });

  test('no control character but the tab is ever left, whatever a line holds', () => {
    const unit = fc.constantFrom('\x1b', '[', ']', '3', '8', ';', '5', 'm', 'K', '\r', '\x07', '\\', 'ä', '<', '\t');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 40 }), (line) => {
        expect(text(line)).not.toMatch(/[\x00-\x08\x0a-\x1f\x7f]/);
      }),
    );
  });

  test('a colour is one that no style can be smuggled in by', () => {
    const unit = fc.constantFrom('3', '8', '4', ';', '5', '2', '0', ':', '9');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 30 }), (codes) => {
        for (const { color, back } of pieces(`\x1b[${codes}mx`))
          for (const each of [color, back]) if (each) expect(each).toMatch(/^(#[0-9a-f]{6}|rgb\(\d+, \d+, \d+\))$/);
      }),
    );
  });
});
