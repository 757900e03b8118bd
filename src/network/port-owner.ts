/** Who listens on a port, and whether one is taken. Only looks. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import { constants } from 'node:os';
import { basename } from 'node:path';
import { heldBy, readSockets } from './sockets.js';

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
  try {
    return readOwners(port);
  } catch {
    return []; // EMFILE: nobody can be seen
  }
}

function readOwners(port: number): PortOwner[] {
  const rows = readSockets((local, _, state) => state === 'listen' && local === port);
  if (rows.length === 0) return [];
  const inodes = new Set(rows.map(({ inode }) => inode));
  return pids().flatMap((pid) => (heldBy([pid], inodes).size > 0 ? [{ pid, name: nameOf(pid) }] : []));
}

/** Whether one of these processes listens on a port (Linux; elsewhere none is seen to). */
export function isListening(pids: readonly number[], port: number): boolean {
  const rows = readSockets((local, _, state) => state === 'listen' && local === port);
  return rows.length > 0 && heldBy(pids, new Set(rows.map(({ inode }) => inode))).size > 0;
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
  try {
    // A program may call itself anything.
    const own = readFileSync(`/proc/${pid}/comm`, 'utf8')
      .replace(/[\x00-\x1f\x7f]/g, '')
      .trim();
    const program = basename(readlinkSync(`/proc/${pid}/exe`));
    // Node 24 and newer name their first thread, which is what the kernel calls the process: `node-MainThread`.
    return (own.startsWith(`${program}-`) ? program : own) || 'a process';
  } catch {
    return 'a process'; // gone
  }
}
