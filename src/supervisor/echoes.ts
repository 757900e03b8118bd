/**
 * Changes that a service seems to make itself: they come while it is still starting, time after time. A reload for each
 * would be one after the other for ever; so they are told once, and wait longer and longer.
 */
import { dirname } from 'node:path';
import { formatDuration } from '../duration.js';
import type { Millis, Tag } from '../model.js';

/** So soon after a life began, nobody has seen yet what it does. */
const soon: Millis = 1_000;

/** So many in a row are no chance. */
const many = 5;

/** How long the next ones wait. */
const delays: readonly Millis[] = [1_000, 2_000, 5_000];

interface Row {
  /** The life that was counted last. */
  life: number;
  count: number;
  readonly paths: Set<string>;
  isTold: boolean;
}

export interface Weighed {
  /** How long the reload is to wait. */
  readonly delay: Millis;
  /** It is the first time that one waits. */
  readonly isNews: boolean;
}

/** The longest that a change waits. */
export const longestDelay: Millis = Math.max(...delays);

export class Echoes {
  readonly #rows = new Map<Tag, Row>();

  /**
   * @param life the number of the service's last life: several changes during one are one
   * @param isEarly whether it comes during a start: see `isEarly` below
   */
  weigh(tag: Tag, path: string, life: number, isEarly: boolean): Weighed {
    const row = this.#rows.get(tag) ?? { life: -1, count: 0, paths: new Set(), isTold: false };
    this.#rows.set(tag, row);
    if (!isEarly) {
      // Who was told and goes on like that need not be found out again.
      row.count = row.isTold ? many - 1 : 0;
      if (!row.isTold) row.paths.clear();
      return { delay: 0, isNews: false };
    }
    // Somebody saves another file meanwhile.
    if (row.count >= many && !row.paths.has(dirname(path))) return { delay: 0, isNews: false };
    if (row.life !== life) row.count += 1;
    row.life = life;
    row.paths.add(dirname(path));
    if (row.count < many) return { delay: 0, isNews: false };
    const isNews = !row.isTold;
    row.isTold = true;
    return { delay: delays[Math.min(row.count - many, delays.length - 1)] ?? longestDelay, isNews };
  }
}

/** Whether a change comes so soon after a life began, or was to begin, that it may be of its making. */
export function isEarly(now: Millis, isStarting: boolean, began: readonly Millis[]): boolean {
  return isStarting || began.some((at) => now - at < soon);
}

/** Says it to people. */
export function echoSentence(tag: Tag, path: string, isLazy: boolean): string {
  const waits = isLazy ? '' : `, and the next such changes wait up to ${formatDuration(longestDelay)}`;
  return `${tag}: ${path} changed again and again just when ${tag} started, so ${tag} may write it itself${waits}; to ignore it, watch '!${path}' too: watch: [..., '!${path}']`;
}
