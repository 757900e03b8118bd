/**
 * The output of services for whoever looks on. One reader for each service, however many look: they share its last
 * lines, each remembers how far it has read, and who reads too slowly finds a gap.
 */
import type { Fleet } from '../fleet/fleet.js';
import { type LaunchLine, linesOf } from '../fleet/lines.js';
import type { Tag } from '../model.js';
import type { Mask } from '../secrets.js';
import { type News, newsOf } from './streams.js';

/** Of the names of its fields, and its time. */
const lineOverhead = 80;
/** Characters of lines that one message has, about: what a page that does not read has waiting for it. */
const longestNews = 64 * 1024;

export interface TapeNews {
  /** Absent when there is nothing new. */
  readonly news?: News;
  /** What a reader of these has read up to, and whether that is all. */
  readonly end: number;
  readonly isAll: boolean;
}

export class Tape {
  readonly #kept: number;
  #lines: LaunchLine[] = [];
  /** How many lines there were before the first that is kept. */
  #before = 0;
  /** What was read before this place is told once more. */
  #anew = 0;
  /** Most pages have read as far as the others. */
  #memo: { readonly place: number; readonly tapeEnd: number; readonly found: TapeNews } | undefined;

  constructor(kept: number) {
    this.#kept = kept;
  }

  add(line: LaunchLine): void {
    this.#lines.push(line);
    if (this.#lines.length < 2 * this.#kept) return;
    this.#before += this.#lines.length - this.#kept;
    this.#lines = this.#lines.slice(-this.#kept);
  }

  beginAnew(): void {
    this.#before = this.end;
    this.#lines = [];
    this.#anew = this.#before;
  }

  get end(): number {
    return this.#before + this.#lines.length;
  }

  /** The last `kept`. */
  get lines(): readonly LaunchLine[] {
    return this.#lines.slice(-this.#kept);
  }

  /** For a page that has read up to a place; 0 for one that is new. The first of the last `kept` after it, as far as fits. */
  since(place: number): TapeNews {
    if (this.#memo?.place === place && this.#memo.tapeEnd === this.end) return this.#memo.found;
    const from = Math.max(place, this.end - this.#kept, this.#before);
    const lines = fitting(this.#lines, from - this.#before);
    const end = from + lines.length;
    const isAnew = place < this.#anew;
    // Who has just come has missed nothing.
    const skipped = place === 0 || isAnew ? 0 : from - place;
    const news = lines.length === 0 ? {} : { news: newsOf('log', JSON.stringify({ lines, skipped, isAnew })) };
    const found = { ...news, end, isAll: end === this.end };
    this.#memo = { place, tapeEnd: this.end, found };
    return found;
  }
}

/** As many lines as one message has, from this one on. */
export function fitting(lines: readonly LaunchLine[], from: number): LaunchLine[] {
  let size = 0;
  let to = from;
  for (; to < lines.length && size < longestNews; to += 1) size += (lines[to]?.text.length ?? 0) + lineOverhead;
  return lines.slice(from, to);
}

interface Tap {
  readonly root: string;
  readonly tag: Tag;
  readonly tape: Tape;
  viewers: number;
  run: string | undefined;
  close(): void;
}

export interface TapView {
  readonly tape: Tape;
  close(): void;
}

export interface TapParts {
  /** Of runs that have ended. */
  oldLines(root: string, tag: Tag): readonly LaunchLine[];
  maskOf(root: string): Mask;
  /** Called for what is new. */
  told(): void;
}

export class Taps {
  readonly #fleet: Fleet;
  readonly #parts: TapParts;
  readonly #taps = new Map<string, Tap>();
  readonly #leave: () => void;

  constructor(fleet: Fleet, parts: TapParts) {
    this.#fleet = fleet;
    this.#parts = parts;
    this.#leave = fleet.onChange(() => {
      for (const tap of this.#taps.values()) this.#attach(tap);
    });
  }

  open(root: string, tag: Tag): TapView {
    const key = `${root}\0${tag}`;
    const tap = this.#taps.get(key) ?? { root, tag, tape: new Tape(keptLines), viewers: 0, run: undefined, close() {} };
    const isNew = !this.#taps.has(key);
    this.#taps.set(key, tap);
    tap.viewers += 1;
    this.#attach(tap);
    if (isNew && tap.run === undefined) for (const line of this.#parts.oldLines(root, tag)) this.#add(tap, line);
    return {
      tape: tap.tape,
      close: () => {
        tap.viewers -= 1;
        if (tap.viewers > 0) return;
        tap.close();
        this.#taps.delete(key);
      },
    };
  }

  close(): void {
    this.#leave();
    for (const tap of this.#taps.values()) tap.close();
    this.#taps.clear();
  }

  #add({ tape, root }: Tap, line: LaunchLine): void {
    tape.add({ ...line, text: this.#parts.maskOf(root)(line.text) });
  }

  /** To the newest run that has the service. */
  #attach(tap: Tap): void {
    const has = (run: Fleet['runs'][number]) =>
      run.root === tap.root && run.services.some(({ tag }) => tag === tap.tag);
    const run = this.#fleet.runs.findLast(has)?.run;
    if (run === undefined || run === tap.run) return;
    tap.close();
    tap.run = run;
    const message = { targets: [tap.tag], only: 'output', last: keptLines } as const;
    tap.close = this.#fleet.follow(run, message, {
      event: (event) => {
        for (const line of linesOf(event)) this.#add(tap, line);
        this.#parts.told();
      },
      anew: () => tap.tape.beginAnew(),
      over() {},
    });
  }
}

export const keptLines = 1_000;
