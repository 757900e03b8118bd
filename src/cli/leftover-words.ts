/** What people read about processes that were left behind. */
import { formatDuration } from '../duration.js';
import type { Survivor } from '../model.js';
import type { Leftover } from '../platform/leftovers.js';

/** A heading and a line for each process. `now` is wall time. */
export function namedLeftover({ run, record, processes }: Leftover, now: number): string {
  const what = processes.length === 1 ? '1 process' : `${processes.length} processes`;
  const origin = record
    ? `of ${record.root}, started ${formatDuration(Math.max(0, now - record.since))} ago by a proclet (pid ${record.pid}) that is gone`
    : `of a run (${run}) that nothing else is known of`;
  const rows = processes.map(({ pid, command }) => `  ${String(pid).padStart(7)}  ${command}`);
  return [`${what} ${origin}:`, ...rows].join('\n');
}

export function namedSurvivors(survivors: readonly Survivor[]): string {
  return survivors.map(({ pid, state, command }) => `pid ${pid} (${state}, ${command}) could not be ended`).join('\n');
}
