/**
 * A value for every service with exceptions by tag: `all=1,web=2`, `30m,web=2h`. Owns that notation. Whether
 * a tag exists is checked where the Procfile is known.
 */

import { splitOutsideBraces } from '../braces.js';
import type { PerTag, Tag } from '../model.js';
import { quote } from '../quote.js';
import { lookUp, toRecord } from '../record.js';
import { bad, good, type Reading, splitList } from './reading.js';

export interface PerTagNotation<T> {
  readonly read: (text: string) => Reading<T>;
  /** Whether `30m` alone may stand for `all=30m`. */
  readonly bare: 'allowed' | 'refused';
  readonly example: string;
}

/** The values, or why the text has none. The same tag twice is a mistake: one of the two would be ignored. */
export function readPerTag<T>(text: string, { read, bare, example }: PerTagNotation<T>): Reading<PerTag<T>> {
  const values = new Map<Tag, T>();
  for (const item of splitList(text)) {
    const [, tag, written = item] = /^([^=]*?)\s*=\s*(.*)$/s.exec(item) ?? [];
    if (tag === undefined && bare === 'refused') return bad(`${quote(item)} is not tag=number; write ${example}`);
    const key = tag ?? EVERY;
    if (key === '') return bad(`${quote(item)} has no tag before the =; write ${example}`);
    if (values.has(key)) return bad(`${key === EVERY ? 'every service' : quote(key)} is given twice`);
    const value = read(written);
    if (!value.ok) return value;
    values.set(key, value.value);
  }
  const tags = toRecord([...values].filter(([key]) => key !== EVERY));
  const all = values.get(EVERY);
  return good(all === undefined ? { tags } : { all, tags });
}

/** Lists: `lib,web=templates,web=*.css` is `lib` for every service but web, which has two of its own. */
export function readListPerTag(text: string): Reading<PerTag<readonly string[]>> {
  const lists = new Map<Tag, string[]>();
  for (const item of splitOutsideBraces(text).map((each) => each.trim())) {
    if (item === '') continue;
    const [, tag = EVERY, value = item] = /^([A-Za-z0-9_-]+)=(.+)$/s.exec(item) ?? [];
    lists.set(tag, [...(lists.get(tag) ?? []), value]);
  }
  const tags = toRecord([...lists].filter(([key]) => key !== EVERY));
  const all = lists.get(EVERY);
  return good(all === undefined ? { tags } : { all, tags });
}

/**
 * What holds for one service: asked for by its tag, else asked for all, else what its configuration says
 * (`own`), else a file's default, else undefined.
 */
export function valueFor<T>(values: PerTag<T>, tag: Tag, own: T | undefined): T | undefined {
  return lookUp(values.tags, tag) ?? values.all ?? own ?? values.otherwise;
}

/** The same values from a file's defaults: what is for all yields to what a service says itself. */
export function asDefaults<T>({ all, tags }: PerTag<T>): PerTag<T> {
  return all === undefined ? { tags } : { otherwise: all, tags };
}

const EVERY = 'all';
