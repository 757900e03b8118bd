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
import { limitsCarryMarks } from './proc-table.js';

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

export function startGuardian(guarded: Guarded): Guardian {
  let closing = false;
  let quickDeaths = 0;
  let current = launch();

  function launch() {
    const { run, grace, cgroup, record, clock } = guarded;
    const environ = limitsCarryMarks() ? '' : 'environ';
    const args = [guardianMark(run), run, String(Math.ceil(grace / 10)), cgroup, record, finder, environ];
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
 * Prints the live processes with a mark of the run that is not its guardian's: of the directories it is given, and
 * if told to hunt, of what is born meanwhile, which /proc/loadavg tells by the pid that was given away last. So it
 * sees also what goes on in a new process every two milliseconds, and is done when for a while nothing was born.
 */
const finder = String.raw`
function fields(file, into,  line, text) {
  text = ""
  while ((getline line < file) > 0) text = text line " "
  close(file)
  sub(/.*\) /, "", text)
  return split(text, into, " ")
}
function isOurs(pid,  file, line, word, limit) {
  file = "/proc/" pid "/limits"
  limit = ""
  while (limit == "" && (getline line < file) > 0) if (line ~ /^Max file locks/) { split(line, word, " "); limit = word[4] }
  close(file)
  return length(limit) == 15 && substr(limit, 1, 11) == run "" && substr(limit, 12) != "0000"
}
function isDead(pid) { return !fields("/proc/" pid "/stat", stat) || (stat[1] ~ /[ZX]/ && stat[18] < 2) }
function lastPid() { return fields("/proc/loadavg", load) ? load[5] + 0 : 0 }
function meet(pid) {
  if (!isOurs(pid)) return
  calm = 0
  if (!isDead(pid)) { print pid; fflush() }
}
BEGIN {
  last = lastPid()
  for (i = 1; i < ARGC; i += 1) meet(substr(ARGV[i], 7))
  calm = task == "hunt" ? 0 : 50
  for (reading = 0; calm < 50 && reading < 2000; reading += 1) {
    calm += 1
    for (pid in unborn) { meet(pid); delete unborn[pid] }
    newest = lastPid()
    # Pids begin again at 300; a number that is far off is none that was given away.
    if (newest < last) last = 299
    if (newest - last > 5000) last = newest
    while (last < newest) {
      last += 1
      meet(last)
      # A pid is given away a moment before there is a process to look at.
      if ((getline line < ("/proc/" last "/stat")) < 0) { unborn[last]; calm = 0 } else close("/proc/" last "/stat")
    }
  }
}`;

/**
 * Arguments: its own mark, the run, the grace in hundredths of a second, the run's control group or '', its record,
 * the finder, 'environ' where marks are only in environments. What will not die within some seconds of killing is
 * beyond a signal's reach; its record stays for `proclet reap`.
 *
 * `strike` stops everything it finds before it kills anything. Three strikes at nothing are the end: a service that
 * was just being started may have no mark yet.
 */
const script = `
trap '' HUP INT TERM QUIT USR1 USR2 TSTP
{ ulimit -S -w "$1" || ulimit -S -x "$1"; } 2>/dev/null
run=$2 grace=$3 group=$4 record=$5 finder=$6 environ=$7
while read -r line; do :; done
exec 2>/dev/null

members() {
  [ -z "$group" ] || cat "$group"/*/cgroup.procs
  if [ -n "$environ" ]; then
    for file in $(grep -ls "PROCLET_MARK=$run" /proc/[0-9]*/environ); do
      pid=\${file#/proc/}
      echo "\${pid%/environ}"
    done
  else
    awk -v "run=$run" -v "task=$1" "$finder" /proc/[0-9]*
  fi
}

strike() {
  [ -z "$group" ] || for file in "$group"/*/cgroup.kill; do [ ! -e "$file" ] || echo 1 >"$file"; done
  members hunt | {
    struck=
    while read -r pid; do
      kill -STOP "$pid"
      struck="$struck $pid"
    done
    [ -z "$struck" ] || { kill -KILL $struck; false; }
  }
}

now() {
  read -r up idle </proc/uptime
  now=\${up%.*}\${up#*.}
}

now
end=$((now + grace)) quiet=0
pids=$(members)
[ -z "$pids" ] || { kill -TERM $pids; kill -CONT $pids; }
while [ $quiet -lt 3 ] && [ "$now" -le $end ]; do
  sleep 0.05
  pids=$(members)
  quiet=$((quiet + 1))
  [ -z "$pids" ] || quiet=0
  now
done
n=0
while [ $quiet -lt 3 ] && [ $n -lt 100 ]; do
  n=$((n + 1)) quiet=$((quiet + 1))
  strike || quiet=0
  [ $n -lt 20 ] || sleep 0.05
done
[ -z "$group" ] || for n in 1 2 3 4 5; do
  rmdir "$group"/*/*/*/* "$group"/*/*/* "$group"/*/* "$group"/* "$group"
  [ -e "$group" ] || break
  sleep 0.05
done
case $group in */proclet-*/*/proclet-*) rmdir "\${group%/*}";; esac
[ $quiet -lt 3 ] || [ -z "$record" ] || rm -rf "$record" "$record.detach" "\${record%.run}.sock"
[ $quiet -lt 3 ] || for claim in "\${record%/*}"/*.claim; do
  read -r owner <"$claim" && [ "$owner" = "$run" ] && rm -f "$claim"
done
`;
