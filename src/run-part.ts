/**
 * How a run gets its configuration: the first one at its start, another one at each HUP or `scale`, by the same function.
 * Each part of a run first makes ready what it needs, which may fail, and then takes it over, which may not. So a
 * configuration is carried out whole or changes nothing, and no part is looked up "once, at the start".
 */
import { isDeepStrictEqual } from 'node:util';
import { throwLater } from './errors.js';

/** What a part has made ready. Exactly one of the two is called, once; neither throws. */
export interface Prepared {
  /** The configuration holds from now on: uses what is new and gives back what is old. */
  take(): void | Promise<void>;
  /** The configuration is refused: gives back what is new. */
  drop?(): void | Promise<void>;
}

/** A part of a run that follows from its configuration. */
export interface RunPart<C> {
  /** Makes ready what this configuration needs, beside what is in use. Throws what keeps a run from having it. */
  prepare(next: C): Prepared | Promise<Prepared>;
}

/**
 * Gives a run this configuration: all parts take it over, in their order, or none does.
 * @param assertWanted throws if meanwhile the run wants no configuration any more
 */
export async function configure<C>(
  parts: readonly RunPart<C>[],
  next: C,
  assertWanted: () => void = () => {},
): Promise<void> {
  const prepared: Prepared[] = [];
  try {
    for (const part of parts) prepared.push(await part.prepare(next));
    assertWanted();
  } catch (error) {
    for (const each of prepared.reverse()) await each.drop?.();
    throw error;
  }
  for (const each of prepared) {
    try {
      await each.take();
    } catch (error) {
      throwLater(error); // the others have taken theirs, or are going to
    }
  }
}

/** The same part for a run whose configuration has more to it. */
export function partOf<C, D>(part: RunPart<D>, select: (configuration: C) => D): RunPart<C> {
  return { prepare: (next) => part.prepare(select(next)) };
}

/** What is there while a configuration says so. */
export interface Opened {
  /** It holds from now on. Whatever it replaces has ended. */
  begin?(): void | Promise<void>;
  end(): void | Promise<void>;
}

/** A part that is one thing, there for a value and made anew for another; `undefined` is nothing. */
export interface SinglePart<C> extends RunPart<C> {
  close(): Promise<void>;
}

/** `open` throws what keeps a run from having it, and changes nothing that the one in use needs. */
export function singlePart<C, V>(
  select: (configuration: C) => V | undefined,
  open: (value: V) => Opened | Promise<Opened>,
): SinglePart<C> {
  let current: { readonly value: V; readonly opened: Opened } | undefined;
  return {
    async prepare(next) {
      const value = select(next);
      if (isDeepStrictEqual(value, current?.value)) return { take() {} };
      const opened = value === undefined ? undefined : await open(value);
      return {
        async take() {
          await current?.opened.end();
          current = value === undefined || opened === undefined ? undefined : { value, opened };
          await opened?.begin?.();
        },
        drop: () => opened?.end(),
      };
    },
    async close() {
      await current?.opened.end();
      current = undefined;
    },
  };
}
