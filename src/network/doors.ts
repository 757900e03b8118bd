/**
 * The public addresses of a run: each is a door, before which a front stands, or a socket that services inherit. A
 * socket becomes a front's when what inherited it turns out to listen on a port of its own.
 */
import type { Address, FrontSpec, InstanceId, ServiceSpec, Tag } from '../model.js';
import type { Clock } from '../ports.js';
import { type Front, openFront } from './front.js';
import type { Refusal } from './front-refusal.js';
import { canListenForOthers, type Listener, openListeners } from './listener.js';
import { describeOwners, ownersOf } from './port-owner.js';

export interface Door {
  readonly service: ServiceSpec;
  readonly spec: FrontSpec;
  /** Held and not accepted from: for services to inherit. */
  listener: Listener | undefined;
  /** Undefined until it is opened. */
  front: Front | 'opening' | undefined;
  turn: number;
}

export interface Behind {
  readonly clock: Clock;
  target(door: Door): Promise<Address>;
  refusal(door: Door, error: unknown): Refusal;
}

export class Doors {
  readonly #behind: Behind;
  readonly #doors = new Set<Door>();
  readonly #inherits = canListenForOthers();
  #closed = false;

  constructor(behind: Behind) {
    this.#behind = behind;
  }

  add(service: ServiceSpec): void {
    for (const spec of service.fronts) {
      this.#doors.add({ service, spec, listener: undefined, front: undefined, turn: 0 });
    }
  }

  remove(tag: Tag): void {
    for (const door of this.of(tag)) {
      this.#doors.delete(door);
      this.#shut(door);
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

  /** Opens what is held from the start. Rejects with what keeps it from that. */
  async openEager(tag: Tag): Promise<void> {
    for (const door of this.of(tag)) {
      if (!door.spec.eager) continue;
      if (!(door.spec.inherited && this.#inherits)) await this.openFront(door);
    }
    this.openListeners(tag);
  }

  /** Binds what services inherit, unless it is. @throws Error with a sentence */
  openListeners(tag: Tag): void {
    const closed = this.of(tag).filter(({ spec, listener, front }) => spec.inherited && !listener && !front);
    if (closed.length === 0 || !this.#inherits || this.#closed) return;
    try {
      const listeners = openListeners(closed.map(({ spec }) => spec.listen));
      for (const [index, door] of closed.entries()) door.listener = listeners[index];
    } catch (error) {
      const address = closed[0]?.spec.listen ?? { path: '' };
      throw new Error(unreachable(tag, address, error));
    }
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
        ...{ clock: this.#behind.clock, listen, proxyProtocol },
        ...(door.listener && { socket: door.listener.handle }),
        target: () => this.#behind.target(door),
        refusal: (error) => this.#behind.refusal(door, error),
      });
      if (this.#closed || !this.#doors.has(door)) this.#shut(door);
    } catch (error) {
      door.front = undefined;
      throw new Error(unreachable(door.service.tag, listen, error));
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
      if (door.spec.inherited || (forGood && door.service.start !== 'on-access')) this.#shut(door);
    }
  }

  close(): void {
    this.#closed = true;
    for (const door of this.#doors) this.#shut(door);
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

function unreachable(tag: Tag, address: Address, error: unknown): string {
  const place = 'path' in address ? address.path : `${address.host}:${address.port}`;
  return `${tag} cannot be reached at ${place}: ${reasonOf(error, address)}`;
}

function reasonOf(error: unknown, address: Address): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EADDRINUSE' || 'path' in address) return message;
  return `port ${address.port} is held by ${describeOwners(ownersOf(address.port))}`;
}
