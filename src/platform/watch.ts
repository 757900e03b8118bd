/**
 * Sees files change, and tells of each burst of changes once. What belongs to whom is decided by `watch-rules.ts`; that
 * something changed is learnt from the kernel, or by looking at it again and again.
 */
import { fstatSync, readFileSync, type Stats, statSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { usualPoll } from '../duration.js';
import type { Millis, Tag } from '../model.js';
import type { Clock } from '../ports.js';
import { adviceOn, isSystemError } from '../system-error.js';
import { sharedFileSystem } from './file-systems.js';
import { Ignores } from './ignores.js';
import { ownFiles } from './own-files.js';
import { watchByLibrary } from './watch-library.js';
import { pollTree } from './watch-poll.js';
import { createRules, type Rules } from './watch-rules.js';
import type { Source } from './watch-source.js';
import { watchTree } from './watch-tree.js';

export interface WatchOptions {
  readonly clock: Clock;
  /** The project's directory. */
  readonly root: string;
  readonly patterns: ReadonlyMap<Tag, readonly string[]>;
  /** Absolute paths of what a run writes for its user; what proclet writes for itself is known. */
  readonly own: readonly string[];
  /** How often to look at every file; 0 where the kernel is to tell, if it can. */
  readonly poll: Millis;
  /** Wall time: what changed since then, before it was watched, counts. */
  readonly since: number;
  /** Files of a service changed: the first of them, relative to the root, and how many. */
  readonly changed: (tag: Tag, path: string, files: number) => void;
  readonly warn: (text: string) => void;
  /** This one, unless a test says another. */
  readonly system?: NodeJS.Platform;
}

export interface Watcher {
  /** Resolves when every change before the call was told, and no burst of changes to a service's files is going on. */
  settled(tag: Tag): Promise<void>;
  close(): Promise<void>;
}

/** A burst is over when nothing came for so long: an editor's save; a checkout, a build. */
const quietAfterFew: Millis = 10;
const quietAfterMany: Millis = 200;
const few = 5;

/** So long a burst is waited for while git holds its index. */
const gitWithin: Millis = 10_000;
const gitAgain: Millis = 25;

interface Burst {
  readonly paths: Set<string>;
  readonly began: Millis;
  cancel: () => void;
  readonly waiting: (() => void)[];
}

export function watchFiles(options: WatchOptions): Watcher {
  return new Watching(options);
}

class Watching implements Watcher {
  readonly #options: WatchOptions;
  readonly #rules: ReadonlyMap<Tag, Rules>;
  readonly #ignores: Ignores;
  readonly #isOwn: (path: string) => boolean;
  readonly #bursts = new Map<Tag, Burst>();
  #source: Source;
  #isClosed = false;
  /** Patterns for which no file was seen yet, while everything is read for the first time. */
  #unseen: { readonly tag: Tag; readonly written: string; readonly means: (path: string) => boolean }[];

  constructor(options: WatchOptions) {
    const { root, patterns, own, poll } = options;
    this.#options = options;
    this.#ignores = new Ignores(root);
    this.#isOwn = ownFiles(own);
    this.#rules = new Map([...patterns].map(([tag, list]) => [tag, createRules(root, list, this.#ignores)]));
    this.#unseen = [...this.#rules].flatMap(([tag, { each }]) => each.map((one) => ({ tag, ...one })));
    this.#source = this.#open(poll);
    void this.#source.caughtUp().then(() => this.#tellUnseen());
  }

  /** A pattern without a file is a slip of the pen, or means files that are still to be made: it is said once. */
  #tellUnseen(): void {
    const unseen = this.#unseen;
    this.#unseen = [];
    if (this.#isClosed) return;
    for (const { tag, written } of unseen)
      this.#options.warn(`${tag}: no file is there that its watch pattern ${written} means`);
  }

  async settled(tag: Tag): Promise<void> {
    if (!this.#rules.has(tag)) return;
    await this.#source.caughtUp();
    const burst = this.#bursts.get(tag);
    if (burst !== undefined) await new Promise<void>((resolve) => void burst.waiting.push(resolve));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { cancel, waiting } of this.#bursts.values()) {
      cancel();
      for (const go of waiting) go();
    }
    this.#bursts.clear();
    this.#source.close();
  }

  #open(poll: Millis): Source {
    const { clock, since, system = process.platform } = this.#options;
    const tops = [...new Set([...this.#rules.values()].flatMap((rules) => rules.tops))];
    let isRefused = false;
    const source = {
      ...{ clock, tops, since },
      enters: (directory: string) => this.#enters(directory),
      matches: (path: string) => [...this.#rules.values()].some((rules) => rules.matches(path)),
      saw: (path: string, real: string) => this.#saw(path, real),
      met: (path: string) => {
        if (this.#unseen.length > 0) this.#unseen = this.#unseen.filter(({ means }) => !means(path));
      },
      troubled: (error: unknown) => {
        if (isRefused || this.#isClosed) return;
        isRefused = this.#isLimit(error);
        if (isRefused) clock.wakeAt(clock.now(), () => this.#pollInstead());
      },
    };
    const every = poll > 0 ? poll : this.#pollAnyway(tops);
    if (system !== 'linux') return watchByLibrary(source, every);
    return every > 0 ? pollTree(source, every) : watchTree(source);
  }

  /** How often to look where the kernel would not tell, which is said; 0 where it does. */
  #pollAnyway(tops: readonly string[]): Millis {
    const { root, warn } = this.#options;
    const top = tops.find((each) => sharedFileSystem(each) !== undefined);
    if (top !== undefined) {
      warn(
        `${relative(root, top) || root} is on ${sharedFileSystem(top)}, where changes may be made that this kernel is not told of, so files are looked at every ${usualPoll}ms; watch-poll says another interval`,
      );
    }
    return top === undefined ? 0 : usualPoll;
  }

  #pollInstead(): void {
    if (this.#isClosed) return;
    this.#source.close();
    this.#source = this.#open(usualPoll);
  }

  #enters(directory: string): boolean {
    if (this.#isOwn(directory)) return false;
    return [...this.#rules.values()].some((rules) => rules.enters(directory));
  }

  #saw(path: string, real: string): void {
    if (basename(path) === '.gitignore') this.#ignores.forget(path);
    const tags = [...this.#rules].filter(([, rules]) => rules.matches(path)).map(([tag]) => tag);
    if (tags.length === 0 || this.#isOwn(path) || this.#isOwn(real)) return;
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory() || (stats && isOutput(stats))) return;
    for (const tag of tags) this.#add(tag, path);
  }

  #add(tag: Tag, path: string): void {
    const now = this.#options.clock.now();
    const burst = this.#bursts.get(tag) ?? { paths: new Set<string>(), began: now, cancel: () => {}, waiting: [] };
    this.#bursts.set(tag, burst);
    burst.paths.add(path);
    burst.cancel();
    this.#endIn(tag, burst, burst.paths.size > few ? quietAfterMany : quietAfterFew);
  }

  #endIn(tag: Tag, burst: Burst, delay: Millis): void {
    const { clock } = this.#options;
    burst.cancel = clock.wakeAt(clock.now() + delay, () => {
      if (this.#ignores.isGitBusy() && clock.now() - burst.began < gitWithin) this.#endIn(tag, burst, gitAgain);
      else this.#end(tag, burst);
    });
  }

  #end(tag: Tag, { paths, waiting }: Burst): void {
    this.#bursts.delete(tag);
    const [first = ''] = paths;
    this.#options.changed(tag, relative(this.#options.root, first) || '.', paths.size);
    for (const go of waiting) go();
  }

  /** Whether an error says that the kernel has no more watches; any other is said. */
  #isLimit(error: unknown): boolean {
    const { warn } = this.#options;
    const code = isSystemError(error) ? error.code : '';
    const limit = limits[code];
    if (limit === undefined) {
      if (code !== 'ENOENT') warn(`a file cannot be watched: ${adviceOn(error)}`);
      return false;
    }
    warn(
      `the kernel's limit ${limit.name}${currentOf(limit.file)} is reached, so files are looked at every ${usualPoll}ms; to raise it: sudo sysctl ${limit.name}=${limit.better}`,
    );
    return true;
  }
}

function currentOf(file: string): string {
  try {
    return ` (${readFileSync(file, 'utf8').trim()})`;
  } catch {
    return ''; // ENOENT: not Linux
  }
}

const limits: Record<string, { name: string; file: string; better: number }> = {
  ENOSPC: {
    name: 'fs.inotify.max_user_watches',
    file: '/proc/sys/fs/inotify/max_user_watches',
    better: 524_288,
  },
  EMFILE: {
    name: 'fs.inotify.max_user_instances',
    file: '/proc/sys/fs/inotify/max_user_instances',
    better: 1_024,
  },
};

/** Whether proclet itself writes to it, as in `proclet start >out.txt`: each line would set off the next. */
function isOutput({ dev, ino }: Stats): boolean {
  return [1, 2].some((fd) => {
    const own = fstatSync(fd);
    return own.isFile() && own.dev === dev && own.ino === ino;
  });
}
