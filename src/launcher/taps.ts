/**
 * The output of services for whoever looks on. One reader for each service, however many look: they share its last
 * lines, each remembers how far it has read, and who reads too slowly finds a gap.
 */
import type { Fleet } from '../fleet/fleet.js';
import { type LaunchLine, linesOf } from '../fleet/lines.js';
import type { Tag } from '../model.js';
import type { Mask } from './security.js';

/** A text that is longer is cut. */
const longestText = 8 * 1024;

export class Tape {
  readonly #kept: number;
  #lines: LaunchLine[] = [];
  /** How many lines there were before the first that is kept. */
  #before = 0;

  constructor(kept: number) {
    this.#kept = kept;
  }

  add(line: LaunchLine): void {
    const { text } = line;
    this.#lines.push(text.length > longestText ? { ...line, text: `${text.slice(0, longestText)}…` } : line);
    if (this.#lines.length < 2 * this.#kept) return;
    this.#before += this.#lines.length - this.#kept;
    this.#lines = this.#lines.slice(-this.#kept);
  }

  get end(): number {
    return this.#before + this.#lines.length;
  }

  /** At most the last `kept` after a place, and how many were lost before them. */
  since(place: number): { readonly lines: readonly LaunchLine[]; readonly skipped: number } {
    const from = Math.max(place, this.end - this.#kept, this.#before);
    return { lines: this.#lines.slice(from - this.#before), skipped: from - place };
  }
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
    tap.close = this.#fleet.follow(
      run,
      message,
      (event) => {
        for (const line of linesOf(event)) this.#add(tap, line);
        this.#parts.told();
      },
      () => {},
    );
  }
}

export const keptLines = 1_000;
