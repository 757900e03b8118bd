/**
 * Changes as chokidar tells them: on every system but Linux, whose kernel queues its events in an order that
 * `watch-tree.ts` relies on. chokidar knows what each of the other systems needs, and polls where it is asked to.
 *
 * Events have no certain order here, so that nobody can tell when everything was told: `caughtUp` waits until all is
 * watched and what was received is delivered.
 */
import { statSync } from 'node:fs';
import { watch } from 'chokidar';
import type { Millis } from '../model.js';
import type { Source, SourceOptions } from './watch-source.js';

/** `poll`: how often to look at every file; 0 where the system is to tell. */
export function watchByLibrary(
  { clock, tops, since, enters, matches, saw, met, troubled }: SourceOptions,
  poll: Millis,
): Source {
  let isReady = false;
  let end = () => {};
  const ready = new Promise<void>((resolve) => {
    end = resolve;
  });
  const watcher = withoutVariables(() =>
    watch([...tops], {
      usePolling: poll > 0,
      ...(poll > 0 && { interval: poll }),
      ignored: (path, stats) => stats !== undefined && (stats.isDirectory() ? !enters(path) : !matches(path)),
    }),
  );
  const see = (path: string) => {
    if (!isReady) met(path);
    // While it looks for the first time it tells of every file: those that changed since count.
    const mtime = isReady ? Infinity : (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity);
    if (mtime >= since) saw(path, path);
  };
  for (const event of ['add', 'change', 'unlink'] as const) watcher.on(event, see);
  watcher.on('ready', () => {
    isReady = true;
    end();
  });
  watcher.on('error', troubled);
  return {
    async caughtUp() {
      await ready;
      await new Promise<void>((resolve) => void clock.wakeAt(clock.now(), resolve));
    },
    close() {
      end();
      void watcher.close();
    },
  };
}

/** chokidar lets variables of the environment overrule its options: those are of another program, not of proclet. */
function withoutVariables<T>(act: () => T): T {
  const names = ['CHOKIDAR_USEPOLLING', 'CHOKIDAR_INTERVAL'];
  const before = names.map((name) => process.env[name]);
  for (const name of names) delete process.env[name];
  try {
    return act();
  } finally {
    names.forEach((name, n) => {
      if (before[n] !== undefined) process.env[name] = before[n];
    });
  }
}
