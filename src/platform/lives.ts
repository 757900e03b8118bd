/**
 * What proclet tells its guardian of each life that it starts, as one word that a shell can keep: by the mark alone the
 * guardian would miss what sets its own limits, clears its environment, and closes its output.
 */
import { isDeepStrictEqual } from 'node:util';
import type { InstanceSpec, StopPolicy } from '../model.js';
import type { StopTerms } from '../ports.js';
import type { Guardian } from './guardian.js';

/** As the start of a leader that was gone before it could be looked up: no process has it. */
export const leaderGone = 'gone';

/** A process, with its start as the process table tells it. */
export interface Known {
  readonly pid: number;
  readonly started: string;
}

export interface GuardedLife extends Known {
  /** The program in the terminal that the process with `pid` holds; undefined where there is none, or it is not known yet. */
  readonly inside?: Known | undefined;
  readonly mark: string;
  /** Whether the leader has a session and group of its own. */
  readonly ownsGroup: boolean;
  readonly terms: StopTerms;
  /** The life's control group, or ''. */
  readonly cgroup: string;
  /** By `pipeKey`. */
  readonly pipes: readonly string[];
}

/** The pid comes first, so that the shell finds the word again; then what the shell works with where there is no Node. */
export function wordOf({ pid, started, inside, mark, ownsGroup, terms, cgroup, pipes }: GuardedLife): string {
  const { signal, to, grace } = terms;
  const forShell = [pid, ownsGroup ? 'group' : 'alone', inside?.pid ?? pid, signal.slice(3), to, Math.ceil(grace)];
  const texts = [started, inside?.started ?? '', cgroup].map(encodeURIComponent);
  return [...forShell, ...texts, mark, ...pipes].join(',');
}

export function lifeOf(word: string): GuardedLife {
  const [pid, group, leader, signal, to, grace, started = '', program = '', cgroup = '', mark = '', ...pipes] =
    word.split(',');
  return {
    pid: Number(pid),
    ownsGroup: group === 'group',
    started: decodeURIComponent(started),
    ...(leader !== pid && { inside: { pid: Number(leader), started: decodeURIComponent(program) } }),
    terms: { signal: `SIG${signal}` as NodeJS.Signals, to: to as StopPolicy, grace: Number(grace) },
    cgroup: decodeURIComponent(cgroup),
    mark,
    pipes,
  };
}

export interface Guarding {
  /** Tells the guardian what is now known, if that is anything new. */
  learn(news: Partial<Pick<GuardedLife, 'inside' | 'terms'>>): void;
  /** Nothing is left of it. */
  end(): void;
}

/** Has the guardian know a life from now on; how it is to be ended is as its service has it, until something else is learnt. */
export function guardLife(
  guardian: Pick<Guardian, 'born' | 'ended'>,
  { stopSignal: signal, stop: to, grace }: InstanceSpec,
  life: Omit<GuardedLife, 'terms'>,
): Guarding {
  let told: GuardedLife = { ...life, terms: { signal, to, grace } };
  let isOver = false;
  guardian.born(told);
  return {
    learn(news) {
      const known = { ...told, ...news };
      if (isOver || isDeepStrictEqual(known, told)) return;
      told = known;
      guardian.born(told);
    },
    end() {
      isOver = true;
      guardian.ended(told.pid);
    },
  };
}
