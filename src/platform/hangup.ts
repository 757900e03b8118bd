/** Whether a SIGHUP means that the terminal is gone, or that somebody asks for a reload. */
import { closeSync, openSync } from 'node:fs';

/** The terminal that proclet was started on, if any. */
export interface ControllingTerminal {
  /** Whether there was one. */
  readonly isOurs: boolean;
  /** Whether it was closed since. */
  isGone(): boolean;
}

export function watchTerminal(): ControllingTerminal {
  const isOurs = canOpen();
  return { isOurs, isGone: () => isOurs && !canOpen() };
}

/** ENXIO: there is none. EIO: it was hung up. */
function canOpen(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
