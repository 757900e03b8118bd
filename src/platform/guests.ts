/**
 * The runs of other proclets that were started from within a service, as their records tell. While its proclet or its
 * guardian lives such a run is theirs to end; afterwards what is left of it belongs to the service.
 */
import { existsSync } from 'node:fs';
import { isAttended } from './attendance.js';
import { leftOf } from './left-of-lives.js';
import { readLives } from './lives-file.js';
import type { Processes, ProcessTable } from './process-table.js';
import { forgetRun, searchRun } from './run-search.js';
import { type RunRecord, readRecords, runtimeDirectory, runtimePath } from './runtime-dir.js';

export interface Guests {
  /** Of these runs, and of those that were started within `mark`, the ones that nobody attends to. */
  orphaned(known: Iterable<string>, mark: string, processes: Processes): Orphan[];
  /** Removes the record of a run of which nothing is left. */
  forget(run: string): void;
}

/** A run whose proclet and guardian are gone. */
export interface Orphan {
  readonly run: string;
  readonly record: RunRecord | undefined;
  /** Pid to start of what bears no mark of it: see left-of-lives.ts. */
  readonly left: ReadonlyMap<number, string>;
}

export function createGuests(table: ProcessTable): Guests {
  return {
    orphaned(known, mark, processes) {
      const records = allRecords();
      const runs = new Set(known);
      const add = (within: string) => {
        for (const record of records) {
          if (!record.within.startsWith(within) || runs.has(record.run)) continue;
          runs.add(record.run);
          add(record.run);
        }
      };
      for (const start of [mark, ...runs]) add(start);
      return [...runs]
        .map((run) => ({ run, record: records.find((record) => record.run === run) }))
        .filter((evidence) => !isAttended(evidence, processes, table))
        .map((evidence) => ({ ...evidence, left: leftIn(evidence.record, processes) }));
    },
    forget(run) {
      const record = allRecords().find((one) => one.run === run);
      if (record === undefined) return;
      const processes = table.read();
      const { rows, trouble } = searchRun(record, processes, leftIn(record, processes));
      if (rows.length === 0 && trouble === undefined) forgetRun(runtimeDirectory(), record);
    },
  };
}

function leftIn(record: RunRecord | undefined, processes: Processes): Map<number, string> {
  return record === undefined ? new Map() : leftOf(readLives(runtimePath(), record), processes);
}

/** None, where there is no runtime directory: such a run has been told that it will not be known. */
function allRecords(): RunRecord[] {
  try {
    // Not made: whoever only looks must not bring back what somebody removes.
    return existsSync(runtimePath()) ? readRecords(runtimeDirectory()) : [];
  } catch {
    return [];
  }
}
