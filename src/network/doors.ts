/**
 * The public addresses of a run: each is a door, before which a front stands, or a socket that services inherit. A
 * socket becomes a front's when what inherited it turns out to listen on a port of its own.
 */
import { isDeepStrictEqual } from 'node:util';
import { isSamePlace } from '../address.js';
import type { Address, FrontSpec, InstanceId, ServiceSpec, Tag } from '../model.js';
import type { Clock } from '../ports.js';
import type { Prepared } from '../run-part.js';
import { type Front, openFront } from './front.js';
import type { Refusal } from './front-refusal.js';
import { canListenForOthers, type Listener, openListeners } from './listener.js';
import { ownersOf, ownersOfPath } from './port-owner.js';
import { clearAway, type Ids, letIn, makeWay, ownIds } from './socket-file.js';
import { type Unreachable, unreachable } from './unreachable.js';

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

type Changed = Pick<Door, 'service' | 'spec' | 'ids'>;

export interface Behind {
  readonly clock: Clock;
  /** Numbers of an owner. Rejects with a ProcletError for one that cannot be had. */
  idsOf(owner: string): Promise<Ids>;
  target(door: Door, current?: Address): Promise<Address>;
  refusal(door: Door, error: unknown): Refusal;
  /** Whether a process is of a service of this run. */
  isOurs(pid: number): boolean;
  notice(text: string): void;
}

export class Doors {
  readonly #behind: Behind;
  readonly #doors = new Set<Door>();
  /** Those that are to be open, once a process of the run gives their addresses back. */
  readonly #held = new Set<Door>();
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
    const { kept, fresh, old } = this.#compare(services, admits);
    const isFreed = ({ spec }: Door) => old.some((door) => isSamePlace(door.spec.listen, spec.listen));
    const held = new Set<Door>();
    const drop = () => {
      for (const door of fresh) this.#remove(door);
    };
    try {
      for (const one of [...fresh, ...kept.values()]) one.ids = await this.#idsFor(one);
      for (const own of byService(fresh.filter((door) => !isFreed(door)))) await this.#openAll(own, held);
    } catch (error) {
      drop();
      throw error;
    }
    return {
      drop,
      take: async () => {
        const later = fresh.filter(isFreed);
        for (const door of old) this.#remove(door);
        for (const [door, changed] of kept) this.#change(door, changed);
        for (const door of fresh) this.#doors.add(door);
        for (const door of held) this.#held.add(door);
        admit();
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
    return this.of(tag).flatMap(({ front }) => (typeof front === 'object' ? [front] : []));
  }

  isOwnPort(port: number): boolean {
    return [...this.#doors].some(({ front }) => typeof front === 'object' && front.isOwnPort(port));
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
    const { listen, proxyProtocol } = door.spec;
    door.front = 'opening';
    try {
      door.front = await openFront({
        ...{ clock: this.#behind.clock, listen, proxyProtocol, ids: door.ids },
        ...(door.listener && { socket: door.listener.handle }),
        target: (current) => door.admits.then(() => this.#behind.target(door, current)),
        // Who may not see old code may not see it on a connection that was there before, either.
        asksAgain: () => door.service.reload === 'shotgun',
        refusal: (error) => this.#behind.refusal(door, error),
      });
      this.#held.delete(door);
      if (this.#closed || door.isGone) this.#shut(door);
    } catch (error) {
      door.front = undefined;
      throw unreachable(door.service.tag, listen, error);
    }
  }

  /** Gives an instance that ended its own port back. */
  closeLate(id: InstanceId): void {
    for (const door of this.before(id)) if (!door.spec.eager) this.#shut(door);
  }

  /**
   * Nothing of the service runs. A socket that nobody accepts from would keep clients waiting; a front that may wake
   * the service stays, unless the service was put down for good.
   */
  rest(tag: Tag, forGood: boolean): void {
    for (const door of this.of(tag)) {
      if (!door.spec.inherited && (!forGood || door.service.start === 'on-access')) continue;
      this.#shut(door);
      this.#held.delete(door);
    }
  }

  close(): void {
    this.#closed = true;
    for (const door of this.#doors) this.#shut(door);
  }

  /** The doors of these services: those that are there already, those that are new, and those that are no more. */
  #compare(services: readonly ServiceSpec[], admits: Promise<void>) {
    const old = new Set(this.#doors);
    const kept = new Map<Door, Changed>();
    const fresh: Door[] = [];
    for (const service of services) {
      for (const spec of service.fronts) {
        const same = [...old].find((door) => isSameDoor(door.spec, spec));
        if (same === undefined) fresh.push({ service, spec, admits, ...closedDoor });
        else {
          kept.set(same, { service, spec, ids: undefined });
          old.delete(same);
        }
      }
    }
    return { kept, fresh, old: [...old] };
  }

  /** Whom a socket lets in changes while it is open: who has inherited it listens on. */
  #change(door: Door, changed: Changed): void {
    const { listen } = changed.spec;
    const isOpen = door.listener !== undefined || typeof door.front === 'object';
    const isOther = !isDeepStrictEqual(door.spec.listen, listen);
    Object.assign(door, changed);
    if (!isOpen || !isOther || !('path' in listen)) return;
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
    this.#shut(door);
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

  /** All sockets are closed when this returns. */
  #shut(door: Door): void {
    const { front, listener } = door;
    if (typeof front === 'object') void front.close();
    else if (front === undefined) listener?.close();
    door.front = undefined;
    door.listener = undefined;
  }
}

const closedDoor = { isGone: false, listener: undefined, front: undefined, turn: 0, ids: undefined };

async function makeWayFor({ service, spec: { listen } }: Door): Promise<void> {
  if (!('path' in listen)) return;
  await makeWay(listen).catch((error: unknown) => {
    throw unreachable(service.tag, listen, error);
  });
}

function isToBind({ spec, listener, front }: Door): boolean {
  return spec.inherited && listener === undefined && front === undefined;
}

function byService(doors: readonly Door[]): readonly (readonly Door[])[] {
  const tags = new Set(doors.map(({ service }) => service.tag));
  return [...tags].map((tag) => doors.filter(({ service }) => service.tag === tag));
}

/** Whether what stands at a public address can stay: for which instances it is, and whom it lets in, may change. */
function isSameDoor(one: FrontSpec, other: FrontSpec): boolean {
  const nature = ({ listen, eager, proxyProtocol, inherited }: FrontSpec) => [
    ...['path' in listen ? listen.path : listen, eager, proxyProtocol, inherited],
  ];
  return isDeepStrictEqual(nature(one), nature(other));
}
