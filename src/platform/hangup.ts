/** Whether a SIGHUP means that the terminal is gone, or that somebody asks for a reload; and that it went without one. */
import { closeSync, openSync } from 'node:fs';
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';

/** The terminal that proclet was started on, if any. */
export interface ControllingTerminal {
  /** Whether there was one. */
  readonly isOurs: boolean;
  /** Whether it was closed since. */
  isGone(): boolean;
}

export function watchTerminal(): ControllingTerminal {
  const isOurs = look() === 'there';
  return { isOurs, isGone: () => isOurs && look() === 'none' };
}

/** How often it is looked at. */
const lookEvery: Millis = 1_000;

/**
 * Calls back once, when the terminal was closed. The kernel tells what is in front alone, and a shell that ends by `exit`
 * tells its jobs in the background nothing. Returns the end of the watch.
 */
export function whenGone(terminal: ControllingTerminal, clock: Clock, gone: () => void): () => void {
  if (!terminal.isOurs) return () => {};
  let cancel = () => {};
  const again = () => {
    cancel = clock.wakeAt(clock.now() + lookEvery, () => (terminal.isGone() ? gone() : again()));
  };
  again();
  return () => cancel();
}

/** ENXIO: there is none. EIO: it was hung up. Whatever else keeps proclet from opening it says nothing about it. */
function look(): 'there' | 'none' | 'unknown' {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return 'there';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENXIO' || code === 'EIO' ? 'none' : 'unknown';
  }
}
