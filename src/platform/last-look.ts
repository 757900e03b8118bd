/**
 * The net below everything else: when each life of a run has ended, its processes are looked for once more. What is
 * found was missed before, and is ended and named.
 */
import { join } from 'node:path';
import type { Millis, Survivor } from '../model.js';
import type { Clock } from '../ports.js';
import { describeTrouble } from '../system-error.js';
import { type Cgroups, pidsBelow } from './cgroup.js';
import type { LifeNumbers } from './life-numbers.js';
import { membersOf, type Tree } from './membership.js';
import type { Processes, ProcessRow, ProcessTable } from './process-table.js';
import { searchRun } from './run-search.js';
import { send, survivorsOf } from './survivors.js';

export interface Looking {
  readonly clock: Clock;
  readonly table: ProcessTable;
  readonly run: string;
  readonly cgroups: Cgroups | undefined;
  readonly numbers: LifeNumbers;
}

/** Between TERM and KILL, how long KILL is repeated, and between two looks. */
const grace: Millis = 1_000;
const patience: Millis = 2_000;
const pause: Millis = 20;

/**
 * Undefined when nothing is left. Lives that have not ended (commands for events), or were given up and named, are not
 * concerned. Never rejects.
 */
export function lookOnce(looking: Looking, notice: (text: string) => void): Promise<void> | undefined {
  const missed = (error: unknown) =>
    notice(`what may be left of the run was not looked for: ${describeTrouble(error)}`);
  try {
    const first = strays(looking);
    return first.length === 0 ? undefined : end(first, looking, notice).catch(missed);
  } catch (error) {
    missed(error);
    return undefined;
  }
}

async function end(first: readonly ProcessRow[], looking: Looking, notice: (text: string) => void): Promise<void> {
  const { clock, table } = looking;
  const found = new Map<number, Survivor>();
  const began = clock.now();
  let rows = first;
  const signalled = new Set<number>();
  while (rows.length > 0 && clock.now() < began + grace + patience) {
    for (const survivor of survivorsOf(rows, table)) if (!found.has(survivor.pid)) found.set(survivor.pid, survivor);
    const kills = clock.now() >= began + grace;
    for (const row of rows) {
      if (kills) send(row, 'SIGKILL', table);
      else if (!signalled.has(row.pid)) {
        signalled.add(row.pid);
        send(row, 'SIGTERM', table);
        send(row, 'SIGCONT', table);
      }
    }
    await new Promise<void>((go) => void clock.wakeAt(clock.now() + pause, go));
    rows = strays(looking);
  }
  const left = new Set(rows.map(({ pid }) => pid));
  const ended = [...found.values()].filter(({ pid }) => !left.has(pid));
  if (ended.length > 0) notice(`left behind by services that had ended, and ended now: ${named(ended)}`);
  if (left.size > 0)
    notice(`left behind, and could not be ended: ${named(survivorsOf(rows, table))}; see proclet reap`);
}

function strays({ table, run, cgroups, numbers }: Looking): readonly ProcessRow[] {
  const processes = table.read();
  const { rows } = searchRun({ run, cgroup: cgroups?.directory ?? '' }, processes);
  if (rows.length === 0) return [];
  const known = new Set(
    numbers.held.flatMap(({ life, mark }) =>
      inLife(mark, processes, cgroups === undefined ? [] : pidsBelow(join(cgroups.directory, String(life)))),
    ),
  );
  return rows.filter(({ pid }) => !known.has(pid));
}

function inLife(mark: string, processes: Processes, grouped: readonly number[]): number[] {
  const tree: Tree = {
    mark,
    leader: 0,
    known: new Map(),
    ownsGroup: false,
    guests: new Set(),
    orphaned: new Set(),
  };
  return membersOf(tree, processes, process.pid, grouped).map(({ pid }) => pid);
}

function named(processes: readonly Survivor[]): string {
  return processes.map(({ pid, command }) => `pid ${pid} (${command})`).join(', ');
}
