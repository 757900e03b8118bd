/**
 * What earlier runs of this user left behind: the processes of runs whose proclet and guardian are gone. A run is this
 * user's if its record is in the user's own directory, or, without a record, if one of its processes or its control
 * group is the user's. Anything else is not touched.
 */
import { statSync } from 'node:fs';
import type { Millis, Survivor } from '../model.js';
import type { Clock } from '../ports.js';
import { isAttended } from './attendance.js';
import { cgroupAt, cgroupsOfRuns } from './cgroup.js';
import { endTree } from './end-tree.js';
import { createGuests } from './guests.js';
import { leftOf } from './left-of-lives.js';
import { readLives } from './lives-file.js';
import { guardianMark, runOf } from './mark.js';
import type { Processes, ProcessTable } from './process-table.js';
import { ProcessTrees } from './process-tree.js';
import { forgetRun, searchRun } from './run-search.js';
import { type RunRecord, readRecords } from './runtime-dir.js';

export interface Leftover {
  readonly run: string;
  /** Absent when the record is gone too. */
  readonly record?: RunRecord;
  readonly processes: readonly { readonly pid: number; readonly command: string }[];
  /** Why there may be more than was found: the search could not look everywhere. */
  readonly trouble?: string;
}

/** Looks, and removes the records of runs that are gone and left nothing. */
export function findLeftovers(directory: string, table: ProcessTable): Leftover[] {
  const processes = table.read();
  const records = new Map(readRecords(directory).map((record) => [record.run, record]));
  const groups = ownGroups();
  const runs = new Set([...records.keys(), ...groups.keys(), ...ownMarks(processes)]);
  return [...runs].flatMap((run) => {
    const record = records.get(run);
    if (isAttended({ run, record }, processes, table)) return [];
    const cgroup = record?.cgroup ?? groups.get(run) ?? '';
    const { rows, trouble } = searchRun({ run, cgroup }, processes, leftIn(directory, record, processes));
    if (rows.length === 0 && trouble === undefined) {
      forgetRun(directory, { run, cgroup });
      return [];
    }
    const named = rows.map(({ pid }) => ({ pid, command: table.command(pid) }));
    return [{ run, ...(record && { record }), processes: named, ...(trouble !== undefined && { trouble }) }];
  });
}

export interface Reaping {
  readonly clock: Clock;
  readonly table: ProcessTable;
  readonly directory: string;
  readonly grace: Millis;
}

/** How long a control group may stay after its last process, which somebody has yet to wait for. */
const emptiesIn: Millis = 1_000;
const pause: Millis = 20;

/**
 * TERM, the grace, then SIGKILL until nothing is left; then the records go, of the runs of which another search finds
 * nothing. Answers what could not be ended.
 */
export async function endLeftovers(leftovers: readonly Leftover[], reaping: Reaping): Promise<readonly Survivor[]> {
  const { clock, table, directory } = reaping;
  const ended = await Promise.all(leftovers.map((leftover) => endLeftover(leftover, reaping)));
  const until = clock.now() + emptiesIn;
  while (findLeftovers(directory, table).length === 0 && leftoverGroups(leftovers) && clock.now() < until) {
    await new Promise<void>((go) => void clock.wakeAt(clock.now() + pause, go));
  }
  return [...new Map(ended.flat().map((survivor) => [survivor.pid, survivor])).values()];
}

function leftoverGroups(leftovers: readonly Leftover[]): boolean {
  const groups = cgroupsOfRuns();
  return leftovers.some(({ run }) => groups.has(run));
}

/** Each round looks for unmarked processes anew: a pipe proves that a process belongs to the run only at that moment. */
const mostRounds = 5;

async function endLeftover({ run, record }: Leftover, reaping: Reaping): Promise<readonly Survivor[]> {
  const { clock, table, directory, grace } = reaping;
  const group = record?.cgroup || cgroupsOfRuns().get(run);
  const trees = new ProcessTrees(clock, table, createGuests(table));
  const look = () => leftIn(directory, record, table.read());
  const end = (known: Map<number, string>) => {
    const seed = { leader: 0, known, mark: run, ownsGroup: false, ...(group && { cgroup: cgroupAt(group) }) };
    return endTree(trees, seed, { clock, signal: 'SIGTERM', to: 'tree', grace });
  };
  let survivors = await end(look());
  for (let rounds = 1; survivors.length === 0 && rounds < mostRounds; rounds += 1) {
    const left = look();
    if (left.size === 0) break;
    survivors = await end(left);
  }
  return survivors;
}

function leftIn(directory: string, record: RunRecord | undefined, processes: Processes): Map<number, string> {
  return record === undefined ? new Map() : leftOf(readLives(directory, record), processes);
}

/** The runs that this user's processes carry the mark of, guardians left out. */
function ownMarks(processes: Processes): string[] {
  return [...processes.values()].flatMap(({ pid, mark }) => {
    const run = runOf(mark);
    return run === undefined || mark === guardianMark(run) || !isOwn(`/proc/${pid}`) ? [] : [run];
  });
}

function ownGroups(): Map<string, string> {
  return new Map([...cgroupsOfRuns()].filter(([, path]) => isOwn(path)));
}

function isOwn(path: string): boolean {
  try {
    return statSync(path).uid === process.getuid?.();
  } catch {
    return false; // gone
  }
}
