/** Makes files again that are removed although they are in use. The kernel tells of that, and they are looked at rarely. */
import { type FSWatcher, watch } from 'node:fs';
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';

/** What is to be there. */
export interface Kept {
  isThere(): boolean;
  /** Throws, or rejects, when it cannot be made. */
  remake(): void | Promise<void>;
}

export interface KeepTools {
  readonly clock: Clock;
  /** Everything is there again. */
  readonly remade: () => void;
  /** Something cannot be made; called once until all of it is there again. */
  readonly failed: (error: unknown) => void;
}

/** Also where the kernel tells nothing: the directory was unmounted, or there is no watch left. */
const lookEvery: Millis = 30_000;

/** Whoever removes a directory is to be through with it. */
const settles: Millis = 200;

/** Returns the end of it. The directory is made again by whatever is kept in it. */
export function keepThere(directory: string, kept: readonly Kept[], { clock, remade, failed }: KeepTools): () => void {
  let watcher: FSWatcher | undefined;
  let isOver = false;
  let isTroubled = false;
  let isSoon = false;
  let cancel = () => {};

  const lookIn = (delay: Millis) => {
    cancel();
    cancel = isOver ? () => {} : clock.wakeAt(clock.now() + delay, () => void look());
  };
  const follow = () => {
    watcher?.close();
    watcher = watchOf(directory, () => {
      if (!isSoon) lookIn(settles);
      isSoon = true;
    });
  };
  async function look(): Promise<void> {
    isSoon = false;
    const missing = kept.filter((one) => !one.isThere());
    const troubles: unknown[] = [];
    for (const one of missing) {
      try {
        if (!isOver) await one.remake();
      } catch (error) {
        troubles.push(error);
      }
    }
    if (isOver) return;
    if (missing.length > 0) follow();
    if (troubles.length > 0 && !isTroubled) failed(troubles[0]);
    else if (troubles.length === 0 && missing.length > 0) remade();
    isTroubled = troubles.length > 0;
    if (!isSoon) lookIn(lookEvery);
  }

  follow();
  lookIn(lookEvery);
  return () => {
    isOver = true;
    cancel();
    watcher?.close();
  };
}

function watchOf(directory: string, changed: () => void): FSWatcher | undefined {
  try {
    return watch(directory, { persistent: false }, changed).on('error', () => {});
  } catch {
    return undefined; // ENOENT: it cannot be made. ENOSPC, EMFILE: there is no watch left.
  }
}
