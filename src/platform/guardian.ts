/**
 * The process that survives proclet: when proclet is gone, however it went, it ends what the run started.
 *
 * It is a shell in a session of its own, blocked reading a pipe whose other end only proclet holds, and on which it is
 * told of each life. When that ends it runs Node with a program that goes by the same rules as proclet. The shell needs
 * no other program, so that it does not matter what PATH proclet was started with; and its command line does not name
 * proclet, so that whoever kills by that word does not kill it. If it dies, another one is started.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';
import { searchPath } from '../tools.js';
import { type GuardedLife, wordOf } from './lives.js';
import { guardianMark } from './mark.js';

export interface Guardian {
  /** Also when something else is known of it. */
  born(life: GuardedLife): void;
  /** Nothing is left of the life of this leader. */
  ended(leader: number): void;
  /** Ends the guardian. Only when nothing of the run is left. */
  close(): Promise<void>;
  /** Lets it do its work, as when proclet ends, and resolves when it has done it. */
  release(): Promise<void>;
}

/** What the guardian's program is given as JSON. */
export interface Trust {
  readonly run: string;
  /** The longest time that it gives anything between a signal and KILL. */
  readonly grace: Millis;
  /** The control group of the run, or ''. */
  readonly cgroup: string;
  /** The file that tells `proclet reap` of the run, or ''; removed when nothing is left. */
  readonly record: string;
}

export interface Guarded extends Trust {
  readonly clock: Clock;
  /** Called with what the guardian has to do without, at once or when it cannot be kept alive. */
  readonly onTrouble: (text: string) => void;
}

/** A guardian that dies this soon, this often, will not be started again. */
const tooSoon: Millis = 1_000;
const tooOften = 5;

export const guardianLost = 'the guardian cannot be kept alive: what runs would outlive a kill -9 of proclet';

/** How long the shell tries without Node, in milliseconds of its own count. */
const mostTrying = 10_000;

const programPath = fileURLToPath(new URL('./guardian.cjs', import.meta.url));

export function startGuardian({ clock, onTrouble, ...trust }: Guarded): Guardian {
  const lives = new Map<number, string>();
  const program = openProgram(onTrouble);
  let closing = false;
  let quickDeaths = 0;
  let current = launch();

  function launch() {
    const mark = guardianMark(trust.run);
    const { XDG_RUNTIME_DIR, TMPDIR, PATH } = process.env;
    const child = spawn('/bin/sh', ['-c', script, 'guardian'], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore', program ?? 'ignore'],
      env: {
        ...{ XDG_RUNTIME_DIR, TMPDIR, PATH: searchPath(PATH) },
        ...{ MARK: mark, NODE: program === undefined ? '' : process.execPath },
        ...{ PROCLET_GUARDIAN: mark, PROCLET_GUARDED: JSON.stringify(trust) },
      },
    });
    const born = clock.now();
    child.stdin?.on('error', () => {}); // EPIPE: it died, which 'exit' tells
    const exited = new Promise<void>((resolve) => {
      const gone = () => {
        resolve();
        if (!closing) replace(clock.now() - born);
      };
      child.once('exit', gone);
      child.once('error', gone);
    });
    child.unref();
    for (const word of lives.values()) tell(child, `+ ${word}`);
    return { child, exited };
  }

  function replace(lived: Millis): void {
    quickDeaths = lived < tooSoon ? quickDeaths + 1 : 0;
    try {
      if (quickDeaths < tooOften) current = launch();
      else onTrouble(guardianLost);
    } catch {
      onTrouble(guardianLost); // ENOMEM: no process can be made of it
    }
  }

  function end(by: () => void): Promise<void> {
    closing = true;
    current.child.ref();
    by();
    if (program !== undefined) closeSync(program);
    return current.exited;
  }

  return {
    born(life) {
      const { grace } = life.terms;
      const word = wordOf({ ...life, terms: { ...life.terms, grace: Math.min(grace, trust.grace) } });
      lives.set(life.pid, word);
      tell(current.child, `+ ${word}`);
    },
    ended(leader) {
      if (lives.delete(leader)) tell(current.child, `- ${leader},`);
    },
    close: () => end(() => current.child.kill('SIGKILL')),
    release: () => end(() => current.child.stdin?.end()),
  };
}

function tell({ stdin }: ChildProcess, line: string): void {
  if (stdin?.writable) stdin.write(`${line}\n`);
}

/** Open as long as the run lasts: proclet may be installed anew or removed meanwhile. */
function openProgram(onTrouble: Guarded['onTrouble']): number | undefined {
  try {
    return openSync(programPath, 'r');
  } catch (error) {
    onTrouble(
      `${(error as Error).message}: after a kill -9 of proclet only the process groups of services would be ended; install proclet again`,
    );
    return undefined;
  }
}

/**
 * `lives` has a word for each life, each between two spaces. What Node cannot do, for it is not there any more or there
 * is no memory for it, is done for process groups alone, by the first six parts of each word (see lives.ts); the record
 * stays for `proclet reap`. `told` has the pids of the lives of which everything was asked to end.
 */
const script = `
trap '' HUP INT TERM QUIT USR1 USR2 TSTP
{ ulimit -S -w "$MARK" || ulimit -S -x "$MARK"; } 2>/dev/null
lives=' '
while read -r change life; do
  pid=\${life%%,*}
  case $lives in *" $pid,"*)
    rest=\${lives#*" $pid,"}
    lives="\${lives%%" $pid,"*} \${rest#* }";;
  esac
  [ "$change" != + ] || lives="$lives$life "
done
exec 2>/dev/null
[ -z "$NODE" ] || ! LIVES=$lives "$NODE" - <&3 || exit 0
set -f
each() {
  for life in $lives; do
    IFS=,
    set -- "$act" $life
    unset IFS
    [ "$3" != group ] || "$@"
  done
}
ask() {
  case $5 in
    leader) kill -s "$4" "$3"; kill -s CONT "$3";;
    tree) tell "$@";;
  esac
}
tell() {
  kill -s "$4" -- "-$3"
  kill -s CONT -- "-$3"
  told="$told$1 "
}
end() {
  kill -s 0 -- "-$3" || kill -s 0 -- "-$1" || return
  left=1
  if [ $passed -ge $6 ]; then
    kill -s KILL -- "-$3" "-$1"
  else case $5$told in
    leader*" $1 "*|rest*" $1 "*|tree*|nobody*) ;;
    *) kill -s 0 "$3" && [ $passed -lt $(($6 * 4 / 5)) ] || tell "$@";;
  esac; fi
}
told=' ' passed=0 left=1 act=ask
each
act=end
while [ -n "$left" ] && [ $passed -le ${mostTrying} ]; do
  left=
  each
  sleep 0.1 || sleep 1
  passed=$((passed + 100))
done
`;
