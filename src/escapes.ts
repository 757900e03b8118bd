/**
 * What of a service's control sequences reaches the output. Many services share one terminal, so none may
 * move its cursor, clear it or rename its window; colours may stay; a carriage return goes back to behind
 * the margin, not before it.
 */
import type { Bytes } from './model.js';

export interface Treatment {
  /** Colours and other renditions: as they are, or kept and guarded against running on, or removed. */
  readonly colors: 'pass' | 'guard' | 'strip';
  /** Whether the output is a terminal, which sequences could wreck. */
  readonly terminal: boolean;
}

/** Whether a text holds anything that `tame` or a style would change; the others are printed as they are. */
export function needsCare(text: Bytes, { colors, terminal }: Treatment): boolean {
  if (terminal) return control.test(text);
  return text.includes('\r') || (colors !== 'pass' && text.includes('\x1b'));
}

/** A text with what may be printed. Carriage returns before a newline go; in a terminal others remain as moves. */
export function tame(text: Bytes, { colors, terminal }: Treatment): Bytes {
  let tamed = text.includes('\r') ? text.replace(carriageReturns, '\n') : text;
  if (terminal) {
    tamed = tamed.replace(sequence, (found) => (colors === 'strip' && isColor.test(found) ? '' : tameSequence(found)));
    return tamed.replace(unwanted, '');
  }
  if (colors === 'strip') tamed = tamed.replace(color, '');
  return tamed;
}

/** A text without any control but newlines and tabs. */
export function bare(text: Bytes): Bytes {
  return text.replace(carriageReturns, '\n').replace(sequence, '').replace(anyControl, '');
}

/** A text without the carriage returns at its end. */
export function withoutReturns(text: Bytes): Bytes {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 13) end -= 1;
  return text.slice(0, end);
}

/** An upper bound of the columns that a decoded text without controls takes in a terminal. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (character === '\t') columns += 8;
    else columns += (character.codePointAt(0) ?? 0) < 0x1100 ? 1 : 2;
  }
  return columns;
}

/** CSI, then the strings (OSC, DCS ...), then every shorter escape sequence, a bare ESC included. */
const sequence = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)/g;
const color = /\x1b\[[\d;:]*m/g;
const isColor = /^\x1b\[[\d;:]*m$/;
/** The look behind keeps a long run that ends otherwise from being tried at each of its characters. */
const carriageReturns = /(?<!\r)\r+\n/g;
const control = /[\x00-\x08\x0b-\x1f\x7f]/;
/** Of the single controls, those that shift character sets, feed lines and pages, or make a terminal answer. */
const unwanted = /[\x00\x05\x0b\x0c\x0e\x0f]/g;
const anyControl = /[\x00-\x08\x0b-\x1f\x7f]/g;

/** Colours and erasing to the right stay; going to or clearing the row's start is a carriage return. */
function tameSequence(found: string): string {
  if (isColor.test(found)) return found;
  switch (found) {
    case '\x1b[K':
    case '\x1b[0K':
      return found;
    case '\x1b[2K':
      return '\r\x1b[K';
    case '\x1b[G':
    case '\x1b[1G':
      return '\r';
    default:
      return '';
  }
}
