/** Watches the files that a plan says, from the moment its services begin. Few plans say any, and only those load what does it. */
import { isDeepStrictEqual } from 'node:util';
import type { Millis, Plan, Tag } from '../model.js';
import type { Clock } from '../ports.js';
import type { RunPart } from '../run-part.js';
import { describeTrouble } from '../system-error.js';
import type { Watcher, WatchOptions } from './watch.js';

/** A plan, and the files that its run writes for its user. */
export type WatchedPlan = Pick<Plan, 'root' | 'services'> & { readonly own: readonly string[] };

export interface Watching extends RunPart<WatchedPlan>, Watcher {}

type Watched = Pick<WatchOptions, 'root' | 'patterns' | 'own' | 'poll'>;

export function createWatching(clock: Clock, tell: Pick<WatchOptions, 'changed' | 'warn'>): Watching {
  let watched: readonly Watched[] = [];
  let watchers: readonly Watcher[] = [];
  let isClosed = false;

  const open = async (next: readonly Watched[], since: number): Promise<readonly Watcher[]> => {
    if (next.length === 0) return [];
    const { watchFiles } = await import('./watch.js');
    try {
      return next.map((each) => watchFiles({ ...each, ...tell, clock, since }));
    } catch (error) {
      tell.warn(`no change of a file will be seen until the configuration is read again: ${describeTrouble(error)}`);
      return [];
    }
  };
  const close = async (each: readonly Watcher[]) => void (await Promise.all(each.map((watcher) => watcher.close())));

  return {
    prepare(plan) {
      const since = clock.wall();
      const next = watchedIn(plan);
      return {
        async take() {
          if (isDeepStrictEqual(next, watched)) return;
          watched = next;
          const opened = await open(next, since);
          await close(watchers);
          watchers = opened;
          if (isClosed) await close(opened);
        },
      };
    },
    settled: async (tag) => void (await Promise.all(watchers.map((watcher) => watcher.settled(tag)))),
    async close() {
      isClosed = true;
      await close(watchers);
    },
  };
}

/** One for the services whose files the kernel tells of, and one for each interval at which others are looked at. */
function watchedIn({ root, services, own }: WatchedPlan): readonly Watched[] {
  const byPoll = new Map<Millis, Map<Tag, readonly string[]>>();
  for (const { tag, watch, watchPoll = 0 } of services) {
    if (watch.length > 0) byPoll.set(watchPoll, (byPoll.get(watchPoll) ?? new Map()).set(tag, watch));
  }
  return [...byPoll].map(([poll, patterns]) => ({ root, patterns, own, poll }));
}
