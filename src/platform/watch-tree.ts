/**
 * Changes as the kernel tells them. Only directories are watched, which tell of every file in them by its name: a twentieth
 * of the watches and of the start-up that files would take.
 *
 * Links are followed: a directory or a file has as many names as there are links to it, and each is told. A watch is of a
 * real directory; what its events mean is written beside it: the names that the directory itself has, and whose way leads
 * over one of its entries.
 */
import { type FSWatcher, lstatSync, readdirSync, statSync, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Millis } from '../model.js';
import { isWithin } from './ignores.js';
import { type Beacon, openBeacon } from './watch-beacon.js';
import { follow, type Hop } from './watch-links.js';
import type { Source, SourceOptions } from './watch-source.js';

interface Place {
  readonly watcher: FSWatcher;
  /** The paths by which this directory was entered. */
  readonly as: Set<string>;
  /** By the name of an entry: the paths that lead over it. */
  readonly over: Map<string, Set<string>>;
}

/** Links to directories that link to each other multiply: more names than these nobody has for one directory. */
const mostNames = 16;

/** So long a tree is read without letting anything else be done. */
const slice: Millis = 8;

export function watchTree(options: SourceOptions): Source {
  return new Tree(options);
}

class Tree implements Source {
  readonly #options: SourceOptions;
  readonly #beacon: Beacon | undefined;
  /** By real path. */
  readonly #places = new Map<string, Place>();
  /** The real path of each directory that was entered, by the path by which it was. */
  readonly #entered = new Map<string, string>();
  /** What is registered in `over`, by the path that leads there. */
  readonly #ways = new Map<string, readonly Hop[]>();
  /** Directories to be read; what is in a new one is told. */
  readonly #unread: { readonly path: string; readonly isNew: boolean }[] = [];
  #whenRead: (() => void)[] = [];
  #cancel = () => {};
  #isClosed = false;

  constructor(options: SourceOptions) {
    this.#options = options;
    this.#beacon = this.#try(() => openBeacon(options.clock));
    for (const top of options.tops) this.#meet(top, false);
    this.#read();
  }

  async caughtUp(): Promise<void> {
    await this.#beacon?.passed();
    if (this.#unread.length > 0) await new Promise<void>((resolve) => void this.#whenRead.push(resolve));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
    this.#unread.length = 0;
    this.#tellRead();
    for (const { watcher } of this.#places.values()) watcher.close();
    this.#places.clear();
    this.#beacon?.close();
  }

  /** Finds out what is at a path: a directory is entered, the way over links is noted. */
  #meet(path: string, isNew: boolean): void {
    const { enters, matches, saw } = this.#options;
    const { real, hops } = follow(path);
    const found = real === undefined ? undefined : statSync(real, { throwIfNoEntry: false });
    const isDirectory = found?.isDirectory() ?? false;
    if (isDirectory ? !enters(path) : !matches(path) && !enters(path)) return;
    if (hops.length > 0) this.#note(path, hops);
    if (real === undefined) return;
    if (isDirectory) this.#enter(path, real, isNew);
    else if (found !== undefined && (isNew || found.mtimeMs >= this.#options.since)) saw(path, real);
  }

  #note(path: string, hops: readonly Hop[]): void {
    this.#forget(path);
    const noted = hops.filter(([directory, name]) => {
      const over = this.#placeOf(directory)?.over;
      if (over === undefined) return false;
      over.set(name, (over.get(name) ?? new Set()).add(path));
      return true;
    });
    this.#ways.set(path, noted);
  }

  #forget(path: string): void {
    for (const [directory, name] of this.#ways.get(path) ?? []) {
      const over = this.#places.get(directory)?.over;
      over?.get(name)?.delete(path);
      if (over?.get(name)?.size === 0) over.delete(name);
      this.#closeIfIdle(directory);
    }
    this.#ways.delete(path);
  }

  #enter(path: string, real: string, isNew: boolean): void {
    if (this.#entered.get(path) === real || this.#isCircle(path, real)) return;
    const as = this.#placeOf(real)?.as;
    if (as === undefined || as.size >= mostNames) return;
    as.add(path);
    this.#entered.set(path, real);
    this.#unread.push({ path, isNew });
  }

  #isCircle(path: string, real: string): boolean {
    for (let above = dirname(path); this.#entered.has(above); above = dirname(above)) {
      if (this.#entered.get(above) === real) return true;
      if (above === dirname(above)) break;
    }
    return false;
  }

  /** Everything at and below a path is not what it was. */
  #leave(path: string): void {
    for (const [each, real] of this.#entered) {
      if (!isWithin(path, each)) continue;
      this.#entered.delete(each);
      this.#places.get(real)?.as.delete(each);
      this.#closeIfIdle(real);
    }
    for (const each of [...this.#ways.keys()]) if (isWithin(path, each)) this.#forget(each);
  }

  #placeOf(real: string): Place | undefined {
    const known = this.#places.get(real);
    if (known !== undefined) return known;
    const watcher = this.#try(() => watch(real, (event, name) => this.#told(real, event, name)));
    if (watcher === undefined) return undefined;
    watcher.on('error', (error) => this.#options.troubled(error));
    const place: Place = { watcher, as: new Set(), over: new Map() };
    this.#places.set(real, place);
    return place;
  }

  #closeIfIdle(real: string): void {
    const place = this.#places.get(real);
    if (place === undefined || place.as.size > 0 || place.over.size > 0) return;
    place.watcher.close();
    this.#places.delete(real);
  }

  #told(directory: string, event: string, name: string | null): void {
    const place = this.#places.get(directory);
    if (place === undefined || name === null) return;
    const real = join(directory, name);
    const found = lstatSync(real, { throwIfNoEntry: false });
    // The end of a directory is told with its own name, as if something of that name had been in it.
    if (found === undefined && name === basename(directory)) {
      if (event === 'rename') this.#lost(directory, place);
      return;
    }
    const paths = new Set([...place.as].map((path) => join(path, name)));
    for (const path of place.over.get(name) ?? []) paths.add(path);
    for (const path of paths) this.#try(() => this.#changed(path, real, event === 'rename'));
    this.#read();
  }

  /** A watch stays with what was moved or removed: what is there by now needs another. */
  #lost(directory: string, place: Place): void {
    place.watcher.close();
    this.#places.delete(directory);
    const paths = new Set([...place.as, ...[...place.over.values()].flatMap((each) => [...each])]);
    for (const path of paths) this.#try(() => this.#changed(path, directory, true));
    this.#read();
  }

  #changed(path: string, real: string, isAnother: boolean): void {
    const { saw } = this.#options;
    const isKnown = this.#entered.has(path) || this.#ways.has(path);
    const found = isAnother && !isKnown ? lstatSync(real, { throwIfNoEntry: false }) : undefined;
    if (isAnother && (isKnown || found?.isDirectory() || found?.isSymbolicLink())) {
      this.#leave(path);
      this.#meet(path, true);
      if (this.#entered.has(path)) return;
    }
    saw(path, real);
  }

  /** Reads what is to be read: a while now, and the rest after others had their turn. */
  #read(): void {
    this.#cancel();
    const { clock } = this.#options;
    const until = clock.now() + slice;
    while (this.#unread.length > 0) {
      if (clock.now() >= until) {
        this.#cancel = clock.wakeAt(clock.now(), () => this.#read());
        return;
      }
      const { path, isNew } = this.#unread.pop() ?? { path: '', isNew: false };
      const real = this.#entered.get(path);
      if (real !== undefined) this.#try(() => this.#readOne(path, real, isNew));
    }
    this.#tellRead();
  }

  #readOne(path: string, real: string, isNew: boolean): void {
    const { enters, since, saw, met } = this.#options;
    for (const entry of readdirSync(real, { withFileTypes: true })) {
      const each = join(path, entry.name);
      const itsReal = join(real, entry.name);
      if (!entry.isDirectory()) met(each);
      if (entry.isDirectory()) {
        if (enters(each)) this.#enter(each, itsReal, isNew);
      } else if (entry.isSymbolicLink()) this.#meet(each, isNew);
      else if (isNew || (statSync(itsReal, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= since) saw(each, itsReal);
    }
  }

  #tellRead(): void {
    for (const go of this.#whenRead.splice(0)) go();
  }

  #try<T>(act: () => T): T | undefined {
    try {
      return this.#isClosed ? undefined : act();
    } catch (error) {
      this.#options.troubled(error);
      return undefined;
    }
  }
}
