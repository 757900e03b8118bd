/** Where a client of the front stands, and what follows from that alone. */
import type { Socket } from 'node:net';
import type { Millis } from '../model.js';
import type { Farewell } from './front-farewell.js';
import type { Link } from './front-link.js';

/** A client that waits is read until this much is here, so at most twice as much is held. */
export const heldWhileWaiting = 4096;

export interface Linked {
  readonly is: 'linked';
  readonly link: Link;
  readonly upstream: Socket;
  /** The next request, which asks where it goes when the last one is answered. */
  next: Buffer | undefined;
}

export type Stage =
  | {
      readonly is: 'waiting';
      readonly first: Buffer[];
      readonly cancel: () => void;
      /** What the client was linked to, in case that it is led there again. */
      readonly spare?: Linked | undefined;
    }
  | Linked
  | { readonly is: 'parked'; readonly cancel: () => void }
  | { readonly is: 'refused'; readonly farewell: Farewell }
  | { readonly is: 'over' };

/** Whether an answer is owed, or bytes are left. */
export function isInFlight(stage: Stage, client: Socket, now: Millis): boolean {
  switch (stage.is) {
    case 'waiting':
      return true;
    case 'linked':
      return stage.next !== undefined || stage.link.isInUse(now);
    case 'refused':
      return client.writableLength > 0;
    case 'parked':
    case 'over':
      return false;
    default:
      return stage satisfies never;
  }
}

/** Whether there is room for what the client says next. */
export function mayRead(stage: Stage): boolean {
  switch (stage.is) {
    case 'waiting':
      return hasRoom(stage.first);
    case 'linked':
      return stage.next === undefined && holdOf(stage) === undefined;
    case 'refused':
    case 'parked':
      return true;
    case 'over':
      return false;
    default:
      return stage satisfies never;
  }
}

/** As `Link.hold`. */
export function holdOf(stage: Stage): number | undefined {
  return stage.is === 'linked' ? stage.link.hold : undefined;
}

export function hasRoom(first: readonly Buffer[]): boolean {
  return first.reduce((sum, { length }) => sum + length, 0) < heldWhileWaiting;
}

/** Whatever would happen to it by itself does not. */
export function cancel(stage: Stage): void {
  if (stage.is === 'waiting' || stage.is === 'parked') stage.cancel();
  else if (stage.is === 'refused') stage.farewell.close();
}
