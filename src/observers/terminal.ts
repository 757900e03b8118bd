/**
 * Events as a person reads them: `12:23:16 web.1    | text`, and what proclet has to say under its own name.
 * Decides what is shown and how it looks; where it lands on the rows is the screen's business.
 */

import { bare, type Treatment } from '../escapes.js';
import type { Bytes, InstanceId, ProcletEvent, Tag } from '../model.js';
import type { Observer, Sink } from '../ports.js';
import { toBytes } from './bytes.js';
import { createMargin, ownName, tagOf, timeOfDay } from './margin.js';
import { createPalette } from './palette.js';
import { createRepeats, type Repeats } from './repeats.js';
import { createScreen } from './screen.js';
import { createSentences } from './sentences.js';

export interface TerminalOptions {
  readonly sink: Sink;
  /** Whether proclet colours what it prints. */
  readonly color: boolean;
  /** What becomes of the colours of services when proclet has none. */
  readonly childColor: 'pass' | 'strip';
  readonly timestamp: boolean;
  /** Every instance that may appear, for the width of the margin. */
  readonly ids: readonly InstanceId[];
  /** Position of each tag among the Procfile's entries: decides its colour. */
  readonly positions: ReadonlyMap<Tag, number>;
  /** Tags whose output is not shown; what proclet says about them is. */
  readonly quiet: readonly Tag[];
  /** The last lines an instance printed, as a tail keeps them. The tail must observe before the terminal does. */
  readonly lastWords: (id: InstanceId, count: number) => readonly Bytes[];
  /** What one that shows the same run from here on has to know; a new one's unless given. */
  readonly memory?: TerminalMemory;
  /** How a moment is written; local time of day unless given. */
  readonly time?: (at: number) => string;
}

/** What was said of a run so far, as far as later words depend on it. */
export interface TerminalMemory {
  readonly sentencesAbout: ReturnType<typeof createSentences>;
  readonly repeats: Repeats;
}

export function createTerminalMemory(): TerminalMemory {
  return { sentencesAbout: createSentences(), repeats: createRepeats() };
}

export interface Terminal {
  readonly observe: Observer;
  /** Ends the last row: another one writes from now on. */
  finish(): void;
}

/** How many last lines follow the news that an instance failed. */
const lastWordsShown = 5;

export function createTerminal(options: TerminalOptions): Terminal {
  const { sink, color, childColor, timestamp, ids, positions, lastWords, time = timeOfDay } = options;
  const palette = createPalette(color);
  const colors: Treatment['colors'] = color || (sink.isTTY && childColor === 'pass') ? 'guard' : childColor;
  const margin = createMargin({ ids, positions, timestamp, palette, time });
  const screen = createScreen({ sink, margin, treatment: { colors, terminal: sink.isTTY } });
  const { sentencesAbout, repeats } = options.memory ?? createTerminalMemory();
  const quiet = new Set(options.quiet);

  const show = (event: ProcletEvent) => {
    if (event.type === 'output') {
      if (quiet.size === 0 || !quiet.has(tagOf(event.id))) screen.show(event, event.at);
      return;
    }
    const repeated = event.type === 'exited' ? repeats.repeated(event.id) : 0;
    for (const { text, mark, lastWordsOf } of sentencesAbout(event, repeated)) {
      screen.say(ownName, event.at, toBytes(palette.marks[mark](text)));
      if (lastWordsOf === undefined) continue;
      for (const line of lastWords(lastWordsOf, lastWordsShown)) screen.say(ownName, event.at, `  ${bare(line)}`);
    }
    if (event.type === 'stopped') screen.finish();
  };

  return {
    observe(event) {
      for (const shown of repeats.admit(event)) show(shown);
    },
    finish: () => screen.finish(),
  };
}
