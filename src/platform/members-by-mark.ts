/** The processes of many trees at once, for those who only know their marks. */

import { pidsBelow } from './cgroup.js';
import { kinshipIn, membersOf } from './membership.js';
import type { Processes, ProcessTable } from './process-table.js';

export interface Tree {
  readonly leader: number;
  readonly mark: string;
}

/** Every process that may be in a tree of these runs: what is in their control groups, or all, where one has none. */
export function candidates(table: ProcessTable, cgroups: readonly string[]): Processes {
  if (cgroups.length === 0 || cgroups.includes('')) return table.read();
  const rows = cgroups.flatMap(pidsBelow).flatMap((pid) => table.find(pid) ?? []);
  return new Map(rows.map((row) => [row.pid, row]));
}

/** Pids by mark, the leader first; without what holds a terminal for the leader, which is its parent. */
export function membersByMark(trees: readonly Tree[], processes: Processes): Map<string, readonly number[]> {
  const kinship = kinshipIn(processes);
  return new Map(
    trees.map(({ leader, mark }) => {
      const { started, ppid } = processes.get(leader) ?? {};
      const known = new Map(started === undefined ? [] : [[leader, started]]);
      const [guests, orphaned] = [new Set<string>(), new Set<string>()];
      const tree = { mark, leader, known, ownsGroup: true, guests, orphaned };
      const pids = membersOf(tree, processes, process.pid, [], kinship).map(({ pid }) => pid);
      const own = pids.filter((pid) => pid !== ppid);
      return [mark, own.sort((a, b) => Number(b === leader) - Number(a === leader) || a - b)];
    }),
  );
}
