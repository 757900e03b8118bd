/** One public address of a run, what stands at it, and what of the addresses of another plan is there already. */
import { rmSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Address, FrontSpec, ServiceSpec, Tag } from '../model.js';
import type { Front } from './front.js';
import type { Listener } from './listener.js';
import type { SharedSocket } from './share-socket.js';
import type { Ids } from './socket-file.js';

export interface Door {
  service: ServiceSpec;
  spec: FrontSpec;
  /** No plan has it any more. */
  isGone: boolean;
  /** Resolves when the plan that it is part of holds: nobody is let in before that. */
  readonly admits: Promise<void>;
  /** Held and not accepted from: for services to inherit. */
  listener: Listener | undefined;
  /** Undefined until it is opened. */
  front: Front | 'opening' | undefined;
  turn: number;
  /** Whose a Unix socket is to be. */
  ids: Ids | undefined;
}

/** What a door that stays becomes. */
export interface Changed extends Pick<Door, 'service' | 'spec'> {
  ids: Ids | undefined;
  /** The socket of its front, for services to inherit from now on. */
  socket?: SharedSocket;
}

const closedDoor = { isGone: false, listener: undefined, front: undefined, turn: 0, ids: undefined };

/**
 * The doors of these services: those that are there already, whatever stands at them and whosever they were, those that
 * are new, and those that are no more. What is open at an address that stays is kept, so that nobody is refused there.
 */
export function compareDoors(doors: Iterable<Door>, services: readonly ServiceSpec[], admits: Promise<void>) {
  const old = new Set(doors);
  const kept = new Map<Door, Changed>();
  const fresh: Door[] = [];
  for (const service of services) {
    for (const spec of service.fronts) {
      const same = [...old].find(
        (door) => isSameAddress(door.spec, spec) && (isOpen(door) || isSameForm(door.spec, spec)),
      );
      if (same === undefined) fresh.push({ service, spec, admits, ...closedDoor });
      else {
        kept.set(same, { service, spec, ids: undefined });
        old.delete(same);
      }
    }
  }
  return { kept, fresh, old: [...old] };
}

export function isOpen({ listener, front }: Pick<Door, 'listener' | 'front'>): boolean {
  return isFront(front) || (listener !== undefined && front === undefined);
}

export function isFront(front: Door['front']): front is Front {
  return typeof front === 'object';
}

/** All sockets are closed when this returns. */
export function shut(door: Door): void {
  const { front, listener, spec } = door;
  if (isFront(front)) {
    void front.close();
    // libuv removes the names of those Unix sockets alone that it has bound.
    if ('path' in spec.listen) rmSync(spec.listen.path, { force: true });
  } else if (front === undefined) listener?.close();
  door.front = undefined;
  door.listener = undefined;
}

export function byService(doors: readonly Door[]): readonly (readonly Door[])[] {
  const tags = new Set<Tag>(doors.map(({ service }) => service.tag));
  return [...tags].map((tag) => doors.filter(({ service }) => service.tag === tag));
}

function isSameAddress({ listen: one }: FrontSpec, { listen: other }: FrontSpec): boolean {
  return isDeepStrictEqual(placeOf(one), placeOf(other));
}

/** Whom a Unix socket lets in may change. */
function placeOf(address: Address): unknown {
  return 'path' in address ? address.path : address;
}

function isSameForm(one: FrontSpec, other: FrontSpec): boolean {
  return one.eager === other.eager && one.inherited === other.inherited;
}
