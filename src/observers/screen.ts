/**
 * The rows of the output, shared by many streams. It owns what stands on the last row: nothing, a prompt
 * that may go on (`open`), or a piece of a line too long to keep (`cut`). A line that is finished is whole
 * on one row, whoever wrote while it was not.
 */

import { bare, columnsOf, needsCare, type Treatment, tame, withoutReturns } from '../escapes.js';
import type { Bytes, InstanceId, Output } from '../model.js';
import type { Sink } from '../ports.js';
import { fromBytes } from './bytes.js';
import type { Margin, ownName } from './margin.js';
import { plainStyle, reset, type Style, styleAfter } from './style.js';

export interface Screen {
  /** A stretch of a service's output. */
  show(output: Output, at: number): void;
  /** One row under a name; the text has no newline. */
  say(name: InstanceId | typeof ownName, at: number, text: Bytes): void;
  /** Ends the last row. */
  finish(): void;
}

export interface ScreenOptions {
  readonly sink: Sink;
  readonly margin: Margin;
  readonly treatment: Treatment;
}

/** One stream of one instance. `style` is what was on where its unfinished line, or piece of one, starts. */
interface Stream {
  style: Style;
  /** Of its unfinished line more is there than was told. */
  isBehind: boolean;
}

interface Row {
  readonly stream: Stream;
  readonly margin: Bytes;
  readonly text: Bytes;
  readonly end: 'open' | 'cut';
}

export function createScreen({ sink, margin, treatment }: ScreenOptions): Screen {
  const streams = new Map<InstanceId, Record<Output['stream'], Stream>>();
  let row: Row | undefined;

  const streamOf = ({ id, stream }: Output): Stream => {
    let both = streams.get(id);
    if (both === undefined) {
      const begun = () => ({ style: plainStyle, isBehind: false });
      both = { stdout: begun(), stderr: begun() };
      streams.set(id, both);
    }
    return both[stream];
  };

  /** Frees the last row, and says what brings it back when what comes now is written. */
  const leaveRow = (canComeBack: boolean): { leave: Bytes; back: Bytes } => {
    if (row === undefined) return { leave: '', back: '' };
    if (canComeBack && row.end === 'open' && sink.isTTY) {
      const back = redrawn(row, treatment);
      if (columnsOf(fromBytes(bare(back))) < sink.columns) return { leave: '\r\x1b[K', back };
    }
    row = undefined;
    return { leave: '\n', back: '' };
  };

  const showWithCare = (output: Output, stream: Stream, before: Bytes) => {
    const { text, end, shown } = output;
    const goesOn = row !== undefined && row.stream === stream;
    // It ends as it was last shown, on a row that others' rows have followed: all of it has been told.
    if (!goesOn && end === 'line' && shown > 0 && shown === text.length - 1 && !stream.isBehind) {
      stream.style = styleOf(text, stream.style, treatment);
      return;
    }
    // A line that others interrupt whenever it is rewritten would be told anew each time: a pipe gets it once more, whole.
    stream.isBehind = !goesOn && end === 'open' && shown > 0 && !sink.isTTY;
    if (stream.isBehind) return;
    const skip = goesOn && row?.end === 'open' ? shown : 0;
    const { leave, back } = goesOn ? { leave: '', back: '' } : leaveRow(end === 'line');
    const style = skip === 0 ? stream.style : styleOf(text.slice(0, skip), stream.style, treatment);
    const body = end === 'line' ? withoutReturns(text.slice(skip, -1)) : text.slice(skip);
    const drawn = draw(body, { margin: before, starts: !goesOn, style, treatment });
    sink.write(`${leave}${drawn.bytes}${end === 'line' ? '\n' : ''}${back}`);
    if (end !== 'open') stream.style = drawn.style;
    if (end !== 'line') row = { stream, margin: before, text, end };
    else if (goesOn) row = undefined;
  };

  return {
    show(output, at) {
      const { id, text, shown, end } = output;
      const stream = streamOf(output);
      const before = margin(id, at);
      const isSimple = row === undefined && end === 'line' && shown === 0 && stream.style === plainStyle;
      if (isSimple && !needsCare(text, treatment)) sink.write(`${withMargins(text.slice(0, -1), before)}\n`);
      else showWithCare(output, stream, before);
    },
    say(name, at, text) {
      const { leave, back } = leaveRow(true);
      sink.write(`${leave}${margin(name, at)}${text}\n${back}`);
    },
    finish() {
      if (row !== undefined) sink.write('\n');
      row = undefined;
    },
  };
}

interface Drawing {
  readonly margin: Bytes;
  /** Whether the text begins a row, and so begins with the margin. */
  readonly starts: boolean;
  readonly style: Style;
  readonly treatment: Treatment;
}

/** The rows of a text with their margins, and the style after them. No style is left on at the end of a row. */
function draw(text: Bytes, { margin, starts, style: first, treatment }: Drawing): { bytes: Bytes; style: Style } {
  if (first === plainStyle && !needsCare(text, treatment)) {
    return { bytes: starts ? withMargins(text, margin) : text.replaceAll('\n', `\n${margin}`), style: first };
  }
  let style = first;
  const drawPart = (part: Bytes) => {
    const before = style;
    style = styleOf(part, before, treatment);
    return `${before}${part}${style === plainStyle ? '' : reset}`;
  };
  // In a terminal a carriage return goes back to behind the margin, which is drawn again.
  const partsOf = (line: Bytes) => (treatment.terminal ? line.split('\r') : [line]);
  const lines = tame(text, treatment).split('\n');
  const drawn = lines.map((line) => partsOf(line).map(drawPart).join(`\r${margin}`));
  return { bytes: `${starts ? margin : ''}${drawn.join(`\n${margin}`)}`, style };
}

/** An open row as it was last seen: what its own carriage returns overwrote is left out. */
function redrawn({ stream, margin, text }: Row, treatment: Treatment): Bytes {
  const tamed = withoutReturns(tame(text, treatment));
  const start = tamed.lastIndexOf('\r') + 1;
  const style = styleOf(tamed.slice(0, start), stream.style, treatment);
  return draw(tamed.slice(start), { margin, starts: true, style, treatment }).bytes;
}

function styleOf(text: Bytes, before: Style, { colors }: Treatment): Style {
  return colors === 'guard' ? styleAfter(before, text) : plainStyle;
}

function withMargins(text: Bytes, margin: Bytes): Bytes {
  return margin + text.replaceAll('\n', `\n${margin}`);
}
