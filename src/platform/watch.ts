/**
 * Sees files change, and tells of each burst of changes once. What belongs to whom is decided by `watch-rules.ts`.
 *
 * On Linux only directories are watched, which tell of every file in them by its name: a twentieth of the watches and
 * of the start-up that files would take (chokidar's `raw` event is what inotify says). Elsewhere chokidar watches the
 * files, as it does everywhere once the kernel has no watches left, when it polls.
 */
import { existsSync, fstatSync, readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import type { Millis, Tag } from '../model.js';
import type { Clock } from '../ports.js';
import { adviceOn } from '../system-error.js';
import { Ignores } from './ignores.js';
import { ownFiles } from './own-files.js';
import { createRules, type Rules } from './watch-rules.js';

export interface WatchOptions {
  readonly clock: Clock;
  /** The project's directory. */
  readonly root: string;
  readonly patterns: ReadonlyMap<Tag, readonly string[]>;
  /** Absolute paths of what a run writes for its user; what proclet writes for itself is known. */
  readonly own: readonly string[];
  /** Wall time: what changed since then, before it was watched, counts. */
  readonly since: number;
  /** Files of a service changed: the first of them, relative to the root, and how many. */
  readonly changed: (tag: Tag, path: string, files: number) => void;
  readonly warn: (text: string) => void;
}

export interface Watcher {
  /** Resolves when no burst of changes to a service's files is going on. */
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

const pollEvery: Millis = 250;

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
  #watcher: FSWatcher;
  #isReady = false;
  /** The directories, and the files that are named themselves, until all of it is watched. */
  readonly #met = new Set<string>();
  #isPolling = false;

  constructor(options: WatchOptions) {
    const { root, patterns } = options;
    this.#options = options;
    this.#ignores = new Ignores(root);
    this.#isOwn = ownFiles(options.own);
    this.#rules = new Map([...patterns].map(([tag, list]) => [tag, createRules(root, list, this.#ignores)]));
    this.#watcher = this.#open();
  }

  settled(tag: Tag): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      // What the kernel has to tell is told within this turn of the loop.
      clock.wakeAt(clock.now(), () => {
        const burst = this.#bursts.get(tag);
        if (burst === undefined) resolve();
        else burst.waiting.push(resolve);
      });
    });
  }

  async close(): Promise<void> {
    for (const { cancel, waiting } of this.#bursts.values()) {
      cancel();
      for (const go of waiting) go();
    }
    this.#bursts.clear();
    await this.#watcher.close();
  }

  #open(): FSWatcher {
    const tops = [...new Set([...this.#rules.values()].flatMap(({ tops }) => tops))];
    const byDirectory = process.platform === 'linux' && !this.#isPolling;
    const watcher = watch(tops, {
      ignoreInitial: true,
      followSymlinks: false,
      ...(this.#isPolling && { usePolling: true, interval: pollEvery }),
      ignored: (path, stats) => {
        if (stats === undefined) return false;
        if (!this.#isReady && (stats.isDirectory() ? this.#enters(path) : tops.includes(path))) this.#met.add(path);
        return stats.isDirectory() ? !this.#enters(path) : byDirectory;
      },
    });
    if (byDirectory) {
      watcher.on('raw', (_event, name: unknown, details) => {
        const { watchedPath } = details as { watchedPath?: string };
        if (typeof name === 'string' && watchedPath !== undefined)
          this.#try(() => this.#saw(pathOf(watchedPath, name)));
      });
      watcher.on('addDir', (path) => {
        if (this.#isReady) this.#try(() => this.#sawDirectory(path));
      });
    } else {
      for (const event of ['add', 'change', 'unlink'] as const) {
        watcher.on(event, (path) => this.#try(() => this.#saw(path)));
      }
    }
    watcher.on('ready', () => {
      this.#isReady = true;
      this.#try(() => this.#catchUp());
    });
    watcher.on('error', (error) => this.#troubled(error as NodeJS.ErrnoException));
    return watcher;
  }

  /** What happens while a change is looked at must not go up into chokidar. */
  #try(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#options.warn(`a change of a file cannot be looked at: ${adviceOn(error)}`);
    }
  }

  #enters(directory: string): boolean {
    if (this.#isOwn(directory)) return false;
    return [...this.#rules.values()].some((rules) => rules.enters(directory));
  }

  /** A directory is read before it is watched: what changed in between has told nobody. */
  #catchUp(): void {
    const paths = new Set([...this.#met].flatMap((path) => [path, ...namesIn(path).map((name) => join(path, name))]));
    for (const path of paths) {
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats?.isFile() && stats.mtimeMs >= this.#options.since) this.#saw(path);
    }
    this.#met.clear();
  }

  /** A new directory may have got its files before it was watched. */
  #sawDirectory(path: string): void {
    for (const name of namesIn(path)) this.#saw(join(path, name));
  }

  #saw(path: string): void {
    if (basename(path) === '.gitignore') this.#ignores.forget(path);
    if (this.#isOwn(path)) return;
    const tags = [...this.#rules].filter(([, rules]) => rules.matches(path)).map(([tag]) => tag);
    const stats = tags.length === 0 ? undefined : statSync(path, { throwIfNoEntry: false });
    if (tags.length === 0 || stats?.isDirectory() || (stats && isOutput(stats))) return;
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
    this.#options.changed(tag, relative(this.#options.root, first), paths.size);
    for (const go of waiting) go();
  }

  #troubled(error: NodeJS.ErrnoException): void {
    const limit = limits[error.code ?? ''];
    if (limit === undefined) {
      if (error.code !== 'ENOENT') this.#options.warn(`a file cannot be watched: ${adviceOn(error)}`);
      return;
    }
    if (this.#isPolling) return;
    this.#isPolling = true;
    const current = currentOf(limit.file);
    this.#options.warn(
      `the kernel's limit ${limit.name}${current} is reached, so files are looked at every ${pollEvery}ms; to raise it: sudo sysctl ${limit.name}=${limit.better}`,
    );
    const old = this.#watcher;
    this.#isReady = false;
    this.#watcher = this.#open();
    void old.close();
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

/** An event about a watched directory or file itself carries its own name. */
function pathOf(watched: string, name: string): string {
  return basename(watched) === name && !existsSync(join(watched, name)) ? watched : join(watched, name);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // it was there for a moment only
  }
}
