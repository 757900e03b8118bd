/**
 * The graphic rendition (colours, bold, underline ...) that a stream of bytes has left switched on, so that
 * it can be switched off for a margin and on again behind it. One slot for each thing that can be on, hence
 * bounded however many sequences a service prints.
 */
import type { Bytes } from '../model.js';

/** The sequences that bring a rendition about; empty when nothing is on. */
export type Style = Bytes;

export const plainStyle: Style = '';
export const reset = '\x1b[0m';

const sgr = /\x1b\[[\d;:]*m/g;

/** The style after some bytes, when `style` was on before them. */
export function styleAfter(style: Style, bytes: Bytes): Style {
  const last = bytes.lastIndexOf('\x1b[');
  if (last < 0) return style;
  if (bytes.startsWith('0m', last + 2) || bytes.startsWith('m', last + 2)) return plainStyle;
  const sequences = style + (bytes.match(sgr)?.join('') ?? '');
  const known = memory.get(sequences);
  if (known !== undefined) return known;
  const after = effectOf(sequences);
  if (memory.size >= mostRemembered) memory.clear();
  if (sequences.length <= longestRemembered) memory.set(sequences, after);
  return after;
}

/** Lines of a log are styled in few ways, so what a row of sequences comes to is worth remembering. */
const memory = new Map<Bytes, Style>();
const mostRemembered = 500;
const longestRemembered = 200;

function effectOf(sequences: Bytes): Style {
  const slots = new Map<Slot, string>();
  for (const [sequence] of sequences.matchAll(sgr)) apply(slots, sequence.slice(2, -1));
  return slots.size === 0 ? plainStyle : `\x1b[${[...slots.values()].join(';')}m`;
}

type Slot =
  | 'bold'
  | 'faint'
  | 'italic'
  | 'underline'
  | 'blink'
  | 'inverse'
  | 'hidden'
  | 'strike'
  | 'overline'
  | 'foreground'
  | 'background'
  | 'underline-colour';

const on: Readonly<Record<number, Slot>> = {
  1: 'bold',
  2: 'faint',
  3: 'italic',
  4: 'underline',
  5: 'blink',
  6: 'blink',
  7: 'inverse',
  8: 'hidden',
  9: 'strike',
  21: 'underline',
  53: 'overline',
};

const off: Readonly<Record<number, readonly Slot[]>> = {
  22: ['bold', 'faint'],
  23: ['italic'],
  24: ['underline'],
  25: ['blink'],
  27: ['inverse'],
  28: ['hidden'],
  29: ['strike'],
  39: ['foreground'],
  49: ['background'],
  55: ['overline'],
  59: ['underline-colour'],
};

const extended: Readonly<Record<number, Slot>> = { 38: 'foreground', 48: 'background', 58: 'underline-colour' };

/** A code with sub-parameters longer than any real one is not worth keeping. */
const longestCode = 32;

function apply(slots: Map<Slot, string>, parameters: string): void {
  const codes = parameters.split(';');
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i] ?? '';
    const number = Number.parseInt(code, 10) || 0;
    const wide = extended[number];
    if (wide !== undefined) {
      const length = code.includes(':') ? 1 : lengthOfColor(codes[i + 1]);
      const whole = codes.slice(i, i + length).join(';');
      if (whole.length <= longestCode) slots.set(wide, whole);
      i += length - 1;
    } else applyOne(slots, number, code);
  }
}

function applyOne(slots: Map<Slot, string>, number: number, code: string): void {
  if (number === 0 || code === '4:0') {
    if (number === 0) slots.clear();
    else slots.delete('underline');
    return;
  }
  for (const slot of off[number] ?? []) slots.delete(slot);
  const slot = on[number] ?? colorSlot(number);
  if (slot !== undefined && code.length <= longestCode) slots.set(slot, code);
}

/** How many codes `38;5;n` and `38;2;r;g;b` take. */
function lengthOfColor(kind: string | undefined): number {
  if (kind === '5') return 3;
  return kind === '2' ? 5 : 1;
}

function colorSlot(number: number): Slot | undefined {
  if ((number >= 30 && number <= 37) || (number >= 90 && number <= 97)) return 'foreground';
  if ((number >= 40 && number <= 47) || (number >= 100 && number <= 107)) return 'background';
  return undefined;
}
