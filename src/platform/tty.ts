/** The terminal that proclet was started in. */
import { spawnSync } from 'node:child_process';
import { isatty } from 'node:tty';

/** Whether proclet has a terminal on any of its three streams. */
export function hasTerminal(): boolean {
  return isatty(0) || isatty(1) || isatty(2);
}

/**
 * Remembers the terminal's modes and returns what puts them back: a full-screen program that is killed
 * leaves the terminal raw and without echo.
 */
export function keepTerminal(): () => void {
  const fd = [0, 1, 2].find((stream) => isatty(stream));
  if (fd === undefined) return () => {};
  const stty = (...args: string[]) => spawnSync('stty', args, { stdio: [fd, 'pipe', 'ignore'], encoding: 'utf8' });
  const modes = stty('-g').stdout?.trim();
  return () => {
    if (modes) stty(modes);
  };
}
