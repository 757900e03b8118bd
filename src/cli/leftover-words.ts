/** What people read about processes that were left behind. */
import { formatDuration } from '../duration.js';
import type { Survivor } from '../model.js';
import { adviceFor } from '../observers/obituary.js';
import type { Leftover } from '../platform/leftovers.js';
import { shownPath } from './projects.js';

/** A heading and a line for each process. `now` is wall time. */
export function namedLeftover({ run, record, processes, trouble }: Leftover, now: number): string {
  const what =
    processes.length === 1 ? '1 process' : processes.length === 0 ? 'No process' : `${processes.length} processes`;
  const origin = record
    ? `of ${record.root}, started ${formatDuration(Math.max(0, now - record.since))} ago by a proclet (pid ${record.pid}) that is gone`
    : `of a run (${run}) that nothing else is known of`;
  const rows = processes.map(({ pid, command }) => `  ${String(pid).padStart(7)}  ${command}`);
  const blind = trouble === undefined ? [] : [`  There may be more: ${trouble}. Its record stays.`];
  return [`${what} ${origin}${processes.length === 0 ? '' : ':'}`, ...rows, ...blind].join('\n');
}

/** Files that killed proclets left. */
export function namedCleared(paths: readonly string[]): string {
  const what = paths.length === 1 ? '1 file' : `${paths.length} files`;
  return [`Removed ${what} that a killed proclet left:`, ...paths.map((path) => `  ${shownPath(path)}`)].join('\n');
}

/** What is left after all: processes that would not go, and runs that cannot be seen whole. '' when nothing is. */
export function namedRest(survivors: readonly Survivor[], rest: readonly Leftover[]): string {
  const would = survivors.map(
    ({ pid, state, command, denied }) =>
      `pid ${pid} (${state}, ${command}) could not be ended${denied ? adviceFor([pid]) : ''}`,
  );
  const blind = rest.flatMap(({ run, record, trouble }) =>
    trouble === undefined ? [] : [`the record of ${record?.root ?? run} stays: ${trouble}`],
  );
  return [...would, ...blind].join('\n');
}
