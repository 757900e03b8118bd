/** A tree that is watched over or being made empty, and what is known of it. */
import type { Millis, Nested, Survivor } from '../model.js';
import type { Cgroup } from './cgroup.js';
import type { Orphan } from './guests.js';
import type { Tree } from './membership.js';
import { deliver, type Order } from './orders.js';
import type { ProcessRow, ProcessTable } from './process-table.js';

export interface TreeListener {
  /** At the first look after the leader's end: how many are left. Not called when none are. */
  orphaned(processes: number): void;
  /** Called once, last. `processes` counts all that were seen, the leader included. */
  ended(result: { processes: number; survivors: readonly Survivor[]; nested?: readonly Nested[] }): void;
}

export interface Ending extends Tree {
  readonly cgroup: Cgroup | undefined;
  readonly listener: TreeListener;
  /** What holds the terminal of the others, and goes by itself after them: it gets no signal while they are there. */
  holder: number | undefined;
  /** Since when the holder alone is left. */
  aloneSince: Millis | undefined;
  leaderGone: boolean;
  /** It has ended. What is asked of it while its last output is read must not begin it again. */
  over: boolean;
  announced: boolean;
  killing: boolean;
  /** Whether the records of guests have been looked at since the end began. */
  looked: boolean;
  pending: Order[];
  quiet: number;
  /** When the guests are not waited for any more, once it is them alone who are left. */
  guestsLeaveAt: Millis | undefined;
  /** Runs of other proclets that nobody attends to, and what was found of each. */
  readonly nested: Map<string, { readonly orphan: Orphan; readonly pids: Set<number> }>;
}

/** A leader that has not been reaped is the process that was started, whenever it is first seen. */
export function meetLeader(tree: Ending, row: ProcessRow | undefined): void {
  if (row !== undefined && !tree.known.has(row.pid)) tree.known.set(row.pid, row.started);
}

/** What was delivered is forgotten then, not before: a reading that fails on the way makes all of it be done again. */
export function deliverAll(tree: Ending, rows: ProcessRow[], table: ProcessTable): void {
  deliver(tree.pending, tree.leader, withoutHolder(tree, rows), table);
  tree.pending.length = 0;
}

export function withoutHolder({ holder }: Ending, members: ProcessRow[]): ProcessRow[] {
  return holder === undefined ? members : members.filter(({ pid }) => pid !== holder);
}

export function nestedOf({ nested }: Ending): Nested[] {
  return [...nested.values()].flatMap(({ orphan: { record }, pids }) =>
    pids.size === 0 ? [] : [{ processes: pids.size, ...(record && { pid: record.pid, root: record.root }) }],
  );
}
