/**
 * An env file's text to variables, pure. Owns the dialect: `KEY=value`, `export`, raw single quotes and backticks, double
 * quotes with escapes, values over several lines, `#` comments. Refuses to expand `$VAR`: a value is what
 * is written. Which file wins over which environment is decided elsewhere.
 */
import type { Parsed, Problem } from '../model.js';
import { quote } from '../quote.js';
import { toRecord } from '../record.js';

/**
 * The variables, a later line winning over an earlier one of the same key, or every problem of the text
 * with its line. Nothing after a quote that never closes can be read, so that problem is the last one.
 * Never throws.
 */
export function parseDotenv(text: string, path: string): Parsed<Record<string, string>> {
  const source = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  const pairs: [string, string][] = [];
  const problems: Problem[] = [];
  let at = 0;
  let line = 1;
  while (at < source.length) {
    const read = readStatement(source, at, line);
    if ('key' in read) pairs.push([read.key, read.value]);
    else if ('message' in read) problems.push({ path, ...read.place, message: read.message, ...read.advice });
    line += countLines(source, at, read.next);
    at = read.next;
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: toRecord(pairs) };
}

/**
 * What to say about values that look as if they were to be expanded: one sentence for a file, or none. Single quotes and
 * backticks say that a value is meant as it is written.
 */
export function unexpandedIn(text: string, path: string): readonly string[] {
  const source = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  const found: { key: string; line: number }[] = [];
  let line = 1;
  for (let at = 0; at < source.length; ) {
    const read = readStatement(source, at, line);
    if ('key' in read && !read.isRaw && VARIABLE.test(read.value)) found.push({ key: read.key, line });
    line += countLines(source, at, read.next);
    at = read.next;
  }
  const [first, ...more] = found;
  if (first === undefined) return [];
  const others = more.length === 0 ? '' : ` (and ${more.map(({ key }) => key).join(', ')})`;
  return [
    `${path}:${first.line}: ${first.key}${others} keeps its $ as it is written, because nothing is expanded in env files; expand it in proclet.yml under env, or put it in single quotes`,
  ];
}

interface Skipped {
  /** Where the next line starts. */
  readonly next: number;
}
interface Value extends Skipped {
  readonly value: string;
  /** It stands in quotes that say that it is what is written. */
  readonly isRaw: boolean;
}
interface Assignment extends Value {
  readonly key: string;
}
interface Mistake extends Skipped {
  readonly message: string;
  readonly place: Required<Pick<Problem, 'line'>>;
  readonly advice?: Required<Pick<Problem, 'hint'>>;
}

// `(?:\n|$)` and `[^\n]`, because `$` with the m flag and `.` stop at other line separators as well.
const NOTHING = /[ \t\r]*(?:#[^\n]*)?(?:\n|$)/y;
const BEFORE_VALUE = /[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=/y;
const QUOTED = /[ \t]*(?:'([^']*)'|`([^`]*)`|"([^"\\]*(?:\\.[^"\\]*)*)")/sy;
const OPEN_QUOTE = /[ \t]*['"`]/y;
const VARIABLE = /\$\{?[A-Za-z_]/;
const AFTER_QUOTE = /[ \t\r]*(?:[ \t]#[^\n]*)?(?:\n|$)/y;
const INLINE_COMMENT = /[ \t]#.*$/s;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\', '"': '"', $: '$', '`': '`' };

function readStatement(source: string, at: number, line: number): Skipped | Assignment | Mistake {
  const end = lineEnd(source, at);
  if (matchAt(NOTHING, source, at) !== null) return { next: end + 1 };
  const key = matchAt(BEFORE_VALUE, source, at)?.[1];
  if (key === undefined) {
    const message = `${quote(source.slice(at, end).trim())} is not 'KEY=value'`;
    return { next: end + 1, message, place: { line }, advice: { hint: 'comments start with #' } };
  }
  const read = readValue(source, BEFORE_VALUE.lastIndex, line);
  if ('message' in read) return read;
  if (read.value.includes('\0')) {
    return { next: read.next, message: `${key} contains a NUL byte, which no variable can hold`, place: { line } };
  }
  return { ...read, key };
}

function readValue(source: string, at: number, line: number): Value | Mistake {
  const quoted = matchAt(QUOTED, source, at);
  if (quoted !== null) {
    const closed = QUOTED.lastIndex;
    const next = lineEnd(source, closed) + 1;
    const raw = quoted[1] ?? quoted[2];
    const value = raw ?? withoutEscapes(quoted[3] ?? '');
    if (matchAt(AFTER_QUOTE, source, closed) !== null) return { value, next, isRaw: raw !== undefined };
    const message = `${quote(source.slice(closed, next).trim())} follows the closing quote`;
    const closedOn = line + countLines(source, at, closed);
    const hint = closedOn === line ? 'quote the whole value' : `the quote was opened on line ${line}`;
    return { next, message, place: { line: closedOn }, advice: { hint } };
  }
  if (matchAt(OPEN_QUOTE, source, at) !== null) {
    return { next: source.length, message: 'the quote opened here is never closed', place: { line } };
  }
  const end = lineEnd(source, at);
  return {
    value: source
      .slice(at, end)
      .replace(INLINE_COMMENT, '')
      .replace(/^[ \t]+|[ \t\r]+$/g, ''),
    next: end + 1,
    isRaw: false,
  };
}

function withoutEscapes(text: string): string {
  return text.replace(/\\(.)/gs, (written, character: string) => ESCAPES[character] ?? written);
}

function matchAt(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

function lineEnd(source: string, at: number): number {
  const end = source.indexOf('\n', at);
  return end === -1 ? source.length : end;
}

function countLines(source: string, from: number, to: number): number {
  return source.slice(from, to).split('\n').length - 1;
}
