/** Who listens on a port, and whether one is taken. Only looks. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import { constants } from 'node:os';
import { basename, isAbsolute, resolve } from 'node:path';
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

/** The processes that listen on a Unix socket, as far as they can be seen (Linux). `path` is absolute. */
export function ownersOfPath(path: string): PortOwner[] {
  try {
    return unixListeners(path).flatMap(({ name, inode }) =>
      holdersOf(new Set([inode])).filter(({ pid }) => resolve(readlinkSync(`/proc/${pid}/cwd`), name) === path),
    );
  } catch {
    return []; // ENOENT: not Linux, or just gone; EMFILE: nobody can be seen
  }
}

/** Whether somebody may listen on a Unix socket; `undefined` where that is not told (elsewhere than on Linux). */
export function isPathTaken(path: string): boolean | undefined {
  try {
    return unixListeners(path).length > 0;
  } catch {
    return undefined; // ENOENT: not Linux; EMFILE: it cannot be read now
  }
}

/**
 * proc(5): `num: refs protocol flags type state inode path`. The flag is that of a socket that accepts; the name is what
 * its program said, so one that is relative is meant from the directory in which that was.
 */
function unixListeners(path: string): { readonly name: string; readonly inode: string }[] {
  const rows = readFileSync('/proc/net/unix', 'utf8').split('\n');
  return rows.flatMap((row) => {
    const [, flags = '', inode = '', name = ''] = /^\S+: \S+ \S+ (\S+) \S+ \S+ +(\d+) (.*)$/.exec(row) ?? [];
    const isMeant = name === path || (name !== '' && !isAbsolute(name) && basename(name) === basename(path));
    return isMeant && (Number.parseInt(flags, 16) & 0x10000) !== 0 ? [{ name, inode }] : [];
  });
}

function readOwners(port: number): PortOwner[] {
  const rows = readSockets((local, _, state) => state === 'listen' && local === port);
  return holdersOf(new Set(rows.map(({ inode }) => inode)));
}

function holdersOf(inodes: ReadonlySet<string>): PortOwner[] {
  if (inodes.size === 0) return [];
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
