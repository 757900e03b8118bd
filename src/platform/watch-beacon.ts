/**
 * Tells when the kernel has told everything. All watches of a process are one queue (inotify(7): "events are ordered"), so
 * when the news of a file of our own arrives, all that happened before it was touched has arrived too.
 */
import { mkdtempSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
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

/** Throws where there is no place for a file, or no watch left. */
export function openBeacon(clock: Clock): Beacon {
  const directory = mkdtempSync(join(draftDirectory(), `proclet-watch${draftSuffix()}-`));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  const waits = new Set<Wait>();
  let number = 0;
  // Each touch is another name: the kernel makes one event of two that say the same.
  const at = (n: number) => join(directory, String(n));

  const open = () => {
    writeFileSync(at(0), '');
    return watch(directory, (_event, name) => {
      for (const wait of [...waits]) if (wait.number <= Number(name)) wait.go();
    }).on('error', () => {});
  };
  let watcher: ReturnType<typeof open>;
  try {
    watcher = open();
  } catch (error) {
    remove();
    throw error;
  }
  process.once('exit', remove);

  return {
    passed: () =>
      new Promise((resolve) => {
        number += 1;
        const wait: Wait = {
          number,
          go() {
            cancel();
            waits.delete(wait);
            resolve();
          },
        };
        waits.add(wait);
        const cancel = clock.wakeAt(clock.now() + within, wait.go);
        try {
          renameSync(at(number - 1), at(number));
        } catch {
          wait.go(); // ENOENT: whoever tidies up has taken it away
        }
      }),
    close() {
      for (const { go } of [...waits]) go();
      watcher.close();
      process.off('exit', remove);
      remove();
    },
  };
}
