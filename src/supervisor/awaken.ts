/** What an access means for a service that sleeps, starts, or is out of date. */
import type { Happening, Tag } from '../model.js';
import type { Lineup } from './lineup.js';
import type { Reloads } from './reloads.js';
import type { Roster } from './roster.js';
import type { Wakers } from './wakers.js';

export interface AwakenParts {
  readonly roster: Roster;
  readonly lineup: Lineup;
  readonly reloads: Reloads;
  readonly wakers: Wakers;
  readonly isEnding: boolean;
  tell(event: Happening): void;
  /** What is wanted changed. */
  rest(): void;
}

/** Resolves when there is an instance for the access, rejects when there will be none. */
export function awaken(tag: Tag, { roster, lineup, reloads, wakers, isEnding, ...acts }: AwakenParts): Promise<void> {
  const isComing = reloads.freshen(tag);
  if (!isComing && roster.upOf(tag).length > 0) return Promise.resolve();
  if (isEnding) return Promise.reject(new Error('proclet is ending'));
  const waiting = wakers.waitFor(tag);
  if (!roster.isBusy(tag) && !lineup.wants(tag)) {
    acts.tell({ type: 'woken', tag });
    lineup.want(tag);
  } else if (roster.has(tag, 'stopping') && !isComing) lineup.want(tag);
  acts.rest();
  return waiting;
}
