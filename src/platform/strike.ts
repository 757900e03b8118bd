/** SIGKILL for whole trees, so that nothing of them gets away by forking meanwhile. */
import type { Cgroup } from './cgroup.js';
import { isForeign, isMember, type Tree } from './membership.js';
import type { ProcessRow, ProcessTable } from './process-table.js';
import { send } from './survivors.js';

/** Before SIGKILL everything is stopped; readings go on until this many in a row found nothing new, or to the limit. */
const calmReadings = 3;
const mostReadings = 100;

interface Struck extends Tree {
  readonly cgroup: Cgroup | undefined;
}

/**
 * Stops everything first, so that nothing can fork or be missed, then kills it. What is found meanwhile is
 * added to the members and stopped at once: a moment later it may have gone on in another process.
 */
export function strike(
  trees: ReadonlyMap<Struck, ProcessRow[]>,
  processes: Map<number, ProcessRow>,
  table: ProcessTable,
  self: number,
): void {
  for (const [tree, members] of trees) {
    empty(tree, processes, self);
    for (const row of members) send(row, 'SIGSTOP', table);
  }
  const seen = new Set(processes.keys());
  let calm = 0;
  const meet = (row: ProcessRow) => {
    processes.set(row.pid, row);
    for (const [tree, members] of trees) {
      if (!isNewMember(tree, members, row, self)) continue;
      send(row, 'SIGSTOP', table);
      tree.known.set(row.pid, row.started);
      members.push(row);
      calm = -1;
    }
  };
  for (let reading = 0; reading < mostReadings && calm < calmReadings; reading += 1) {
    const { missed } = table.readNew(seen, meet);
    calm = missed === 0 ? calm + 1 : 0;
  }
  for (const members of trees.values()) for (const row of members) send(row, 'SIGKILL', table);
}

function isNewMember(tree: Struck, members: readonly ProcessRow[], row: ProcessRow, self: number): boolean {
  if (row.pid === self || isForeign(tree, row)) return false;
  return isMember(tree, row) || members.some(({ pid }) => pid === row.ppid || pid === row.sid);
}

/** A control group ends all that is in it in one write, unless another proclet's processes, or we, are in it too. */
function empty(tree: Struck, processes: Map<number, ProcessRow>, self: number): void {
  const inside = tree.cgroup?.pids().map((pid) => processes.get(pid)) ?? [];
  if (!inside.some((row) => row !== undefined && (row.pid === self || isForeign(tree, row)))) tree.cgroup?.kill();
}
