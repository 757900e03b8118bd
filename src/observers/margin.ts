/** What stands before every row: `12:23:16 web.1    | `. Bytes, ready to print; made once a second and name. */
import type { Bytes, InstanceId, Tag } from '../model.js';
import { toBytes } from './bytes.js';
import type { Paint, Palette } from './palette.js';

/** The name under which proclet speaks. */
export const ownName = 'proclet';

export interface MarginOptions {
  /** Every name that will appear, for the width of the column. */
  readonly ids: readonly InstanceId[];
  /** Position of each tag among the Procfile's entries. */
  readonly positions: ReadonlyMap<Tag, number>;
  readonly timestamp: boolean;
  readonly palette: Palette;
  readonly time: (at: number) => string;
}

/** The margin of a name at a moment. */
export type Margin = (name: InstanceId | typeof ownName, at: number) => Bytes;

export function createMargin({ ids, positions, timestamp, palette, time }: MarginOptions): Margin {
  const width = Math.max(ownName.length, ...ids.map((id) => id.length));
  const made = new Map<string, Bytes>();
  let second = Number.NaN;
  let clock = '';

  return (name, at) => {
    const nowSecond = Math.floor(at / 1000);
    if (timestamp && nowSecond !== second) {
      second = nowSecond;
      clock = `${time(at)} `;
      made.clear();
    }
    const ready = made.get(name);
    if (ready !== undefined) return ready;
    const paint: Paint = name === ownName ? palette.own : palette.service(positions.get(tagOf(name)) ?? 0);
    const margin = toBytes(`${paint(`${clock}${name.padEnd(width)} |`)} `);
    made.set(name, margin);
    return margin;
  };
}

export function tagOf(id: InstanceId): Tag {
  const dot = id.lastIndexOf('.');
  return dot < 0 ? id : id.slice(0, dot);
}

/** Local time of day, as in `12:23:16`. */
export function timeOfDay(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':');
}
