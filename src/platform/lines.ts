/**
 * Splits one byte stream into stretches that start where a line starts. Pure: no stream, no clock.
 *
 * All whole lines of a chunk leave as one text, so the cost of a line is not a call but a few bytes. The
 * unfinished rest is kept, at most `longest` bytes of it, and repeated from its start when it goes on.
 *
 * When to call `quiet` is the owner's business; any moment is correct. To show a prompt within 100 ms, but
 * not every line that a read happened to tear, wake up 100 ms after `pending` became true and call it if
 * `line` is what it was; if another line has begun meanwhile, wait another 100 ms for that one.
 */
import type { Bytes, Output } from '../model.js';

/** An `Output` whose stream the owner knows. The text of an `end: 'line'` always ends with a newline. */
export type Stretch = Pick<Output, 'text' | 'shown' | 'continued' | 'end'>;

export interface Lines {
  /** Takes the next bytes of the stream. The buffer may be reused afterwards. */
  data(chunk: Buffer): void;
  /** Emits the unfinished line as it stands, but for a character or an escape sequence that is incomplete. */
  quiet(): void;
  /** The stream is over: finishes an unterminated line with a newline of its own. */
  end(): void;
  /** Whether bytes came that neither an emission nor a look by `quiet` has covered. */
  readonly pending: boolean;
  /** Changes when another line, or another piece of a very long one, begins. */
  readonly line: number;
}

/** More of an unfinished line than this is not kept: it leaves in pieces. */
export const longest = 64 * 1024;

export function createLines(emit: (stretch: Stretch) => void): Lines {
  let rest: Bytes = '';
  let shown = 0;
  let seen = 0;
  let continued = false;
  let line = 0;

  const begin = (text: Bytes, isContinued: boolean) => {
    rest = text;
    shown = 0;
    seen = 0;
    continued = isContinued;
    line += 1;
  };

  const cut = () => {
    const text = rest;
    const stretch: Stretch = { text: text.slice(0, Math.max(shown, wholeLength(text))), shown, continued, end: 'cut' };
    begin(text.slice(stretch.text.length), true);
    emit(stretch);
  };

  return {
    data(chunk) {
      const newline = chunk.lastIndexOf(10);
      if (newline < 0) rest += chunk.toString('latin1');
      else {
        const stretch: Stretch = {
          text: rest + chunk.toString('latin1', 0, newline + 1),
          shown,
          continued,
          end: 'line',
        };
        begin(chunk.toString('latin1', newline + 1), false);
        emit(stretch);
      }
      if (rest.length > longest) cut();
    },
    quiet() {
      seen = rest.length;
      const length = wholeLength(rest);
      if (length <= shown) return;
      const stretch: Stretch = { text: rest.slice(0, length), shown, continued, end: 'open' };
      shown = length;
      emit(stretch);
    },
    end() {
      if (rest === '' && !continued) return;
      const stretch: Stretch = { text: `${rest}\n`, shown, continued, end: 'line' };
      begin('', false);
      emit(stretch);
    },
    get pending() {
      return rest.length > seen;
    },
    get line() {
      return line;
    },
  };
}

/** No escape sequence that matters is longer; a longer one is not waited for. */
const longestSequence = 256;

/** An escape sequence without its end: a bare ESC, a CSI without final byte, an OSC without terminator. */
const incompleteSequence = /^\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)$/;

/** How much of an unfinished text can be shown without tearing its last character or escape sequence. */
function wholeLength(text: Bytes): number {
  const end = wholeCharacters(text);
  const tail = text.slice(Math.max(0, text.length - longestSequence));
  const last = tail.lastIndexOf('\x1b');
  if (last < 0) return end;
  const before = last === 0 ? -1 : tail.lastIndexOf('\x1b', last - 1);
  for (const start of [before, last]) {
    if (start >= 0 && incompleteSequence.test(tail.slice(start))) {
      return Math.min(end, text.length - tail.length + start);
    }
  }
  return end;
}

function wholeCharacters(text: Bytes): number {
  for (let back = 1; back <= 3 && back <= text.length; back += 1) {
    const byte = text.charCodeAt(text.length - back);
    if (byte < 0x80) break;
    if (byte >= 0xc0) return back < lengthFromLead(byte) ? text.length - back : text.length;
  }
  return text.length;
}

function lengthFromLead(byte: number): number {
  if (byte >= 0xf8) return 1;
  if (byte >= 0xf0) return 4;
  return byte >= 0xe0 ? 3 : 2;
}
