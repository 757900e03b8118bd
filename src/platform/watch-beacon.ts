/**
 * Tells when the kernel has told everything. All watches of a process are one queue (inotify(7): "events are ordered"), so
 * when the news of a file of our own arrives, all that happened before it was touched has arrived too.
 */
import { type FSWatcher, mkdtempSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';
import { draftSuffix } from './maker.js';
import { draftDirectory } from './runtime-dir.js';

export interface Beacon {
  /** Resolves when all that happened before the call was told, after `within` at the latest. */
  passed(): Promise<void>;
  close(): void;
}

/** Somebody waits: where a second does not do, a minute would not. */
const within: Millis = 1_000;

interface Wait {
  readonly number: number;
  readonly go: () => void;
}

interface Light {
  readonly directory: string;
  readonly watcher: FSWatcher;
}

/** Throws where there is no place for a file, or no watch left. */
export function openBeacon(clock: Clock): Beacon {
  const waits = new Set<Wait>();
  let number = 0;
  /** Each touch is another name: the kernel makes one event of two that say the same. */
  const light = (): Light => {
    const directory = mkdtempSync(join(draftDirectory(), `proclet-watch${draftSuffix()}-`));
    try {
      writeFileSync(join(directory, String(number)), '');
      const watcher = watch(directory, (_event, name) => {
        for (const wait of [...waits]) if (wait.number <= Number(name)) wait.go();
      });
      return { directory, watcher: watcher.on('error', () => {}) };
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  };
  let current = light();
  const putOut = () => {
    current.watcher.close();
    rmSync(current.directory, { recursive: true, force: true });
  };
  const touch = () => {
    renameSync(join(current.directory, String(number)), join(current.directory, String(number + 1)));
    number += 1;
  };
  const touchOrLightAgain = () => {
    try {
      touch();
    } catch {
      putOut(); // ENOENT: whoever tidies up has taken it away
      current = light();
      touch();
    }
  };
  process.once('exit', putOut);

  return {
    passed: () =>
      new Promise((resolve) => {
        const wait: Wait = {
          number: number + 1,
          go() {
            cancel();
            waits.delete(wait);
            resolve();
          },
        };
        waits.add(wait);
        const cancel = clock.wakeAt(clock.now() + within, wait.go);
        try {
          touchOrLightAgain();
        } catch {
          wait.go(); // EACCES, ENOSPC: there is no place for it any more
        }
      }),
    close() {
      for (const { go } of [...waits]) go();
      process.off('exit', putOut);
      putOut();
    },
  };
}
