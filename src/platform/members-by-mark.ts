/** The processes of many trees at once, for those who only know their marks. */
import { kinshipIn, membersOf } from './membership.js';
import type { ProcessTable } from './process-table.js';

export interface Tree {
  readonly leader: number;
  readonly mark: string;
}

/** Pids by mark, the leader first. */
export function membersByMark(trees: readonly Tree[], table: ProcessTable): Map<string, readonly number[]> {
  if (trees.length === 0) return new Map();
  const processes = table.read();
  const kinship = kinshipIn(processes);
  return new Map(
    trees.map(({ leader, mark }) => {
      const started = processes.get(leader)?.started;
      const known = new Map(started === undefined ? [] : [[leader, started]]);
      const tree = { mark, leader, known, ownsGroup: true, guests: new Set<string>() };
      const pids = membersOf(tree, processes, process.pid, [], kinship).map(({ pid }) => pid);
      return [mark, [...pids].sort((a, b) => Number(b === leader) - Number(a === leader) || a - b)];
    }),
  );
}
