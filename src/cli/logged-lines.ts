/** Lines of output, from the memory of a run and from its log files, oldest first. */
import { constants } from 'node:buffer';
import { ProcletError } from '../errors.js';
import type { InstanceId, Millis, ProcletEvent } from '../model.js';
import { toBytes } from '../observers/bytes.js';
import { ownName } from '../observers/margin.js';
import { createSentences } from '../observers/sentences.js';
import { readPlain } from '../platform/plain-file.js';
import { eventFromWire } from '../wire.js';

export interface LoggedLine {
  /** Wall time in milliseconds since 1970. */
  readonly at: number;
  readonly id: InstanceId;
  readonly stream: 'stdout' | 'stderr';
  /** Without a newline; bytes as latin1. */
  readonly text: string;
  /** The line goes on in the next one. */
  readonly isCut: boolean;
}

/**
 * Returns the function that makes lines of the events of a run, in their order: of output its lines, of anything else
 * what proclet says about it. What is unknown, or a line that is not finished, has none.
 */
export function createLines(): (wire: Readonly<Record<string, unknown>>) => LoggedLine[] {
  const sentencesAbout = createSentences();
  return (wire) => {
    const event = eventFromWire(wire);
    if (event === undefined) return [];
    if (event.type === 'output') return outputLines(event);
    const { at } = event;
    return sentencesAbout(event).map(({ text }) => ({ ...ownLine, at, text: toBytes(text) }));
  };
}

const ownLine = { id: ownName, stream: 'stdout', isCut: false } as const;

function outputLines(event: Extract<ProcletEvent, { type: 'output' }>): LoggedLine[] {
  if (event.end === 'open') return [];
  const { at, id, stream, text, end } = event;
  const lines = end === 'line' ? text.slice(0, -1).split('\n') : [text];
  return lines.map((line) => ({ at, id, stream, text: line, isCut: end === 'cut' }));
}

/** As an event for whoever prints events. */
export function eventOf({ at, id, stream, text, isCut }: LoggedLine): ProcletEvent {
  if (id === ownName) return { at, type: 'notice', text: Buffer.from(text, 'latin1').toString('utf8') };
  const end = isCut ? 'cut' : 'line';
  return { at, type: 'output', id, stream, text: isCut ? text : `${text}\n`, shown: 0, continued: false, end };
}

const pattern = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) (\S+) \| (.*)$/;

/** The lines of a log file and of those that it was before, at or before a moment. Files that are gone count as empty. */
export function linesInFiles(
  paths: readonly string[],
  { since, until }: { since: number; until: number },
): LoggedLine[] {
  const lines = paths.flatMap((path) => rotated(path).flatMap((text) => parse(text)));
  return lines.filter(({ at }) => at >= since && at <= until).sort((a, b) => a.at - b.at);
}

function parse(text: string): LoggedLine[] {
  return text.split('\n').flatMap((row) => {
    const [, time = '', id = '', line = ''] = pattern.exec(row) ?? [];
    return id === '' ? [] : [{ at: Date.parse(time), id, stream: 'stdout' as const, text: line, isCut: false }];
  });
}

/** As many bytes as a string can hold. */
const longestLog = constants.MAX_STRING_LENGTH;

/** `web.log.2`, `web.log.1`, `web.log`: the texts of those that are there, as bytes. */
export function rotated(path: string): string[] {
  const texts: string[] = [];
  for (let n = 0; n <= 1000; n += 1) {
    try {
      texts.unshift(readPlain(n === 0 ? path : `${path}.${n}`, longestLog, 'latin1'));
    } catch {
      if (n > 0) break; // ENOENT: that was the oldest
    }
  }
  return texts;
}

/** Throws ProcletError for an expression that is none. */
export function matcherOf(expression: string | undefined): (line: LoggedLine) => boolean {
  if (expression === undefined) return () => true;
  let found: RegExp;
  try {
    found = new RegExp(expression, 'u');
  } catch (cause) {
    throw new ProcletError('USAGE', `--grep: ${(cause as Error).message}`, { cause });
  }
  return ({ text }) => found.test(Buffer.from(text.replace(colors, ''), 'latin1').toString('utf8'));
}

const colors = /\x1b\[[\d;:]*m/g;

/** `10m` ago, or a date and time. Throws ProcletError for another text. */
export function sinceOf(text: string | undefined, now: number, duration: (text: string) => Millis | undefined): number {
  if (text === undefined) return 0;
  const ago = duration(text);
  const at = ago === undefined ? Date.parse(text) : now - ago;
  if (!Number.isNaN(at)) return at;
  throw new ProcletError('USAGE', `--since: '${text}' is neither a duration nor a date; write 10m or 2030-01-31T12:00`);
}
