/**
 * Finds the unmarked processes of lives that nobody watches over any more: their leaders, and the processes that hold a
 * pipe made for one of them. A pid or a pipe may belong to a stranger by then, so each is proved before it counts.
 */
import type { GuardedLife } from './lives.js';
import { desertedOf, type PipeEnd } from './pipe-ends.js';
import type { Processes, ProcessRow } from './process-table.js';

interface Made {
  /** The end that a service has; the other one was proclet's. */
  readonly end: PipeEnd;
  /** When its leader started. */
  readonly since: string;
}

/**
 * Pid to start. A leader has the start that was noted. Who has a pipe open is not older than the leader, and nobody has
 * the end that proclet had: a pipe of the same name that somebody reads, or writes for a service, is a stranger's.
 */
export function leftOf(
  lives: readonly GuardedLife[],
  processes: Processes,
  deserted: typeof desertedOf = desertedOf,
): Map<number, string> {
  const leaders = lives.flatMap((life) => [life, ...(life.inside ? [life.inside] : [])]);
  const left = new Map(
    leaders.flatMap(({ pid, started }) => (processes.get(pid)?.started === started ? [[pid, started]] : [])),
  );
  const made = pipesOf(lives);
  const isHeir = (row: ProcessRow) => (key: string) => {
    const pipe = made.get(key);
    return pipe !== undefined && !(Number(row.started) < Number(pipe.since));
  };
  const holders = [...processes.values()].filter((row) => row.pipes?.some(isHeir(row)));
  if (holders.length === 0) return left;
  const proved = deserted(new Map([...made].map(([key, { end }]) => [key, end])), processes.keys());
  for (const { pid, started, pipes = [] } of holders) if (pipes.some((key) => proved.has(key))) left.set(pid, started);
  return left;
}

/** By `pipeKey`: of standard input a service has the end to read, of the others the one to write. */
function pipesOf(lives: readonly GuardedLife[]): Map<string, Made> {
  return new Map(
    lives.flatMap(({ pipes, started }) =>
      pipes.map((key, n) => [key, { end: n === 0 ? 'read' : 'write', since: started }] as const),
    ),
  );
}
