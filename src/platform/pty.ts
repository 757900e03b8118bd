/**
 * A terminal for a service: script(1) of util-linux holds it, passes on what it is sent, and ends with the program's
 * status. Node can make no terminals itself.
 */
import { accessSync, constants, readlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { toolEnv } from '../tools.js';

/** The same program in a terminal of its own. */
export function inTerminal(argv: readonly [string, ...string[]], shell: string | undefined): [string, ...string[]] {
  const own = shell === undefined ? 'unset SHELL' : `export SHELL=${word(shell)}`;
  return ['env', 'SHELL=/bin/sh', 'script', '-qefc', `${own}; exec ${argv.map(word).join(' ')}`, '/dev/null'];
}

/** A text as one word of a POSIX shell. */
function word(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** What a shell searches when there is no PATH. */
const defaultPath = '/usr/local/bin:/usr/bin:/bin';

/** What keeps this machine from giving a service a terminal. */
export function terminalTrouble(path = defaultPath): string | undefined {
  if (process.platform !== 'linux') return 'tty: true is for Linux only, so far';
  const isThere = path.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, 'script'), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  return isThere ? undefined : 'tty: true needs the program script (Debian: bsdutils)';
}

/** Tells the terminal that one of the processes has as its input how large it is; the kernel tells the programs. */
export async function resizeTerminal(pids: readonly number[], size: { columns: number; rows: number }): Promise<void> {
  const terminals = new Set(pids.flatMap(terminalOf));
  for (const path of terminals) {
    const words = ['rows', String(size.rows), 'cols', String(size.columns)];
    await execa('stty', ['-F', path, ...words], { reject: false, stdio: 'ignore', env: toolEnv() });
  }
}

function terminalOf(pid: number): string[] {
  try {
    const path = readlinkSync(`/proc/${pid}/fd/0`);
    return /^\/dev\/pts\/\d+$/.test(path) ? [path] : [];
  } catch {
    return []; // gone, or not ours to look at
  }
}
