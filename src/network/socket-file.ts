/**
 * Unix sockets in the file system: a name that fits, whose socket is in the way, and who may connect. Nobody but the
 * user and root can connect before the mode and the owner are as they are to be.
 */
import { chmodSync, chownSync, lstatSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import { socketPathTrouble } from '../address.js';
import type { Address, SocketAddress } from '../model.js';
import { isPathTaken } from './port-owner.js';

/** Numbers of a user and a group; -1 leaves what is. */
export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** Only the user who runs proclet, unless somebody says otherwise. */
const usualMode = 0o600;

/**
 * Makes a place for it: what a program that was killed has left there is removed. Everything else stays, and binding
 * fails. @throws Error with a sentence for a name that is too long, which the system would cut
 */
export async function makeWay({ path }: SocketAddress): Promise<void> {
  const trouble = socketPathTrouble(path);
  if (trouble !== undefined) throw new Error(trouble);
  if (await isStale(path)) unlinkSync(path);
}

/** The same at once, where it can be seen that nobody listens there (Linux). */
export function clearAway(address: Address): void {
  if ('path' in address && isSocket(address.path) && isPathTaken(address.path) === false) unlinkSync(address.path);
}

/** Binds with a call that binds at once, and lets those in whom the address names. */
export function bindFor<T>(address: SocketAddress, ids: Ids | undefined, bind: () => T): T {
  const before = process.umask(0o177);
  let bound: T;
  try {
    bound = bind();
  } finally {
    process.umask(before);
  }
  letIn(address, ids);
  return bound;
}

/** Lets those in whom the address names, and nobody else, if there is a socket. */
export function letIn({ path, mode = usualMode }: SocketAddress, ids: Ids | undefined): void {
  if (!isSocket(path)) return;
  // Whoever has been given a file may not change its mode, but root may.
  if (ids !== undefined) chownSync(path, ids.uid, ids.gid);
  chmodSync(path, mode);
}

/** Of the user who runs proclet. */
export function ownIds(): Ids {
  return { uid: process.geteuid?.() ?? -1, gid: process.getegid?.() ?? -1 };
}

/** Why it cannot be had, when something is in its place. */
export function inTheWay(path: string): string {
  return isSocket(path) ? 'another program listens there' : 'there is a file that is no socket; move it away';
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

/** Whether a path is a socket on which nobody listens. One that is stopped, or whose queue is full, still does. */
function isStale(path: string): Promise<boolean> {
  if (!isSocket(path)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const probe = net.connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
