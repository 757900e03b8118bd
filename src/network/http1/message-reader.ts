/**
 * Reads one direction of an HTTP/1 connection while it passes, in whatever pieces it comes: where messages begin and
 * end. It changes nothing and holds nothing back. Of a head it keeps the lines that its owner asks for; of a body,
 * nothing. What is not HTTP/1, or may be read in two ways (as in request smuggling), it calls unreadable.
 */

/** How a message ends: after so many bytes, by its chunks, or with the connection. */
export type Framing = number | 'chunked' | 'until-end' | 'unreadable';

export interface Field {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
}

export interface Head {
  readonly startLine: string;
  /** Those that were asked for, in their order. */
  readonly fields: readonly Field[];
}

export interface Owner {
  /** Names of fields in lower case. Lines of others that begin with other letters are never copied. */
  readonly wanted: ReadonlySet<string>;
  isStartLine(line: string): boolean;
  /** Called once for each head. */
  framing(head: Head): Framing;
}

type Part =
  | 'between'
  | 'head'
  | 'body'
  | 'chunk-size'
  | 'chunk-extension'
  | 'chunk'
  | 'chunk-end'
  | 'trailers'
  | 'until-end'
  | 'unreadable';

/** A longer line that would have to be kept makes a message unreadable; servers take 8 to 64 KB. */
const longestLine = 64 * 1024;
/** 2^48: more is no length. */
const largest = 0x1_0000_0000_0000;

const tab = 9;
const lf = 10;
const cr = 13;
const space = 32;
const colon = 58;
const semicolon = 59;

export class MessageReader {
  readonly #owner: Owner;
  /** By code, in both cases: first letters of the fields that are wanted. */
  readonly #letters = new Uint8Array(256);
  /** Those fields, in lower case, as they are in the bytes. */
  readonly #names: readonly Buffer[];
  #part: Part = 'between';
  /** Of the body or chunk that passes. */
  #left = 0;
  #digits = 0;
  /** The current line as far as it was seen, if it is kept; undefined at the beginning of a line. */
  #line: string | undefined;
  #isKept = false;
  #startLine: string | undefined;
  #fields: Field[] = [];

  constructor(owner: Owner) {
    this.#owner = owner;
    this.#names = [...owner.wanted].map((name) => Buffer.from(name, 'latin1'));
    for (const name of owner.wanted) {
      this.#letters[name.charCodeAt(0)] = 1;
      this.#letters[name.toUpperCase().charCodeAt(0)] = 1;
    }
    // An empty line, and one that continues the line before.
    for (const code of [cr, lf, space, tab]) this.#letters[code] = 1;
  }

  /** Whether the last message is complete and the next has not begun. */
  get isBetween(): boolean {
    return this.#part === 'between';
  }

  get isUnreadable(): boolean {
    return this.#part === 'unreadable';
  }

  /** Whether the message that passes ends with the connection. */
  get isUntilEnd(): boolean {
    return this.#part === 'until-end';
  }

  /** Whether these bytes begin a message: between two, empty lines say nothing. */
  begins(bytes: Buffer, from: number, to: number): boolean {
    return this.isBetween && afterBlanks(bytes, from, to) < to;
  }

  /** Reads up to the end of a message, at most. Returns the place behind what was read. */
  read(bytes: Buffer, from: number, to: number): number {
    let at = from;
    if (this.#part === 'between') {
      at = afterBlanks(bytes, at, to);
      if (at === to) return at;
      this.#part = 'head';
    }
    while (at < to) {
      at = this.#step(bytes, at, to);
      if (this.isBetween) return at;
    }
    return at;
  }

  #step(bytes: Buffer, at: number, to: number): number {
    const part = this.#part;
    switch (part) {
      case 'head':
      case 'trailers':
        return this.#readLines(bytes, at, to);
      case 'body':
      case 'chunk':
        return this.#skip(at, to);
      case 'chunk-size':
      case 'chunk-extension':
        return this.#readSize(bytes, at, to);
      case 'chunk-end':
        return this.#readChunkEnd(bytes, at);
      case 'between':
      case 'until-end':
      case 'unreadable':
        return to;
      default:
        return part satisfies never;
    }
  }

  #readLines(bytes: Buffer, from: number, to: number): number {
    let at = from;
    while (at < to) {
      const end = endOfLine(bytes, at, to);
      if (this.#line === undefined) {
        this.#line = '';
        this.#isKept = this.#isWanted(bytes, at, end);
      }
      if (this.#isKept) this.#line += bytes.toString('latin1', at, end);
      if (this.#line.length > longestLine) return this.#giveUp(to);
      if (end === to) return to;
      at = end + 1;
      const line = this.#line;
      this.#line = undefined;
      if (this.#isKept && this.#takeLine(line.endsWith('\r') ? line.slice(0, -1) : line)) return at;
    }
    return at;
  }

  /** Whether a line is to be kept, by what is here of it. */
  #isWanted(bytes: Buffer, at: number, end: number): boolean {
    const code = bytes[at] as number;
    if (this.#part === 'trailers') return code === cr || code === lf;
    if (this.#startLine === undefined) return true;
    if (this.#letters[code] !== 1) return false;
    if (code <= space) return true;
    for (const name of this.#names) if (mayBe(name, bytes, at, end)) return true;
    return false;
  }

  /** Whether the lines are over. */
  #takeLine(line: string): boolean {
    if (line === '') {
      if (this.#part === 'head') this.#endHead();
      else this.#part = 'between';
      return true;
    }
    if (this.#part === 'trailers') return false;
    if (this.#startLine === undefined) {
      this.#startLine = line;
      if (!this.#owner.isStartLine(line)) this.#part = 'unreadable';
    } else this.#takeField(line);
    return this.isUnreadable;
  }

  #takeField(line: string): void {
    const nameEnd = line.indexOf(':');
    const name = line.slice(0, nameEnd).toLowerCase();
    // A space before the colon, or at the beginning, is read in different ways by different programs.
    if (nameEnd <= 0 || /\s/.test(name)) this.#part = 'unreadable';
    else if (this.#owner.wanted.has(name)) this.#fields.push({ name, value: line.slice(nameEnd + 1).trim() });
  }

  #endHead(): void {
    const framing = this.#owner.framing({ startLine: this.#startLine ?? '', fields: this.#fields });
    this.#startLine = undefined;
    if (this.#fields.length > 0) this.#fields = [];
    if (framing === 'chunked') this.#beginChunk();
    else if (typeof framing === 'string') this.#part = framing;
    else {
      this.#left = framing;
      this.#part = framing === 0 ? 'between' : 'body';
    }
  }

  #skip(at: number, to: number): number {
    const passed = Math.min(this.#left, to - at);
    this.#left -= passed;
    if (this.#left === 0) this.#part = this.#part === 'chunk' ? 'chunk-end' : 'between';
    return at + passed;
  }

  #beginChunk(): void {
    this.#part = 'chunk-size';
    this.#left = 0;
    this.#digits = 0;
  }

  #readSize(bytes: Buffer, from: number, to: number): number {
    for (let at = from; at < to; at += 1) {
      const code = bytes[at] as number;
      if (code === lf) {
        if (this.#digits === 0) return this.#giveUp(to);
        this.#part = this.#left === 0 ? 'trailers' : 'chunk';
        return at + 1;
      }
      if (this.#part === 'chunk-extension') continue;
      const digit = digitOf(code);
      if (digit >= 0) {
        this.#left = this.#left * 16 + digit;
        this.#digits += 1;
        if (this.#left >= largest) return this.#giveUp(to);
      } else if (code === semicolon || code === cr || code === space || code === tab) this.#part = 'chunk-extension';
      else return this.#giveUp(to);
    }
    return to;
  }

  #readChunkEnd(bytes: Buffer, at: number): number {
    const code = bytes[at];
    if (code === lf) this.#beginChunk();
    else if (code !== cr) this.#part = 'unreadable';
    return at + 1;
  }

  #giveUp(to: number): number {
    this.#part = 'unreadable';
    this.#line = undefined;
    return to;
  }
}

function afterBlanks(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && (bytes[at] === cr || bytes[at] === lf)) at += 1;
  return at;
}

/** The place of the next line feed, or `to`. */
function endOfLine(bytes: Buffer, from: number, to: number): number {
  // What is behind `to` is old, and searching it is still cheaper than a loop.
  const end = bytes.indexOf(lf, from);
  return end < 0 || end > to ? to : end;
}

/** Whether the name at the beginning of a line is this one, as far as the line is here. */
function mayBe(name: Buffer, bytes: Buffer, from: number, end: number): boolean {
  const length = Math.min(name.length, end - from);
  for (let at = 0; at < length; at += 1) {
    // Sets the bit that makes a letter small; of the other characters in these names, a hyphen has it already.
    if (((bytes[from + at] as number) | 32) !== name[at]) return false;
  }
  const next = bytes[from + name.length] as number;
  return from + name.length >= end || next === colon || next === space || next === tab;
}

/** -1 for what is no hexadecimal digit. */
function digitOf(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
