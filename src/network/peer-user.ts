/**
 * Whose the other end of a connection is, where that end is a socket of this machine: the kernel's table of sockets has a
 * row for it, with its user (Linux). A reading takes milliseconds whatever is in it, so it is made beside the event loop,
 * one at a time, and one is for all who asked before it began.
 */
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { parseSockets } from './sockets.js';

/** A connection as our end of it sees it. */
export interface Ends {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

export type PeerUser =
  | { readonly is: 'user'; readonly uid: number }
  /** On this machine, but no process is seen to hold it: it was closed, or is in another network namespace. */
  | { readonly is: 'unseen' }
  | { readonly is: 'elsewhere' }
  /** The system does not tell. */
  | { readonly is: 'untold' };

export type PeerUsers = (ends: Ends) => Promise<PeerUser>;

/** A table of sockets; undefined where there is none. */
export type ReadTable = (family: 4 | 6) => Promise<string | undefined>;

const fromProc: ReadTable = (family) =>
  readFile(family === 4 ? '/proc/net/tcp' : '/proc/net/tcp6', 'latin1').catch(() => undefined);

export function createPeerUsers(read: ReadTable = fromProc): PeerUsers {
  const tables = { 4: oneForAll(() => read(4)), 6: oneForAll(() => read(6)) };
  return async (ends) => {
    const remote = plain(ends.remoteAddress);
    let isTold = false;
    // Programs that open IPv6 sockets for everything have the row of an IPv4 connection in the other table.
    for (const family of remote.includes(':') ? ([6] as const) : ([4, 6] as const)) {
      const table = await tables[family]();
      isTold ||= table !== undefined;
      const uid = ownerIn(table ?? '', ends);
      if (uid !== undefined) return { is: 'user', uid };
    }
    if (!isTold) return { is: 'untold' };
    return { is: isOwnAddress(remote) ? 'unseen' : 'elsewhere' };
  };
}

/**
 * The user of the row that is the other end. A socket that its process has closed is in the table for a while, as root's
 * and without an inode: that says nothing of whose it was.
 */
function ownerIn(table: string, ends: Ends): number | undefined {
  const rows = parseSockets(table, (local, remote) => local === ends.remotePort && remote === ends.localPort);
  const [local, remote] = [plain(ends.localAddress), plain(ends.remoteAddress)];
  const row = rows.find((one) => one.local.address === remote && one.remote.address === local && one.inode !== '0');
  return row?.uid;
}

function plain(address = ''): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
}

function isOwnAddress(address: string): boolean {
  if (address.startsWith('127.') || address === '::1') return true;
  return Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === address));
}

/** What `make` makes, begun after it was asked for: one at a time, and the same for all who asked before it began. */
function oneForAll<T>(make: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;
  return () => {
    next ??= running.then(() => {
      next = undefined;
      const made = make();
      running = made;
      return made;
    });
    return next;
  };
}
