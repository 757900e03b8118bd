/**
 * A descriptor that is kept for the moment when no other can be had. What a run has to end is found by reading files of
 * the kernel, and a run that is out of descriptors must be able to end: so it gives this one away for the time of a reading.
 */
import { closeSync, openSync } from 'node:fs';

let spare: number | undefined;

/** Puts one by, unless there is one, or none to be had. */
export function keepSpareDescriptor(): void {
  try {
    spare ??= openSync('/dev/null', 'r');
  } catch {
    // EMFILE: the next time
  }
}

/** Does something that opens one file at a time and closes it again; with the spare descriptor, if there is no other. */
export function withSpareDescriptor<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE' || spare === undefined) throw error;
    closeSync(spare);
    spare = undefined;
    try {
      return act();
    } finally {
      keepSpareDescriptor();
    }
  }
}

/** Whether a file of the kernel could not be read because what it is about is gone, or another user's. */
export function isGoneOrForeign(error: unknown): boolean {
  return ['ENOENT', 'ESRCH', 'ENODEV', 'ENOTDIR', 'EACCES', 'EPERM'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );
}
