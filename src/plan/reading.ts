/**
 * One text to one value: ports, durations, counts, switches. Owns what a user reads when a text is none of
 * those: a sentence that begins with the text and ends with what to write. Where the text came from is
 * added by the caller.
 */
import { parseDuration } from '../duration.js';
import type { Millis, Moment } from '../model.js';
import { quote } from '../quote.js';

/** The value, or why there is none. */
export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

export function good<T>(value: T): Reading<T> {
  return { ok: true, value };
}

export function bad(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message };
}

/** Everything but the empty text. */
export function readText(text: string): Reading<string> {
  return text === '' ? bad('it is empty') : good(text);
}

/** Comma-separated items, spaces around them and empty ones dropped. */
export function readList(text: string): Reading<readonly string[]> {
  return good(splitList(text));
}

export function readPort(text: string): Reading<number> {
  const port = wholeNumber(text);
  if (port !== undefined && port >= 1 && port <= 65_535) return good(port);
  return bad(`${quote(text)} is not a port; write a number from 1 to 65535`);
}

/** A port, or `auto` for a block of free ones. */
export function readBase(text: string): Reading<number | 'auto'> {
  return text === 'auto' ? good(text) : readPort(text);
}

export function readStatus(text: string): Reading<number> {
  const status = wholeNumber(text);
  if (status !== undefined && status <= 255) return good(status);
  return bad(`${quote(text)} is not an exit status; write a number from 0 to 255`);
}

export function readCount(text: string): Reading<number> {
  const count = wholeNumber(text);
  if (count !== undefined && count <= 1000) return good(count);
  return bad(`${quote(text)} is not a number of instances; write a number from 0 to 1000`);
}

export function readDuration(text: string): Reading<Millis> {
  const duration = parseDuration(text);
  if (duration !== undefined) return good(duration);
  return bad(`${quote(text)} is not a duration; write 30m, 1h30m, 90s or 500ms`);
}

/** A longest life: 0 is for ever. */
export function readLife(text: string): Reading<Millis> {
  const read = readDuration(text);
  return read.ok && read.value === 0 ? good(Infinity) : read;
}

export function readSwitch(text: string): Reading<boolean> {
  const written = text.trim().toLowerCase();
  if (ON.includes(written)) return good(true);
  if (OFF.includes(written)) return good(false);
  return bad(`${quote(text)} is neither on nor off; write true or false`);
}

export function readColor(text: string): Reading<'auto' | 'always' | 'never'> {
  if (text === 'auto' || text === 'always' || text === 'never') return good(text);
  const on = readSwitch(text);
  if (on.ok) return good(on.value ? 'always' : 'never');
  return bad(`${quote(text)} is not a choice of colour; write true, false or auto`);
}

/** Of a run: it stands in file names and in messages. */
export function readName(text: string): Reading<string> {
  if (/^(?:[A-Za-z][\w.-]{0,49})?$/.test(text)) return good(text);
  return bad(`${quote(text)} is not a name; write a letter, then up to 49 letters, digits, dots, dashes`);
}

export function readPid(text: string): Reading<number> {
  const pid = wholeNumber(text);
  return pid !== undefined && pid > 0 ? good(pid) : bad(`${quote(text)} is not the number of a process`);
}

/** `18:00`, `18:00:30`: the next time that it is so late. Otherwise a date and a time, in the zone of this machine. */
export function readMoment(text: string): Reading<Moment> {
  const [, hours, minutes, seconds = '0'] = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text.trim()) ?? [];
  if (hours !== undefined && Number(hours) < 24 && Number(minutes) < 60 && Number(seconds) < 60) {
    return good({ hours: Number(hours), minutes: Number(minutes), seconds: Number(seconds) });
  }
  const at = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? bad(`${quote(text)} is not a time; write 18:00 or 2030-01-31T18:00`) : good({ at });
}

/** One of the given texts. */
export function readChoice<T extends string>(choices: readonly T[]): (text: string) => Reading<T> {
  return (text) => {
    const choice = choices.find((each) => each === text);
    return choice === undefined ? bad(`${quote(text)} is not one of ${choices.join(', ')}`) : good(choice);
  };
}

export function splitList(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

const ON = ['true', 'yes', 'on', '1'];
const OFF = ['false', 'no', 'off', '0'];

function wholeNumber(text: string): number | undefined {
  return /^\d{1,9}$/.test(text.trim()) ? Number(text) : undefined;
}
