/** The terminal that proclet was started in. */
import { isatty } from 'node:tty';
import { execa } from 'execa';

/**
 * Remembers the modes of the terminal on proclet's streams and answers what puts them back: a full-screen
 * program that is killed leaves the terminal raw and without echo. Undefined when there is no terminal.
 */
export async function keepTerminal(): Promise<(() => Promise<void>) | undefined> {
  if (![0, 1, 2].some(isatty)) return undefined;
  const options = { stdin: 'inherit', stderr: 'ignore', reject: false } as const;
  const { stdout: modes } = isatty(0) ? await execa('stty', ['-g'], options) : {};
  return async () => {
    if (modes) await execa('stty', [modes], options);
  };
}
