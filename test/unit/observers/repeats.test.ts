import { describe, expect, test } from 'vitest';
import type { ProcletEvent } from '../../../src/model.js';
import { createRepeats } from '../../../src/observers/repeats.js';
import { at as event } from '../../support/events.js';

const id = 'bad.1';
const spawned = event({ type: 'spawned', id, pid: 1, port: 0 });
const up = event({ type: 'up', id, after: 1_000, probed: false });
const says = (text: string): ProcletEvent =>
  event({ type: 'output', id, stream: 'stdout', text, shown: 0, continued: false, end: 'line' });
const crashed = event({
  ...{ type: 'exited', id, exit: { how: 'code', code: 1 }, ran: 5, signal: 'SIGTERM', processes: 1, survivors: [] },
  next: { is: 'restart', delay: 1_000, failures: 1 },
});

/** What is shown of the events: texts of output, types of the rest. */
function shown(repeats: ReturnType<typeof createRepeats>, ...events: ProcletEvent[]): string[] {
  return events.flatMap((one) => repeats.admit(one)).map((one) => (one.type === 'output' ? one.text : one.type));
}

describe('a crash loop', () => {
  test('shows the first life and counts the lives that print the same', () => {
    const repeats = createRepeats();
    expect(shown(repeats, spawned, says('a\n'), says('b\n'), crashed)).toEqual(['spawned', 'a\n', 'b\n', 'exited']);
    expect(repeats.repeated(id)).toBe(0);
    for (let life = 0; life < 3; life += 1) {
      expect(shown(repeats, spawned, says('a\nb\n'), crashed)).toEqual(['spawned', 'exited']);
      expect(repeats.repeated(id)).toBe(2);
    }
  });

  test('shows all of a life that prints something else, from its beginning', () => {
    const repeats = createRepeats();
    shown(repeats, spawned, says('a\n'), crashed);
    expect(shown(repeats, spawned, says('a\n'))).toEqual(['spawned']);
    expect(shown(repeats, says('c\n'), says('d\n'), crashed)).toEqual(['a\n', 'c\n', 'd\n', 'exited']);
    expect(repeats.repeated(id)).toBe(0);
  });

  test('shows a life that printed less than the one before', () => {
    const repeats = createRepeats();
    shown(repeats, spawned, says('a\n'), says('b\n'), crashed);
    expect(shown(repeats, spawned, says('a\n'), crashed)).toEqual(['spawned', 'a\n', 'exited']);
  });

  test('that is over shows what was held back as soon as the instance is up', () => {
    const repeats = createRepeats();
    shown(repeats, spawned, says('a\n'), crashed);
    expect(shown(repeats, spawned, says('a\n'), up, says('b\n'))).toEqual(['spawned', 'a\n', 'up', 'b\n']);
  });

  test('of long lives is shown', () => {
    const repeats = createRepeats();
    const long = `${'x'.repeat(9_000)}\n`;
    shown(repeats, spawned, says(long), crashed);
    expect(shown(repeats, spawned, says(long), crashed)).toEqual(['spawned', long, 'exited']);
  });
});
