/** Watches the files that a plan says, from the moment its services begin. Few plans say any, and only those load chokidar. */
import { isDeepStrictEqual } from 'node:util';
import type { Plan, Tag } from '../model.js';
import type { Clock } from '../ports.js';
import type { RunPart } from '../run-part.js';
import { describeTrouble } from '../system-error.js';
import type { Watcher, WatchOptions } from './watch.js';

/** A plan, and the files that its run writes for its user. */
export type WatchedPlan = Pick<Plan, 'root' | 'services'> & { readonly own: readonly string[] };

export interface Watching extends RunPart<WatchedPlan>, Watcher {}

type Watched = Pick<WatchOptions, 'root' | 'patterns' | 'own'>;

export function createWatching(clock: Clock, tell: Pick<WatchOptions, 'changed' | 'warn'>): Watching {
  let watched: Watched | undefined;
  let watcher: Watcher | undefined;
  let isClosed = false;

  const open = async (next: Watched, since: number) => {
    const { watchFiles } = await import('./watch.js');
    try {
      return watchFiles({ ...next, ...tell, clock, since });
    } catch (error) {
      tell.warn(`no change of a file will be seen until the configuration is read again: ${describeTrouble(error)}`);
      return undefined;
    }
  };

  return {
    prepare(plan) {
      const since = clock.wall();
      const next = watchedIn(plan);
      return {
        async take() {
          if (isDeepStrictEqual(next, watched)) return;
          watched = next;
          const opened = next && (await open(next, since));
          await watcher?.close();
          watcher = opened;
          if (isClosed) await opened?.close();
        },
      };
    },
    settled: async (tag) => watcher?.settled(tag),
    async close() {
      isClosed = true;
      await watcher?.close();
    },
  };
}

function watchedIn({ root, services, own }: WatchedPlan): Watched | undefined {
  const patterns = new Map<Tag, readonly string[]>();
  for (const { tag, watch } of services) if (watch.length > 0) patterns.set(tag, watch);
  return patterns.size === 0 ? undefined : { root, patterns, own };
}
