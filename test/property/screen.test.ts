import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Output } from '../../src/model.js';
import { createMargin } from '../../src/observers/margin.js';
import { createPalette } from '../../src/observers/palette.js';
import { createScreen } from '../../src/observers/screen.js';
import { createLines } from '../../src/platform/lines.js';
import { memorySink } from '../support/memory-sink.js';

const ids = ['a.1', 'b.1'] as const;

type Act =
  | { readonly does: 'write'; readonly who: 0 | 1; readonly stream: Output['stream']; readonly text: string }
  | { readonly does: 'look'; readonly who: 0 | 1; readonly stream: Output['stream'] }
  | { readonly does: 'say' };

const who = fc.constantFrom(0 as const, 1 as const);
const stream = fc.constantFrom('stdout' as const, 'stderr' as const);
const plainText = fc.array(fc.constantFrom('x', 'yy', 'é', '\n', ' '), { maxLength: 6 }).map((parts) => parts.join(''));
const colorText = fc
  .array(fc.constantFrom('x', 'yy', '\n', '\x1b[31m', '\x1b[1m', '\x1b[0m'), { maxLength: 6 })
  .map((parts) => parts.join(''));

const story = (text: fc.Arbitrary<string>): fc.Arbitrary<readonly Act[]> =>
  fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ does: fc.constant('write' as const), who, stream, text }) },
      { weight: 2, arbitrary: fc.record({ does: fc.constant('look' as const), who, stream }) },
      { weight: 1, arbitrary: fc.constant({ does: 'say' as const }) },
    ),
    { maxLength: 40 },
  );

/** Plays a story on a screen and returns what was written, and the finished lines of each stream. */
function play(acts: readonly Act[], look: { isTTY: boolean; columns: number; color: boolean }) {
  const sink = memorySink(look);
  const screen = createScreen({
    sink,
    margin: createMargin({ ids, positions: new Map(), timestamp: false, palette: createPalette(false), time: String }),
    treatment: { colors: look.color ? 'guard' : 'pass', terminal: look.isTTY },
  });
  const written = new Map<string, string>();
  const sources = new Map(
    ids.flatMap((id) =>
      (['stdout', 'stderr'] as const).map((name) => [
        `${id} ${name}`,
        createLines((stretch) => screen.show({ id, stream: name, ...stretch }, 0)),
      ]),
    ),
  );
  let said = 0;
  for (const act of acts) {
    if (act.does === 'say') {
      said += 1;
      screen.say('proclet', 0, `news ${said}`);
    } else {
      const key = `${ids[act.who]} ${act.stream}`;
      if (act.does === 'look') sources.get(key)?.quiet();
      else {
        sources.get(key)?.data(Buffer.from(act.text));
        written.set(key, (written.get(key) ?? '') + act.text);
      }
    }
  }
  for (const lines of sources.values()) lines.end();
  screen.finish();
  const linesOf = (key: string) => (written.get(key) ?? '').replace(/\n$/, '').split('\n');
  const wrote = (key: string) => (written.get(key) ?? '') !== '';
  const finished = Object.fromEntries([...sources.keys()].filter(wrote).map((key) => [key, linesOf(key)]));
  return { bytes: sink.text, finished, said };
}

/** The rows that a terminal of endless width shows. */
function shownBy(bytes: string): string[] {
  const rows: string[][] = [[]];
  let column = 0;
  for (const [token] of bytes.matchAll(/\x1b\[K|./gsu)) {
    const row = rows.at(-1) ?? [];
    if (token === '\n') {
      rows.push([]);
      column = 0;
    } else if (token === '\r') column = 0;
    else if (token === '\x1b[K') row.length = column;
    else {
      row[column] = token;
      column += 1;
    }
  }
  return rows.map((row) => row.join(''));
}

const looks = fc.record({ isTTY: fc.boolean(), columns: fc.constantFrom(0, 14, 80), color: fc.boolean() });

test('every finished line is whole on one row, in the order of its stream', () => {
  fc.assert(
    fc.property(story(plainText), looks, (acts, look) => {
      const { bytes, finished } = play(acts, look);
      const rows = shownBy(bytes);
      for (const [key, lines] of Object.entries(finished)) {
        const margin = `${key.split(' ')[0]?.padEnd(7)} | `;
        let from = 0;
        for (const line of lines) {
          const row = rows.indexOf(margin + line, from);
          expect(row, `${JSON.stringify(line)} of ${key} in ${JSON.stringify(rows)}`).toBeGreaterThanOrEqual(from);
          from = row + 1;
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test('in a terminal wide enough nothing but the finished lines and the prompts that gave way remains', () => {
  fc.assert(
    fc.property(story(plainText), (acts) => {
      const oneAtATime = acts.filter((act) => act.does !== 'look' || (act.who === 0 && act.stream === 'stdout'));
      const { bytes, finished, said } = play(oneAtATime, { isTTY: true, columns: 500, color: false });
      const count = Object.values(finished).reduce((sum, lines) => sum + lines.length, 0);
      expect(shownBy(bytes)).toHaveLength(count + said + 1);
    }),
    { numRuns: 2000 },
  );
});

test('no style is on when a row ends, and each character has the style that its service gave it', () => {
  fc.assert(
    fc.property(story(colorText), fc.boolean(), (acts, isTTY) => {
      const { bytes, finished } = play(acts, { isTTY, columns: 500, color: true });
      const rows = styledRows(bytes);
      expect(rows.leaks).toBe(0);
      for (const [key, lines] of Object.entries(finished)) {
        const margin = `${key.split(' ')[0]?.padEnd(7)} | `;
        let from = 0;
        for (const line of styledRows(lines.join('\n')).rows) {
          const row = rows.rows.indexOf(plainly(margin) + line, from);
          expect(row, `${line} of ${key} in ${JSON.stringify(rows.rows)}`).toBeGreaterThanOrEqual(from);
          from = row + 1;
        }
      }
    }),
    { numRuns: 1000 },
  );
});

const plainly = (text: string) => [...text].map((c) => `${c}()`).join('');

/** Rows in which each character is followed by the styles it has; only bold and red exist here. */
function styledRows(bytes: string): { rows: string[]; leaks: number } {
  const rows: string[][] = [[]];
  const on = new Set<string>();
  let column = 0;
  let leaks = 0;
  for (const [token] of bytes.matchAll(/\x1b\[K|\x1b\[[\d;]*m|./gsu)) {
    const row = rows.at(-1) ?? [];
    if (token === '\n') {
      leaks += on.size;
      rows.push([]);
      column = 0;
    } else if (token === '\r') column = 0;
    else if (token === '\x1b[K') row.length = column;
    else if (token.startsWith('\x1b')) {
      for (const code of token.slice(2, -1).split(';')) {
        if (code === '0') on.clear();
        else on.add(code);
      }
    } else {
      row[column] = `${token}(${[...on].sort().join()})`;
      column += 1;
    }
  }
  return { rows: rows.map((row) => row.join('')), leaks };
}
