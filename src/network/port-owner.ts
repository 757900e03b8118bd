/** Who listens on a port, and whether one is taken. Only looks. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import { constants } from 'node:os';

export interface PortOwner {
  readonly pid: number;
  /** The program's name. */
  readonly name: string;
}

/** What `net` uses for its own servers: makes and binds a socket without listening. Answers an error number instead of throwing. */
type Bind = (address: string, port: number, family: 4 | 6, fd: number, flags: number) => Bound | number;

interface Bound {
  /** An error number, or 0. libuv tells here, not at the bind, that the address is in use. */
  getsockname(name: object): number;
  close(): void;
}

/**
 * Whether somebody listens on the port, on any address of either family. Binds for a moment, and never listens, so
 * that nobody can connect to the question. `undefined` where that cannot be asked (a port that only root may bind).
 */
export function isPortTaken(port: number): boolean | undefined {
  const bind = (net as unknown as { _createServerHandle?: Bind })._createServerHandle;
  if (bind === undefined) return undefined;
  for (const [address, family] of [
    ['::', 6],
    ['0.0.0.0', 4],
  ] as const) {
    const answer = bind(address, port, family, -1, 0);
    const error = typeof answer === 'number' ? answer : answer.getsockname({});
    if (typeof answer !== 'number') answer.close();
    if (error === 0) return false;
    if (error === -constants.errno.EADDRINUSE) return true;
  }
  return undefined;
}

/** The processes that listen on a port, as far as they can be seen (Linux; other users' only by root). */
export function ownersOf(port: number): PortOwner[] {
  const sockets = new Set(['tcp', 'tcp6'].flatMap((table) => listeningInodes(table, port)));
  if (sockets.size === 0) return [];
  return pids().flatMap((pid) => (holdsAny(pid, sockets) ? [{ pid, name: nameOf(pid) }] : []));
}

/** `nginx (pid 812)`, `nginx (pids 812 and 813)`, or what can be said when nobody can be seen. */
export function describeOwners(owners: readonly PortOwner[]): string {
  const [first] = owners;
  if (first === undefined) return 'a process that cannot be seen';
  const pids = owners.map(({ pid }) => pid);
  return pids.length === 1
    ? `${first.name} (pid ${first.pid})`
    : `${first.name} (pids ${pids.slice(0, -1).join(', ')} and ${pids.at(-1)})`;
}

/** proc(5), /proc/net/tcp: sl local_address rem_address st … inode; ports are hexadecimal, state 0A listens. */
function listeningInodes(table: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return read(`/proc/net/${table}`)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === '0A' && local?.endsWith(wanted))
    .flatMap((fields) => fields[9] ?? []);
}

function holdsAny(pid: number, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
        return inode !== undefined && inodes.has(inode);
      } catch {
        return false; // closed since
      }
    });
  } catch {
    return false; // EACCES: another user's; ENOENT: gone
  }
}

function pids(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return []; // ENOENT: not Linux
  }
}

function nameOf(pid: number): string {
  return read(`/proc/${pid}/comm`).trim() || 'a process';
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // ENOENT: not Linux, or gone
  }
}
