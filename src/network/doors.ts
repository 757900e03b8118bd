/**
 * The public addresses of a run: each is a door, before which a front stands, or a socket that services inherit. A
 * socket becomes a front's when what inherited it turns out to listen on a port of its own.
 */
import { isDeepStrictEqual } from 'node:util';
import { isSamePlace } from '../address.js';
import type { Address, InstanceId, ServiceSpec, Tag } from '../model.js';
import type { Clock } from '../ports.js';
import type { Prepared } from '../run-part.js';
import { byService, type Changed, compareDoors, type Door, isFront, isOpen, shut } from './door.js';
import { type Front, openFront } from './front.js';
import type { Refusal } from './front-refusal.js';
import { adoptListener, canListenForOthers, type Listener, openListeners } from './listener.js';
import { ownersOf, ownersOfPath } from './port-owner.js';
import { closeShared } from './share-socket.js';
import { clearAway, type Ids, letIn, makeWay, ownIds } from './socket-file.js';
import { type Unreachable, unreachable } from './unreachable.js';

export interface Behind {
  readonly clock: Clock;
  /** Numbers of an owner. Rejects with a ProcletError for one that cannot be had. */
  idsOf(owner: string): Promise<Ids>;
  target(door: Door, current?: Address): Promise<Address>;
  refusal(door: Door, error: unknown): Refusal;
  /** Whether anything of a service runs. */
  runs(tag: Tag): boolean;
  /** Whether a process is of a service of this run. */
  isOurs(pid: number): boolean;
  notice(text: string): void;
}

export class Doors {
  readonly #behind: Behind;
  readonly #doors = new Set<Door>();
  /** Those that are to be open, once a process of the run gives their addresses back. */
  readonly #held = new Set<Door>();
  /** Fronts from whose sockets services inherit now, and whose they were: what they have in hand goes on. */
  readonly #closing = new Map<Front, Tag>();
  readonly #inherits = canListenForOthers();
  #closed = false;

  constructor(behind: Behind) {
    this.#behind = behind;
  }

  /**
   * Opens what these services hold from the start, beside what is open; a door that is as it was stays. Rejects with
   * what keeps it from that. What the run itself still has to give back is opened when it has.
   */
  async prepare(services: readonly ServiceSpec[]): Promise<Prepared> {
    let admit = () => {};
    const admits = new Promise<void>((resolve) => {
      admit = resolve;
    });
    const { kept, fresh, old } = compareDoors(this.#doors, services, admits);
    const isFreed = ({ spec }: Door) => old.some((door) => isSamePlace(door.spec.listen, spec.listen));
    const held = new Set<Door>();
    const drop = () => {
      for (const door of fresh) this.#remove(door);
      for (const { socket } of kept.values()) socket?.close();
    };
    try {
      for (const one of [...fresh, ...kept.values()]) one.ids = await this.#idsFor(one);
      for (const own of byService(fresh.filter((door) => !isFreed(door)))) await this.#openAll(own, held);
      for (const [door, changed] of kept) await this.#share(door, changed);
    } catch (error) {
      drop();
      throw error;
    }
    return {
      drop,
      take: async () => {
        for (const door of old) this.#remove(door);
        for (const [door, changed] of kept) this.#change(door, changed);
        for (const door of fresh) this.#doors.add(door);
        for (const door of held) this.#held.add(door);
        admit();
        const later = [...fresh.filter(isFreed), ...[...kept.keys()].filter(isToFront)];
        for (const own of byService(later)) {
          await this.#openAll(own, this.#held).catch((error: Error) => this.#behind.notice(error.message));
        }
        if (this.#closed) this.close();
      },
    };
  }

  /** Opens what processes of the run held when it was to be opened, and what they hold no more. */
  async openHeld(): Promise<void> {
    for (const own of byService([...this.#held])) {
      await this.#openAll(own, this.#held).catch((error: Error) => {
        this.#behind.notice(error.message);
        for (const door of own) this.#held.delete(door);
      });
    }
  }

  of(tag: Tag): readonly Door[] {
    return [...this.#doors].filter(({ service }) => service.tag === tag);
  }

  before(id: InstanceId): readonly Door[] {
    return [...this.#doors].filter(({ spec }) => spec.instances.includes(id));
  }

  frontsOf(tag: Tag): readonly Front[] {
    const own = this.of(tag).flatMap(({ front }) => (typeof front === 'object' ? [front] : []));
    return [...own, ...[...this.#closing].flatMap(([front, whose]) => (whose === tag ? [front] : []))];
  }

  isOwnPort(port: number): boolean {
    const isOwn = (front: Front) => front.isOwnPort(port);
    return (
      [...this.#closing.keys()].some(isOwn) || [...this.#doors].some(({ front }) => isFront(front) && isOwn(front))
    );
  }

  /** Binds what services inherit, unless it is. @throws Error with a sentence */
  openListeners(tag: Tag): void {
    const doors = this.of(tag);
    // Until now a life of the run listened there by itself, and has left its socket.
    for (const door of doors) if (this.#held.has(door)) clearAway(door.spec.listen);
    this.#bind(doors);
  }

  /** The sockets that a life of an instance inherits. */
  inheritedBy(id: InstanceId): readonly Listener[] {
    return this.before(id).flatMap(({ listener }) => listener ?? []);
  }

  /** @throws Error with a sentence, when the address cannot be had */
  async openFront(door: Door): Promise<void> {
    if (door.front !== undefined || this.#closed) return;
    const { listen } = door.spec;
    door.front = 'opening';
    try {
      door.front = await openFront({
        ...{ clock: this.#behind.clock, listen, ids: door.ids },
        get proxyProtocol() {
          return door.spec.proxyProtocol;
        },
        ...(door.listener && { socket: door.listener.handle }),
        target: (current) => door.admits.then(() => this.#behind.target(door, current)),
        // Who may not see old code may not see it on a connection that was there before, either.
        asksAgain: () => door.service.reload === 'shotgun',
        refusal: (error) => this.#behind.refusal(door, error),
      });
      this.#held.delete(door);
      if (!door.spec.inherited) door.listener = undefined;
      if (this.#closed || door.isGone) shut(door);
    } catch (error) {
      door.front = undefined;
      throw unreachable(door.service.tag, listen, error);
    }
  }

  /** Gives an instance that ended its own port back. */
  closeLate(id: InstanceId): void {
    for (const front of this.#closing.keys()) {
      if (front.inFlight > 0) continue;
      this.#closing.delete(front);
      void front.close();
    }
    for (const door of this.before(id)) if (!door.spec.eager) shut(door);
  }

  /**
   * Nothing of the service runs. A socket that nobody accepts from would keep clients waiting; a front that may wake
   * the service stays, unless the service was put down for good.
   */
  rest(tag: Tag, forGood: boolean): void {
    for (const door of this.of(tag)) {
      if (!door.spec.inherited && (!forGood || door.service.start === 'on-access')) continue;
      shut(door);
      this.#held.delete(door);
    }
  }

  close(): void {
    this.#closed = true;
    for (const door of this.#doors) shut(door);
    for (const front of this.#closing.keys()) void front.close();
  }

  /** What a front accepts from now, and services are to inherit. */
  async #share(door: Door, changed: Changed): Promise<void> {
    const { listener, front } = door;
    if (!changed.spec.inherited || !this.#inherits || listener !== undefined || !isFront(front)) return;
    changed.socket = await front.share().catch((error: unknown) => {
      throw unreachable(changed.service.tag, changed.spec.listen, error);
    });
  }

  /** What stands at an address that stays becomes what the plan says, and stays open. */
  #change(door: Door, { socket, ...changed }: Changed): void {
    const { front } = door;
    const { listen, eager, inherited } = changed.spec;
    const isOther = !isDeepStrictEqual(door.spec.listen, listen);
    if (socket !== undefined && isFront(front)) {
      this.#closing.set(front, door.service.tag);
      closeShared(listen, () => void front.stopListening());
      door.listener = adoptListener(listen, socket);
      door.front = undefined;
    } else if (isFront(front) && !inherited) door.listener = undefined;
    Object.assign(door, changed);
    if (isFront(front) && !eager && !this.#behind.runs(door.service.tag)) shut(door);
    if (!isOpen(door) || !isOther || !('path' in listen)) return;
    try {
      letIn(listen, door.ids ?? ownIds());
    } catch (error) {
      this.#behind.notice(unreachable(door.service.tag, listen, error).message);
    }
  }

  #remove(door: Door): void {
    door.isGone = true;
    this.#doors.delete(door);
    this.#held.delete(door);
    shut(door);
  }

  /** Opens what of the doors of one service is held from the start; those that the run itself holds go into a set. */
  async #openAll(doors: readonly Door[], held: Set<Door>): Promise<void> {
    const inherits = (door: Door) => door.spec.inherited && this.#inherits;
    const orHeld = (own: readonly Door[], error: Unreachable) => {
      if (!this.#isHeldByUs(error.address)) throw error;
      for (const door of own) if (door.front === undefined) held.add(door);
    };
    for (const door of doors) {
      if (!door.spec.eager || inherits(door)) continue;
      await this.openFront(door).catch((error: Unreachable) => orHeld([door], error));
    }
    try {
      for (const door of doors.filter(isToBind)) await makeWayFor(door);
      this.#bind(doors);
    } catch (error) {
      orHeld(doors.filter(inherits), error as Unreachable);
    }
  }

  async #idsFor({ spec: { listen } }: Changed): Promise<Ids | undefined> {
    return 'path' in listen && listen.owner !== undefined ? this.#behind.idsOf(listen.owner) : undefined;
  }

  #isHeldByUs(address: Address): boolean {
    const owners = 'path' in address ? ownersOfPath(address.path) : ownersOf(address.port);
    return owners.length > 0 && owners.every(({ pid }) => this.#behind.isOurs(pid));
  }

  #bind(doors: readonly Door[]): void {
    const closed = doors.filter(isToBind);
    if (closed.length === 0 || !this.#inherits || this.#closed) return;
    try {
      const listeners = openListeners(
        closed.map(({ spec }) => spec.listen),
        closed.map(({ ids }) => ids),
      );
      for (const [index, door] of closed.entries()) {
        door.listener = listeners[index];
        this.#held.delete(door);
      }
    } catch (error) {
      const { service, spec } = closed[0] as Door;
      const { address = spec.listen } = error as Partial<Unreachable>;
      throw unreachable(service.tag, address, error);
    }
  }
}

async function makeWayFor({ service, spec: { listen } }: Door): Promise<void> {
  if (!('path' in listen)) return;
  await makeWay(listen).catch((error: unknown) => {
    throw unreachable(service.tag, listen, error);
  });
}

function isToBind({ spec, listener, front }: Door): boolean {
  return spec.inherited && listener === undefined && front === undefined;
}

/** It is open for services to inherit, and a front is to stand there now. */
function isToFront({ spec, listener, front }: Door): boolean {
  return !spec.inherited && listener !== undefined && front === undefined;
}
