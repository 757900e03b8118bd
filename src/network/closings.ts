/**
 * Every TCP connection to some ports, told at the moment when it ends and however it ends: the kernel announces each
 * socket that it destroys, with what it carried, and `ss --events` prints that. The tables in /proc know nothing of a
 * connection that was reset, or closed first by a client on another machine.
 *
 * `ss` buffers what it writes into a pipe, so `stdbuf` starts it; a shell beside it ends it when our end of its
 * stdin is closed, by whatever: proclet may be killed. Its own session keeps a terminal's Ctrl-C away from it.
 * Without `ss` or `stdbuf` nothing is told, and `isOn` says so.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { toolEnv } from '../tools.js';
import { parseTallies, portFilter, type Tally } from './tallies.js';

export interface Closings {
  /** Whether what ends now will be told. */
  readonly isOn: boolean;
  /** Tells of these ports from here on. */
  follow(ports: readonly number[]): void;
  close(): void;
}

const script =
  'exec 3<&0; stdbuf -oL ss -EtniHO "$@" 3<&- </dev/null & pid=$!; exec >/dev/null; read -r _ <&3; kill $pid';

/** Of a great many at once only the last are looked at: any of them renews. */
const mostLines = 200;

/** How often in a row it may end by itself before we do without it. */
const mostFailures = 3;

export function followClosings(heard: (tallies: ReadonlyMap<string, Tally>) => void): Closings {
  let followed = '';
  let current: ChildProcess | undefined;
  let failures = 0;

  /** Undefined when it cannot be started. */
  function start(ports: readonly number[]): ChildProcess | undefined {
    try {
      const child = begin(ports);
      if (child !== undefined) return child;
    } catch {
      // E2BIG, ENOMEM: what Node does not tell by an event
    }
    failures += 1;
    return undefined;
  }

  function begin(ports: readonly number[]): ChildProcess | undefined {
    const child = spawn('/bin/sh', ['-c', script, 'sh', ...portFilter(ports)], {
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
      cwd: '/',
      env: toolEnv(),
    });
    child.on('error', () => {}); // ENOENT: its output is then closed, too
    // There are none when no descriptor was left for them.
    if (!child.stdout || !child.stdin) return undefined;
    let rest = '';
    child.stdout.setEncoding('latin1').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      failures = 0;
      heard(parseTallies(lines.slice(-mostLines).join('\n')));
    });
    // Its output ends when `ss` does; the shell is still there.
    child.stdout.on('close', () => {
      stop(child);
      if (child !== current) return;
      current = undefined;
      failures += 1;
    });
    child.stdin.on('error', () => {}); // EPIPE: it is gone
    child.unref();
    return child;
  }

  return {
    get isOn() {
      return current !== undefined;
    },
    follow(ports) {
      const wanted = ports.join(' ');
      if (wanted === followed && (current !== undefined || failures >= mostFailures)) return;
      const before = current;
      followed = wanted;
      current = ports.length === 0 ? undefined : start(ports);
      // The next one hears already, and hearing twice of one end does no harm.
      if (before) stop(before);
    },
    close() {
      if (current) stop(current);
      current = undefined;
      followed = '';
    },
  };
}

function stop(child: ChildProcess): void {
  child.stdin?.destroy();
}
