/** What the machine says about the processes of instances: who they are, what they take, where they listen. */
import type { InstanceSnapshot, Usage } from './model.js';
import { listeningPorts } from './network/listening.js';
import { candidates, membersByMark, type Tree } from './platform/members-by-mark.js';
import { createProcessTable } from './platform/process-table.js';
import { usageOf } from './platform/usage.js';

/**
 * By the mark of each instance that runs; one reading of the process table for all of them.
 * `cgroups`: those of their runs, '' for a run that has none.
 */
export function inspect(
  instances: readonly InstanceSnapshot[],
  cgroups: readonly string[],
): ReadonlyMap<string, Usage> {
  const members = membersOf(instances, cgroups);
  const ports = listeningPorts(members);
  return new Map([...members].map(([mark, pids]) => [mark, { pids, ...usageOf(pids), ports: ports.get(mark) ?? [] }]));
}

/** The pids of trees, by their marks. */
export function membersOf(
  instances: readonly Pick<InstanceSnapshot, 'pid' | 'mark'>[],
  cgroups: readonly string[],
): ReadonlyMap<string, readonly number[]> {
  const trees = instances.flatMap(({ pid, mark }): Tree[] => (pid && mark ? [{ leader: pid, mark }] : []));
  return trees.length === 0 ? new Map() : membersByMark(trees, candidates(createProcessTable(), cgroups));
}

/** The command line of a process, for people. */
export function commandOf(pid: number): string {
  return createProcessTable().command(pid);
}

/** Whether a process ignores a signal. */
export function ignores(pid: number, signal: NodeJS.Signals): boolean {
  return createProcessTable().ignores(pid, signal);
}
