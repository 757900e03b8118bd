/**
 * Between the world and the services: holds the fronts, tells the supervisor when instances are ready, wakes
 * what sleeps, and sees accesses. Knows addresses and instances; what an access or readiness means is decided
 * in supervisor/.
 */
import type { Address, FrontSpec, InstanceId, InstanceSpec, Plan, ProcletEvent, ServiceSpec, Tag } from '../model.js';
import type { Clock, Use } from '../ports.js';
import { reservePort } from './free-port.js';
import { type Front, openFront } from './front.js';
import { createOwnPorts } from './own-ports.js';
import { type Passive, watchPassively } from './passive.js';
import { describeOwners, ownersOf } from './port-owner.js';
import { probeReady, type Ready, type ReadyProbe } from './ready.js';
import { readSockets } from './sockets.js';

/** What the gateway asks of the run. */
export interface Keeper {
  wake(tag: Tag): Promise<void>;
  upInstances(tag: Tag): readonly InstanceId[];
  pidsOf(tag: Tag): readonly number[];
  ready(id: InstanceId): void;
  notice(text: string): void;
  /** The last lines that an instance printed, as text. */
  lastWords(id: InstanceId): readonly string[];
}

export interface Gateway {
  /** The port that an instance is told to listen on. */
  portOf(spec: InstanceSpec): number;
  /** Opens what is held from the start. Rejects with what keeps it from that. */
  open(): Promise<void>;
  observe(event: ProcletEvent): void;
  look(tag: Tag): Use;
  close(): Promise<void>;
}

interface Door {
  readonly service: ServiceSpec;
  readonly spec: FrontSpec;
  /** Undefined until it is opened; a promise while it is being opened. */
  front: Front | 'opening' | undefined;
  turn: number;
}

export function createGateway(plan: Plan, clock: Clock, keeper: Keeper): Gateway {
  const gateway = new PlannedGateway(plan, clock, keeper);
  return {
    portOf: (spec) => gateway.portOf(spec),
    open: () => gateway.open(),
    observe: (event) => gateway.observe(event),
    look: (tag) => gateway.look(tag),
    close: () => gateway.close(),
  };
}

class PlannedGateway implements Gateway {
  readonly #clock: Clock;
  readonly #keeper: Keeper;
  readonly #services: ReadonlyMap<Tag, ServiceSpec>;
  readonly #specs: ReadonlyMap<InstanceId, InstanceSpec>;
  readonly #doors: readonly Door[];
  readonly #privatePorts = new Map<InstanceId, number>();
  /** Where an instance listens, once it was asked for. */
  readonly #hosts = new Map<InstanceId, string>();
  readonly #probes = new Map<InstanceId, ReadyProbe[]>();
  readonly #watches = new Map<Tag, Passive>();
  readonly #own;
  #closed = false;

  constructor(plan: Plan, clock: Clock, keeper: Keeper) {
    this.#clock = clock;
    this.#keeper = keeper;
    this.#own = createOwnPorts(clock);
    this.#services = new Map(plan.services.map((service) => [service.tag, service]));
    const specs = plan.services.flatMap(({ instances }) => instances);
    this.#specs = new Map(specs.map((spec) => [spec.id, spec]));
    this.#doors = plan.services.flatMap((service) =>
      service.fronts.map((spec): Door => ({ service, spec, front: undefined, turn: 0 })),
    );
  }

  portOf({ id, port }: InstanceSpec): number {
    if (!this.#doorsOf(id).some(({ spec }) => spec.hidesPort)) return port;
    const known = this.#privatePorts.get(id) ?? reservePort();
    this.#privatePorts.set(id, known);
    return known;
  }

  async open(): Promise<void> {
    for (const door of this.#doors) if (door.spec.eager) await this.#openDoor(door);
  }

  observe(event: ProcletEvent): void {
    if (event.type === 'spawned') this.#begin(event.id);
    else if (event.type === 'exited') this.#end(event.id);
    else if (event.type === 'output') for (const probe of this.#probes.get(event.id) ?? []) probe.observe(event);
  }

  look(tag: Tag): Use {
    const fronts = this.#doors.flatMap(({ service, front }) =>
      service.tag === tag && typeof front === 'object' ? [front] : [],
    );
    const passive = this.#watches.get(tag)?.look() ?? { last: -Infinity, busy: false, listens: false };
    return {
      last: Math.max(passive.last, ...fronts.map(({ lastAccess }) => lastAccess)),
      busy: passive.busy || fronts.some(({ inFlight }) => inFlight > 0),
      listens: passive.listens || fronts.length > 0,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const id of this.#probes.keys()) this.#end(id);
    for (const watch of this.#watches.values()) watch.close();
    await Promise.all(this.#doors.map(({ front }) => (typeof front === 'object' ? front.close() : undefined)));
  }

  #doorsOf(id: InstanceId): readonly Door[] {
    return this.#doors.filter(({ spec }) => spec.instances.includes(id));
  }

  #begin(id: InstanceId): void {
    const spec = this.#specs.get(id);
    const service = spec && this.#services.get(spec.tag);
    if (!spec || !service) return;
    const probes: ReadyProbe[] = [];
    if (spec.ready) probes.push(this.#probe(spec, readinessOf(spec.ready), () => this.#keeper.ready(id)));
    for (const door of this.#doorsOf(id)) {
      // Only now: a program that takes the public address for itself, whatever it was told, is not to find it taken.
      if (door.front === undefined) probes.push(this.#probe(spec, { kind: 'tcp' }, () => void this.#openLate(door)));
    }
    this.#probes.set(id, probes);
    if (service.idle < Infinity && service.idleOn === 'access' && !this.#watches.has(spec.tag)) this.#watch(spec.tag);
  }

  #watch(tag: Tag): void {
    const isOwnPort = (port: number) =>
      this.#own.has(port) || this.#doors.some(({ front }) => typeof front === 'object' && front.isOwnPort(port));
    const pids = () => this.#keeper.pidsOf(tag);
    this.#watches.set(tag, watchPassively({ clock: this.#clock, pids, isOwnPort }));
  }

  #end(id: InstanceId): void {
    for (const probe of this.#probes.get(id) ?? []) probe.cancel();
    this.#probes.delete(id);
    this.#hosts.delete(id);
    for (const door of this.#doorsOf(id)) {
      if (door.spec.eager || typeof door.front !== 'object') continue;
      void door.front.close(); // its sockets are closed when this returns
      door.front = undefined;
    }
    const tag = this.#specs.get(id)?.tag;
    if (tag === undefined || this.#keeper.pidsOf(tag).length > 0) return;
    this.#watches.get(tag)?.close();
    this.#watches.delete(tag);
  }

  #probe(spec: InstanceSpec, ready: Ready, then: () => void): ReadyProbe {
    const onReady = (host?: string) => {
      if (host !== undefined) this.#hosts.set(spec.id, host);
      then();
    };
    return probeReady({
      ...{ clock: this.#clock, ready, port: this.portOf(spec), onReady },
      onAttemptPort: (port) => this.#own.hold(port),
    });
  }

  /** The service answers at its own port already, so a taken public address is a pity and no error. */
  async #openLate(door: Door): Promise<void> {
    try {
      await this.#openDoor(door);
    } catch (error) {
      this.#keeper.notice((error as Error).message);
    }
  }

  async #openDoor(door: Door): Promise<void> {
    if (door.front !== undefined || this.#closed) return;
    const { listen, proxyProtocol } = door.spec;
    door.front = 'opening';
    try {
      door.front = await openFront({
        ...{ clock: this.#clock, listen, proxyProtocol },
        target: () => this.#target(door),
        refusal: (error) => this.#refusal(door, error),
      });
      if (this.#closed) await door.front.close();
    } catch (error) {
      door.front = undefined;
      throw new Error(`${door.service.tag} cannot be reached at ${placeOf(listen)}: ${reasonOf(error, listen)}`);
    }
  }

  /** The next of the instances that are up; without one, whatever wakes the service. */
  async #target(door: Door): Promise<Address> {
    const { tag } = door.service;
    let ids = this.#upBehind(door);
    if (ids.length === 0) {
      await this.#keeper.wake(tag);
      ids = this.#upBehind(door);
    }
    const id = ids[door.turn++ % Math.max(ids.length, 1)];
    const spec = id === undefined ? undefined : this.#specs.get(id);
    if (spec === undefined) throw new Error(`${tag} is not running`);
    return { host: this.#hostOf(spec), port: this.portOf(spec) };
  }

  /** Most listen on all addresses or on 127.0.0.1; some, which were told `localhost`, on ::1 alone. */
  #hostOf(spec: InstanceSpec): string {
    const known = this.#hosts.get(spec.id);
    if (known !== undefined) return known;
    const port = this.portOf(spec);
    const rows = readSockets((local, _remote, state) => state === 'listen' && local === port);
    const addresses = rows.map(({ local }) => local.address);
    const everywhere =
      addresses.length === 0 || addresses.some((each) => ['127.0.0.1', '0.0.0.0', '::'].includes(each));
    const host = everywhere ? '127.0.0.1' : (addresses[0] ?? '127.0.0.1');
    this.#hosts.set(spec.id, host);
    return host;
  }

  #upBehind({ service, spec }: Door): readonly InstanceId[] {
    return this.#keeper.upInstances(service.tag).filter((id) => spec.instances.includes(id));
  }

  #refusal({ service, spec }: Door, error: unknown) {
    const title = `${service.tag} could not be started`;
    const reason = error instanceof Error ? error.message : String(error);
    return { title, lines: [reason, ...spec.instances.flatMap((id) => this.#keeper.lastWords(id))] };
  }
}

function readinessOf(ready: NonNullable<InstanceSpec['ready']>): Ready {
  return ready.kind === 'log' ? { kind: 'log', pattern: new RegExp(ready.pattern) } : ready;
}

function placeOf(address: Address): string {
  return 'path' in address ? address.path : `${address.host}:${address.port}`;
}

function reasonOf(error: unknown, address: Address): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EADDRINUSE' || 'path' in address) return message;
  return `port ${address.port} is held by ${describeOwners(ownersOf(address.port))}`;
}
