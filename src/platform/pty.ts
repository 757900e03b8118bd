/**
 * A terminal for a service: script(1) of util-linux holds it. Node can make no terminals itself. The program is the child
 * of script, in a session of its own, and tells its pid on what is the standard error output of script, which nothing
 * else is written to but complaints of script. So proclet signals and watches the program, and leaves script alone.
 */
import { readFileSync } from 'node:fs';
import { constants as system } from 'node:os';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import type { Exit } from '../model.js';
import { isOnPath, toolEnv } from '../tools.js';

/** Until somebody attaches a terminal that has another size. */
const firstSize = { rows: 24, columns: 80 };

/** The same program in a terminal of its own; the program alone joins the control group, whose directory may be ''. */
export function inTerminal(
  argv: readonly [string, ...string[]],
  { shell, cgroup }: { readonly shell: string | undefined; readonly cgroup: string },
): [string, ...string[]] {
  const lines = [
    shell === undefined ? 'unset SHELL' : `export SHELL=${word(shell)}`,
    ...(cgroup === '' ? [] : [`{ echo 0 >${word(join(cgroup, 'cgroup.procs'))}; } 2>/dev/null`]),
    '[ -z "$LISTEN_FDS" ] || export LISTEN_PID=$$',
    `stty rows ${firstSize.rows} cols ${firstSize.columns} 2>/dev/null`,
    'echo $$ >/proc/$PPID/fd/2 || exit 126',
    `exec ${argv.map(word).join(' ')}`,
  ];
  return ['env', 'SHELL=/bin/sh', 'script', '-qefc', lines.join('\n'), '/dev/null'];
}

/** Reads the pid of the program from what script writes to its standard error output. Returns the rest of that. */
export function readPid(stream: Readable, found: (pid: number) => void): Readable {
  const rest = new PassThrough();
  let text = '';
  const onData = (chunk: Buffer) => {
    text += chunk.toString('latin1');
    const [, pid, after = ''] = /^(\d+)\n(.*)$/s.exec(text) ?? [];
    if (pid === undefined && /^\d*$/.test(text)) return;
    stream.off('data', onData);
    rest.write(Buffer.from(pid === undefined ? text : after, 'latin1'));
    stream.pipe(rest);
    if (pid !== undefined) found(Number(pid));
  };
  stream.on('data', onData).once('close', () => rest.end());
  return rest;
}

/** How the program ended, by the end of script, which says 128 + n, as a shell does, for signal n. */
export function exitOf(script: Exit): Exit {
  if (script.how === 'signal') return { how: 'hangup', signal: script.signal };
  if (script.how !== 'code' || script.code <= 128) return script;
  const found = Object.entries(system.signals).find(([, number]) => number === script.code - 128);
  return found === undefined ? script : { how: 'signal', signal: found[0] as NodeJS.Signals };
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
  return isOnPath('script', path) ? undefined : 'tty: true needs the program script (Debian: bsdutils)';
}

/** Tells the terminal that a process has how large it is; the kernel tells the programs. */
export async function resizeTerminal(pid: number, size: { columns: number; rows: number }): Promise<void> {
  const path = terminalOf(pid);
  if (path === undefined) return;
  const words = ['rows', String(size.rows), 'cols', String(size.columns)];
  const { execa } = await import('execa');
  await execa('stty', ['-F', path, ...words], { reject: false, stdio: 'ignore', env: toolEnv(), cwd: '/' });
}

/** By field 7 of proc(5), stat: major number 136 and minor number n are /dev/pts/n. */
function terminalOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const device = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[4]);
    const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
    return ((device >>> 8) & 0xfff) === 136 ? `/dev/pts/${minor}` : undefined;
  } catch {
    return undefined; // gone
  }
}
