/**
 * Durations as people write and read them: `30m`, `1h30m`, `90s`, `500ms`, `2d`; a bare number is seconds,
 * as for alarm(2). Owns the dialect in both directions. What 0 means (for ever, at once) is the caller's
 * business.
 */
import type { Millis } from './model.js';

/**
 * Milliseconds, or undefined when the text is not a duration: empty, negative, junk, units out of order
 * or repeated, or too long to count exactly. Something that is not zero never becomes zero.
 */
export function parseDuration(text: string): Millis | undefined {
  const trimmed = text.trim();
  if (BARE_SECONDS.test(trimmed)) return whole(Number(trimmed) * 1000);
  const match = COMPOSITE.exec(trimmed);
  if (match === null || trimmed === '') return undefined;
  return whole(UNITS.reduce((sum, { millis }, index) => sum + Number(match[index + 1] ?? 0) * millis, 0));
}

/**
 * At most two units, rounded to what a reader wants: `37ms`, `300ms`, `0.4s`, `1.5s`, `12s`, `1m30s`,
 * `30m`, `1h30m`, `2d`. Under a second, a round number is shown as it was written (`250ms`) and a measured
 * one in tenths (`0.4s`). `Infinity` is `for ever`; anything below zero is `0s`.
 */
export function formatDuration(duration: Millis): string {
  if (duration === Infinity) return 'for ever';
  const millis = Math.max(0, Math.round(duration));
  if (millis === 0) return '0s';
  if (millis < 100 || (millis < 1000 && millis % 10 === 0)) return `${millis}ms`;
  // Round first and choose the units after, so that 59.9s is 1m and never 60s.
  const rounded = Math.round(millis / grain(millis)) * grain(millis);
  if (rounded < 60_000) return `${rounded / 1000}s`;
  return composite(rounded);
}

const UNITS = [
  { unit: 'd', millis: 86_400_000 },
  { unit: 'h', millis: 3_600_000 },
  { unit: 'm', millis: 60_000 },
  { unit: 's', millis: 1000 },
  { unit: 'ms', millis: 1 },
] as const;

const AMOUNT = String.raw`\d+(?:\.\d+)?`;
const BARE_SECONDS = new RegExp(`^${AMOUNT}$`);
const COMPOSITE = new RegExp(`^${UNITS.map(({ unit }) => `(?:(${AMOUNT})${unit})?`).join('')}$`);

function whole(millis: number): Millis | undefined {
  if (millis > Number.MAX_SAFE_INTEGER) return undefined;
  return millis > 0 ? Math.max(1, Math.round(millis)) : 0;
}

/** The smallest step worth showing for something this long. */
function grain(millis: Millis): Millis {
  if (millis < 10_000) return 100;
  if (millis < 3_600_000) return 1000;
  return millis < 86_400_000 ? 60_000 : 3_600_000;
}

function composite(millis: Millis): string {
  let rest = millis;
  let text = '';
  for (const { unit, millis: size } of UNITS) {
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    if (amount > 0) text += `${amount}${unit}`;
  }
  return text;
}

/** How often files are looked at that no kernel tells of. */
export const usualPoll: Millis = 250;

/** `true`, `false`, or a duration; 0 leaves it to the kernel. */
export function parsePoll(text: string): Millis | undefined {
  if (text === 'true') return usualPoll;
  return text === 'false' ? 0 : parseDuration(text);
}
