/**
 * What proclet tells its guardian of each life that it starts, as one word that a shell can keep: by the mark alone the
 * guardian would miss what sets its own limits, clears its environment, and closes its output.
 */

/** As the start of a leader that was gone before it could be looked up: no process has it. */
export const leaderGone = 'gone';

export interface GuardedLife {
  readonly pid: number;
  /** As the process table tells it. */
  readonly started: string;
  readonly mark: string;
  /** Whether the leader has a session and group of its own. */
  readonly ownsGroup: boolean;
  readonly stopSignal: NodeJS.Signals;
  /** The life's control group, or ''. */
  readonly cgroup: string;
  /** By `pipeKey`. */
  readonly pipes: readonly string[];
}

/** The pid comes first, so that the shell finds the word again. */
export function wordOf({ pid, started, mark, ownsGroup, stopSignal, cgroup, pipes }: GuardedLife): string {
  const texts = [started, cgroup].map(encodeURIComponent);
  return [pid, ownsGroup ? 'group' : 'alone', ...texts, mark, stopSignal, ...pipes].join(',');
}

export function lifeOf(word: string): GuardedLife {
  const [pid, group, started = '', cgroup = '', mark = '', signal, ...pipes] = word.split(',');
  return {
    pid: Number(pid),
    ownsGroup: group === 'group',
    started: decodeURIComponent(started),
    cgroup: decodeURIComponent(cgroup),
    mark,
    stopSignal: signal as NodeJS.Signals,
    pipes,
  };
}
