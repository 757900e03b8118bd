/**
 * The process that survives proclet: when proclet is gone, however it went, it ends what the run started.
 *
 * It is a shell in a session of its own, blocked reading a pipe whose other end only proclet holds. It needs
 * to know nothing but the run, because everything the run starts carries the run's mark, so there is no list
 * to keep up to date. If it dies, another one is started.
 */
import { spawn } from 'node:child_process';
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';
import { guardianMark } from './mark.js';
import { limitsCarryMarks } from './process-table.js';

export interface Guardian {
  /** Ends the guardian. Only when nothing of the run is left. */
  close(): Promise<void>;
}

export interface Guarded {
  readonly clock: Clock;
  readonly run: string;
  /** Between TERM and KILL, should it come to that. */
  readonly grace: Millis;
  /** The control group of the run, or ''. */
  readonly cgroup: string;
  /** The file that tells `proclet reap` of the run; removed when nothing is left. */
  readonly record: string;
  /** Called when the guardian cannot be kept alive. */
  readonly onLost: () => void;
}

/** A guardian that dies this soon, this often, will not be started again. */
const tooSoon: Millis = 1_000;
const tooOften = 5;

/** The pause between two looks, in the shell's words. */
const step: Millis = 50;

export function startGuardian(guarded: Guarded): Guardian {
  let closing = false;
  let quickDeaths = 0;
  let current = launch();

  function launch() {
    const { run, grace, cgroup, record, clock } = guarded;
    const environ = limitsCarryMarks() ? '' : 'environ';
    const args = [guardianMark(run), run, String(Math.ceil(grace / step)), cgroup, record, environ];
    const child = spawn('/bin/sh', ['-c', script, 'proclet-guardian', ...args], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: process.env['PATH'], PROCLET_GUARDIAN: guardianMark(run) },
    });
    const born = clock.now();
    child.stdin.on('error', () => {}); // EPIPE: it died, which 'exit' tells
    const exited = new Promise<void>((resolve) => {
      const gone = () => {
        resolve();
        if (!closing) replace(clock.now() - born);
      };
      child.once('exit', gone);
      child.once('error', gone);
    });
    child.unref();
    return { child, exited };
  }

  function replace(lived: Millis): void {
    quickDeaths = lived < tooSoon ? quickDeaths + 1 : 0;
    if (quickDeaths >= tooOften) guarded.onLost();
    else current = launch();
  }

  return {
    close() {
      closing = true;
      current.child.ref();
      current.child.kill('SIGKILL');
      return current.exited;
    },
  };
}

/**
 * Arguments: its own mark, the run, the grace in steps of 50 ms, the run's control group or '', its record,
 * 'environ' where marks are only in environments.
 * `list` prints the live processes that carry a mark of the run but the guardian's own. What will not die within
 * ten seconds of killing is beyond a signal's reach; its record stays for `proclet reap`.
 */
const script = `
trap '' HUP INT TERM QUIT USR1 USR2 TSTP
{ ulimit -S -w "$1" || ulimit -S -x "$1"; } 2>/dev/null
run=$2 grace=$3 group=$4 record=$5 environ=$6
while read -r line; do :; done
list() {
  for limits in $(grep -ls "^Max file locks  *$run[0-9][0-9][0-9][0-9] " /proc/[0-9]*/limits); do
    read -r all <"\${limits%/limits}/stat" || continue
    case \${all##*)} in ' Z'*|' X'*) continue;; esac
    grep -qs "^Max file locks  *\${run}0000 " "$limits" && continue
    pid=\${limits#/proc/}
    echo "\${pid%/limits}"
  done 2>/dev/null
  [ -z "$environ" ] || for file in $(grep -lsa "PROCLET_MARK=$run" /proc/[0-9]*/environ); do
    pid=\${file#/proc/}
    echo "\${pid%/environ}"
  done 2>/dev/null
  [ -z "$group" ] || cat "$group"/*/cgroup.procs 2>/dev/null
}
pids=$(list)
if [ -n "$pids" ]; then
  kill -TERM $pids 2>/dev/null
  kill -CONT $pids 2>/dev/null
  n=0
  while [ $n -lt "$grace" ]; do
    sleep 0.05
    n=$((n + 1))
    pids=$(list)
    [ -n "$pids" ] || break
  done
fi
n=0
while [ $n -lt 200 ]; do
  [ -z "$group" ] || for file in "$group"/*/cgroup.kill; do [ ! -e "$file" ] || echo 1 >"$file"; done 2>/dev/null
  pids=$(list)
  [ -n "$pids" ] || break
  kill -STOP $pids 2>/dev/null
  pids=$(list)
  kill -STOP $pids 2>/dev/null
  kill -KILL $pids 2>/dev/null
  n=$((n + 1))
  [ $n -lt 20 ] || sleep 0.05
done
[ -z "$group" ] || for n in 1 2 3 4 5; do
  rmdir "$group"/*/*/* "$group"/*/* "$group"/* "$group" 2>/dev/null
  [ -e "$group" ] || break
  sleep 0.05
done
[ -n "$pids" ] || [ -z "$record" ] || rm -rf "$record" "$record.detach"
`;
