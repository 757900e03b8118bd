/** Changes as they are found by looking at every file again and again, where no kernel tells of them. */
import type { Dirent, Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Millis } from '../model.js';
import type { Source, SourceOptions } from './watch-source.js';

/** Looking takes at most a fifth of the time. */
const rest = 4;

/** What a file is, in a word that another content changes. */
type Look = ReadonlyMap<string, { readonly word: string; readonly mtime: number }>;

export function pollTree(options: SourceOptions, every: Millis): Source {
  return new Poll(options, every);
}

class Poll implements Source {
  readonly #options: SourceOptions;
  readonly #every: Millis;
  #known: Look | undefined;
  /** The look that goes on, and the one that follows it. */
  #current: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #cancel = () => {};
  #isClosed = false;

  constructor(options: SourceOptions, every: Millis) {
    this.#options = options;
    this.#every = every;
    void this.caughtUp();
  }

  /** A look that goes on may have passed by what has changed: only one that begins now has seen it all. */
  caughtUp(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    if (this.#current === undefined) return this.#begin();
    this.#next ??= this.#current.then(() => this.#begin());
    return this.#next;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  #begin(): Promise<void> {
    const { clock, troubled } = this.#options;
    const began = clock.now();
    this.#cancel();
    this.#next = undefined;
    const look = this.#look()
      .catch(troubled)
      .then(() => {
        this.#current = undefined;
        if (this.#isClosed || this.#next !== undefined) return;
        const pause = Math.max(this.#every, rest * (clock.now() - began));
        this.#cancel = clock.wakeAt(clock.now() + pause, () => void this.caughtUp());
      });
    this.#current = look;
    return look;
  }

  async #look(): Promise<void> {
    const seen = new Map<string, { word: string; mtime: number }>();
    for (const top of this.#options.tops) await this.#walk(top, seen, []);
    if (this.#isClosed) return;
    const { saw, since } = this.#options;
    const known = this.#known;
    this.#known = seen;
    for (const [path, { word, mtime }] of seen) {
      const isChanged = known === undefined ? mtime >= since : known.get(path)?.word !== word;
      if (isChanged) saw(path, path);
    }
    for (const path of known?.keys() ?? []) if (!seen.has(path)) saw(path, path);
  }

  /** `above`: the directories on the way, by what they are and not by what they are called, since links lead in circles. */
  async #walk(directory: string, seen: Map<string, { word: string; mtime: number }>, above: readonly string[]) {
    const { enters, matches } = this.#options;
    const here = await statOf(directory);
    const id = `${here?.dev}:${here?.ino}`;
    if (!here?.isDirectory() || !enters(directory) || above.includes(id) || this.#isClosed) return;
    const way = [...above, id];
    await Promise.all(
      (await entriesOf(directory)).map(async (entry) => {
        const path = join(directory, entry.name);
        if (entry.isDirectory()) return this.#walk(path, seen, way);
        const found = entry.isSymbolicLink() || matches(path) ? await statOf(path) : undefined;
        if (found?.isDirectory()) return this.#walk(path, seen, way);
        if (found === undefined || !matches(path)) return;
        if (this.#known === undefined) this.#options.met(path);
        seen.set(path, { word: `${found.dev}:${found.ino}:${found.size}:${found.mtimeMs}`, mtime: found.mtimeMs });
      }),
    );
  }
}

async function statOf(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined); // ENOENT, ELOOP, EACCES
}

async function entriesOf(directory: string): Promise<Dirent[]> {
  return readdir(directory, { withFileTypes: true }).catch(() => []);
}
