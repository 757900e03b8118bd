/** The TCP ports on which processes listen, for many groups of processes with one reading of the kernel's tables. */
import { heldBy, readSockets, type SocketRow } from './sockets.js';

/**
 * The address on this machine at which a port is reached. Most programs listen on all addresses or on 127.0.0.1; some,
 * which were told `localhost`, on ::1 alone.
 */
export function loopbackOf(port: number): string {
  const rows = readSockets((local, _remote, state) => state === 'listen' && local === port);
  const addresses = rows.map(({ local }) => local.address);
  const isUsual = addresses.some((address) => ['127.0.0.1', '0.0.0.0', '::'].includes(address));
  return isUsual ? '127.0.0.1' : (addresses[0] ?? '127.0.0.1');
}

/** Ports by key, ascending. Empty elsewhere than on Linux. `listening`: what was read already. */
export function listeningPorts(
  groups: ReadonlyMap<string, readonly number[]>,
  listening?: readonly SocketRow[],
): Map<string, readonly number[]> {
  const ports = new Map<string, readonly number[]>();
  if ([...groups.values()].every((pids) => pids.length === 0)) return ports;
  const rows = listening ?? readSockets((_local, _remote, state) => state === 'listen');
  const portOf = new Map(rows.map(({ inode, local }) => [inode, local.port]));
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
