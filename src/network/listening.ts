/** The TCP ports on which processes listen, for many groups of processes with one reading of the kernel's tables. */
import { heldBy, readSockets } from './sockets.js';

/** Ports by key, ascending. Empty elsewhere than on Linux. */
export function listeningPorts(groups: ReadonlyMap<string, readonly number[]>): Map<string, readonly number[]> {
  const ports = new Map<string, readonly number[]>();
  if ([...groups.values()].every((pids) => pids.length === 0)) return ports;
  const portOf = new Map(
    readSockets((_local, _remote, state) => state === 'listen').map(({ inode, local }) => [inode, local.port]),
  );
  const inodes = new Set(portOf.keys());
  if (inodes.size === 0) return ports;
  for (const [key, pids] of groups) {
    const held = [...heldBy(pids, inodes)].flatMap((inode) => portOf.get(inode) ?? []);
    ports.set(
      key,
      [...new Set(held)].sort((a, b) => a - b),
    );
  }
  return ports;
}
