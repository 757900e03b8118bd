/** A public address that cannot be had, as a sentence. */
import type { Address, Tag } from '../model.js';
import { describeOwners, ownersOf } from './port-owner.js';
import { inTheWay } from './socket-file.js';

export interface Unreachable extends Error {
  readonly address: Address;
}

export function unreachable(tag: Tag, address: Address, error: unknown): Unreachable {
  const place = 'path' in address ? address.path : `${address.host}:${address.port}`;
  return Object.assign(new Error(`${tag} cannot be reached at ${place}: ${reasonOf(error, address)}`), { address });
}

function reasonOf(error: unknown, address: Address): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EADDRINUSE') return message;
  if ('path' in address) return inTheWay(address.path);
  return `port ${address.port} is held by ${describeOwners(ownersOf(address.port))}`;
}
