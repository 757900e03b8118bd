/**
 * The mark that a service's processes carry, whatever they do: the soft limit on file locks.
 *
 * The kernel has not enforced RLIMIT_LOCKS since Linux 2.4.25 (getrlimit(2)), yet copies it on fork and keeps
 * it on exec, and anyone can read it in /proc/PID/limits. It survives setsid, double forks, `env -i`, closed
 * descriptors and rewritten titles. A mark is fifteen digits: eleven for the run, four for the life.
 *
 * A program that starts a session for a user (su, runuser, sudo) sets every limit anew. So the mark is also in the
 * environment, as PROCLET_MARK, which counts where the limit says nothing.
 */
const runDigits = 11;
const lifeDigits = 4;

/** Eleven digits that name one run of proclet. Not a secret, so the engine's own random numbers will do. */
export function newRun(isTaken: (run: string) => boolean = () => false, random: () => number = Math.random): string {
  const first = 10 ** (runDigits - 1);
  for (;;) {
    const run = String(first + Math.floor(random() * 9 * first));
    if (!isTaken(run)) return run;
  }
}

/** As many lives of a run can have a mark at a time. */
export const mostLives = 10 ** lifeDigits - 1;

/** The mark of the life with this number, from 1 to `mostLives`. */
export function markOf(run: string, life: number): string {
  return run + String(life).padStart(lifeDigits, '0');
}

/** The number of the run's life that a mark names; undefined when it names none. */
export function lifeIn(run: string, mark: string | undefined): number | undefined {
  if (mark === undefined || runOf(mark) !== run || mark === guardianMark(run)) return undefined;
  return Number(mark.slice(runDigits));
}

/** The mark of a run's guardian, which belongs to no life. */
export function guardianMark(run: string): string {
  return run + '0'.repeat(lifeDigits);
}

/** What a program carries instead that was let go: see detach.ts. One digit more than a mark, so that it names no run. */
export const detachedMark = `1${'0'.repeat(runDigits + lifeDigits)}`;

/** The mark that a soft limit is or that an environment (proc(5): NUL after each variable) holds, if one is. */
export function markIn(limit: string | undefined, environment: () => string): string | undefined {
  if (limit === detachedMark || runOf(limit) !== undefined) return limit;
  return variable.exec(environment())?.[1];
}

const variable = /(?:^|\0)PROCLET_(?:MARK|GUARDIAN)=(\d{15,16})(?:\0|$)/;

/** The run that a limit names, or undefined when the limit is none of proclet's marks. */
export function runOf(mark: string | undefined): string | undefined {
  return mark?.length === runDigits + lifeDigits && !mark.startsWith('0') ? mark.slice(0, runDigits) : undefined;
}

/**
 * Sets the mark (the option is -w in dash and busybox, -x in bash), joins the control group, then becomes the
 * program. Arguments: umask or '', mark, directory of the group or '', '' or whether its input is to be held a second time
 * (a daemon closes its standard streams, few close the rest), program and its arguments. `$0` is the
 * name in the shell's own messages.
 */
export const markingScript = [
  '[ -z "$1" ] || umask "$1"',
  '{ ulimit -S -w "$2" || ulimit -S -x "$2"; } 2>/dev/null',
  '[ -z "$3" ] || { echo 0 >"$3/cgroup.procs"; } 2>/dev/null',
  '[ -z "$4" ] || exec 9<&0',
  'shift 4',
  '[ -z "$LISTEN_FDS" ] || export LISTEN_PID=$$',
  'exec "$@"',
].join('\n');
