/** The terminal that proclet was started in. */
import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import { execa } from 'execa';
import { toolEnv } from '../tools.js';

/**
 * Remembers the modes of the terminal on proclet's streams and answers what puts them back: a full-screen
 * program that is killed leaves the terminal raw and without echo. Undefined when there is no terminal.
 */
export async function keepTerminal(): Promise<(() => Promise<void>) | undefined> {
  if (![0, 1, 2].some(isatty)) return undefined;
  const options = { stdin: 'inherit', stderr: 'ignore', reject: false, env: toolEnv() } as const;
  const { stdout: modes } = isatty(0) ? await execa('stty', ['-g'], options) : {};
  return async () => {
    if (modes) await execa('stty', [modes], options);
  };
}

/**
 * Hears keys one by one, with Ctrl-C and Ctrl-Z still being signals, and answers what puts the terminal back. Undefined
 * when proclet is not in front of a terminal. Nothing is heard while it is in the background.
 */
export async function hearKeys(heard: (key: string) => void): Promise<(() => Promise<void>) | undefined> {
  const { stdin } = process;
  if (!stdin.isTTY || !process.stdout.isTTY) return undefined;
  const restore = await keepTerminal();
  const cbreak = () =>
    execa('stty', ['-icanon', '-echo', 'min', '1'], { stdin: 'inherit', reject: false, env: toolEnv() });
  // A job in the background may not touch the terminal: stty would be stopped, and we would wait for it.
  if (restore === undefined || !isForeground()) return undefined;
  const onData = (chunk: Buffer) => {
    for (const key of chunk.toString('utf8')) heard(key);
  };
  const onContinue = () => void (isForeground() && cbreak());
  // Not every shell puts its terminal right when a job stops.
  const onStop = () => void restore().finally(() => process.kill(process.pid, 'SIGSTOP'));
  process.on('SIGCONT', onContinue).on('SIGTSTP', onStop);
  await cbreak();
  stdin.on('data', onData).on('error', () => {});
  stdin.unref();
  return async () => {
    process.off('SIGCONT', onContinue).off('SIGTSTP', onStop);
    stdin.off('data', onData).pause();
    if (isForeground()) await restore();
  };
}

/** proc(5): fields 5 and 8 of stat are the process group, and that of the terminal's foreground. */
function isForeground(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[2] === fields[5];
  } catch {
    return true; // not Linux
  }
}
