/** Gives a run the configuration that its files have by now, one time after the other. */
import { type Configuration, withColors } from './configuration.js';
import { ProcletError } from './errors.js';
import type { Tag } from './model.js';
import { configure, type RunPart } from './run-part.js';
import type { Run } from './supervision.js';

/** Reads the project again: with these numbers of instances instead of those it had, and the places that services have. */
export type Reread = (
  counts: Readonly<Record<Tag, number>>,
  places: ReadonlyMap<Tag, number>,
) => Promise<Configuration>;

/**
 * Reads the project again: as it is, with one instance more or less of the first service, or with these numbers. One
 * after the other, each upon what the one before has made.
 */
export function createReader(run: Run, parts: readonly RunPart<Configuration>[], reread: Reread | undefined) {
  let counts: Readonly<Record<Tag, number>> = {};
  let last: Promise<unknown> = Promise.resolve();
  const assertRunning = () => {
    if (run.supervisor.isEnding) throw new ProcletError('NOT_RUNNING', 'proclet is ending');
  };
  const read = async (wanted: () => Readonly<Record<Tag, number>>) => {
    assertRunning();
    if (reread === undefined) throw new ProcletError('REFUSED', 'this run has no files to read again');
    const next = { ...counts, ...wanted() };
    const places = new Map(run.plan().services.map((service) => [service.tag, service.position]));
    await configure(parts, withColors(await reread(next, places)), assertRunning);
    counts = next;
  };
  const enqueue = (wanted: () => Readonly<Record<Tag, number>>): Promise<void> => {
    const done = last.then(() => read(wanted));
    last = done.catch(() => {});
    return done;
  };
  const stepped = (step: number): Readonly<Record<Tag, number>> => {
    const [first] = run.plan().services;
    return step === 0 || !first ? {} : { [first.tag]: Math.max(1, first.instances.length + step) };
  };
  return {
    /** The first one; what is asked meanwhile follows it. */
    begin(first: Configuration): Promise<void> {
      const begun = configure(parts, first);
      last = begun.catch(() => {});
      return begun;
    },
    async configure(step = 0): Promise<void> {
      await enqueue(() => stepped(step)).catch((error: Error) => {
        if (!run.supervisor.isEnding)
          run.supervisor.notice(`the configuration was not read again, and nothing changed:\n${error.message}`);
      });
    },
    scale: (wanted: Readonly<Record<Tag, number>>) => enqueue(() => wanted),
    /** Resolves when nothing is being read. */
    settled: () => last,
  };
}
