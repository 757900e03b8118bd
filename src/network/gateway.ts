/**
 * Between the world and the services: holds the fronts, tells the supervisor when instances are ready, wakes
 * what sleeps, and sees accesses. Knows addresses and instances; what an access or readiness means is decided
 * in supervisor/.
 */
import { lifeKey } from '../life-key.js';
import type { Address, InstanceId, InstanceSpec, Millis, Plan, ProcletEvent, ServiceSpec, Tag } from '../model.js';
import type { Clock, Life, Use } from '../ports.js';
import { type Door, Doors } from './doors.js';
import { reservePort } from './free-port.js';
import type { Listener } from './listener.js';
import { loopbackOf } from './listening.js';
import { createOwnPorts } from './own-ports.js';
import { type Passive, watchPassively } from './passive.js';
import { probeReady, type Ready, type ReadyProbe } from './ready.js';

/** What the gateway asks of the run. */
export interface Keeper {
  /** Resolves when there is an instance for an access: one that is up, and of a fresh life where that is asked for. */
  wake(tag: Tag): Promise<void>;
  upLives(tag: Tag): readonly Life[];
  pidsOf(tag: Tag): readonly number[];
  ready(life: Life): void;
  notice(text: string): void;
  /** The last lines that an instance printed, as text. */
  lastWords(id: InstanceId): readonly string[];
}

export interface Gateway {
  /** The port that a life of an instance is told to listen on. */
  portOf(spec: InstanceSpec, generation: number): number;
  /** The sockets that it inherits. */
  socketsOf(spec: InstanceSpec): readonly Listener[];
  /** Opens what is held from the start. Rejects with what keeps it from that. */
  open(): Promise<void>;
  observe(event: ProcletEvent): void;
  look(tag: Tag): Use;
  /** Whether an instance was seen to listen on its own port although it inherits sockets. */
  listensItself(tag: Tag): boolean;
  /** Sees the connections to a life off. */
  drain(life: Life, within: Millis): Promise<void>;
  /** Services that came, went or changed. */
  reconfigure(plan: Plan): Promise<void>;
  close(): Promise<void>;
}

/** A program that inherits sockets and does not listen on its own port for so long will not any more. */
const learnFor: Millis = 60_000;

/** What a connection at rest is left of time when it is seen off. */
const quietFor: Millis = 100;

export function createGateway(plan: Plan, clock: Clock, keeper: Keeper): Gateway {
  return new PlannedGateway(plan, clock, keeper);
}

class PlannedGateway implements Gateway {
  readonly #clock: Clock;
  readonly #keeper: Keeper;
  readonly #doors: Doors;
  readonly #services = new Map<Tag, ServiceSpec>();
  readonly #specs = new Map<InstanceId, InstanceSpec>();
  /** By life, and those that no life has any more, by instance. */
  readonly #privatePorts = new Map<string, number>();
  readonly #sparePorts = new Map<InstanceId, number[]>();
  /** Where a life listens, once it was asked for. */
  readonly #hosts = new Map<string, string>();
  readonly #probes = new Map<string, ReadyProbe[]>();
  /** Lives that accept connections and have nothing else to show before they are used. */
  readonly #answering = new Map<string, Life>();
  readonly #watches = new Map<Tag, Passive>();
  readonly #listening = new Set<Tag>();
  readonly #own;

  constructor(plan: Plan, clock: Clock, keeper: Keeper) {
    this.#clock = clock;
    this.#keeper = keeper;
    this.#own = createOwnPorts(clock);
    this.#doors = new Doors({
      clock,
      target: (door) => this.#target(door),
      refusal: (door, error) => this.#refusal(door, error),
    });
    for (const service of plan.services) this.#add(service);
  }

  portOf(spec: InstanceSpec, generation: number): number {
    const { id, port } = spec;
    if (!this.#doors.before(id).some((door) => door.spec.hidesPort)) return port;
    const key = lifeKey({ id, generation });
    const own = this.#privatePorts.get(key) ?? this.#sparePorts.get(id)?.pop() ?? reservePort();
    this.#privatePorts.set(key, own);
    return own;
  }

  socketsOf({ id, tag }: InstanceSpec): readonly Listener[] {
    try {
      this.#doors.openListeners(tag);
    } catch (error) {
      this.#keeper.notice((error as Error).message);
    }
    return this.#doors.inheritedBy(id);
  }

  async open(): Promise<void> {
    for (const tag of this.#services.keys()) await this.#doors.openEager(tag);
  }

  observe(event: ProcletEvent): void {
    if (event.type === 'spawned') this.#begin(event);
    else if (event.type === 'exited') this.#end(event);
    else if (event.type === 'stopping') this.#answering.delete(lifeKey(event));
    else if (event.type === 'output') {
      const { id, generation = 0 } = event;
      for (const probe of this.#probes.get(lifeKey({ id, generation })) ?? []) probe.observe(event);
    }
  }

  look(tag: Tag): Use {
    const fronts = this.#doors.frontsOf(tag);
    const passive = this.#watches.get(tag)?.look() ?? { last: -Infinity, busy: false, listens: false };
    return {
      last: Math.max(passive.last, ...fronts.map(({ lastAccess }) => lastAccess)),
      busy: passive.busy || fronts.some(({ inFlight }) => inFlight > 0),
      listens: passive.listens || fronts.length > 0,
    };
  }

  listensItself(tag: Tag): boolean {
    return this.#listening.has(tag);
  }

  async drain(life: Life, within: Millis): Promise<void> {
    const spec = this.#specs.get(life.id);
    if (spec === undefined) return;
    const address = { host: this.#hostOf(spec, life.generation), port: this.portOf(spec, life.generation) };
    await Promise.all(this.#doors.frontsOf(spec.tag).map((front) => front.drain(address, quietFor, within)));
  }

  async reconfigure({ services }: Plan): Promise<void> {
    const next = new Map(services.map((service) => [service.tag, service]));
    for (const [tag, service] of this.#services) {
      const fronts = next.get(tag)?.fronts;
      if (JSON.stringify(fronts) === JSON.stringify(service.fronts)) next.delete(tag);
      else this.#doors.remove(tag);
      if (fronts === undefined) this.#services.delete(tag);
    }
    for (const service of services) {
      if (next.has(service.tag)) this.#add(service);
      else this.#know(service);
    }
    for (const tag of next.keys()) {
      await this.#doors.openEager(tag).catch((error: Error) => this.#keeper.notice(error.message));
    }
  }

  async close(): Promise<void> {
    for (const probes of this.#probes.values()) for (const probe of probes) probe.cancel();
    this.#probes.clear();
    for (const watch of this.#watches.values()) watch.close();
    this.#doors.close();
  }

  #add(service: ServiceSpec): void {
    this.#know(service);
    this.#doors.add(service);
  }

  #know(service: ServiceSpec): void {
    this.#services.set(service.tag, service);
    for (const spec of service.instances) this.#specs.set(spec.id, spec);
  }

  #begin({ id, generation }: Life): void {
    const spec = this.#specs.get(id);
    const service = spec && this.#services.get(spec.tag);
    if (!spec || !service) return;
    const life = { id, generation };
    const probes: ReadyProbe[] = [];
    const doors = this.#doors.before(id);
    const inherits = doors.some(({ listener, front }) => listener !== undefined && front === undefined);
    const ready = spec.ready ?? (this.#listening.has(spec.tag) ? ({ kind: 'tcp' } as const) : undefined);
    if (ready) probes.push(this.#probe(spec, life, readinessOf(ready), () => this.#keeper.ready(life)));
    if (inherits) probes.push(this.#learn(spec, life));
    for (const door of doors) {
      // Only now: a program that takes the public address for itself, whatever it was told, is not to find it taken.
      if (door.front !== undefined || door.spec.inherited) continue;
      if (door.spec.eager) void this.#openLate(door);
      const answers = () => {
        if (spec.ready === undefined) this.#answering.set(lifeKey(life), life);
        void this.#openLate(door);
      };
      probes.push(this.#probe(spec, life, { kind: 'tcp' }, answers));
    }
    this.#probes.set(lifeKey(life), probes);
    if (service.idle < Infinity && service.idleOn === 'access' && !this.#watches.has(spec.tag)) this.#watch(spec.tag);
  }

  /** Who inherits a socket and yet listens on a port of its own knows nothing of sockets: a front accepts for it. */
  #learn(spec: InstanceSpec, life: Life): ReadyProbe {
    const probe = this.#probe(spec, life, { kind: 'tcp' }, () => {
      this.#listening.add(spec.tag);
      for (const door of this.#doors.before(spec.id)) void this.#openLate(door);
      if (spec.ready === undefined) this.#keeper.ready(life);
    });
    const tire = this.#clock.wakeAt(this.#clock.now() + learnFor, () => probe.cancel());
    return {
      heard: probe.heard,
      observe: (output) => probe.observe(output),
      cancel() {
        tire();
        probe.cancel();
      },
    };
  }

  #watch(tag: Tag): void {
    const isOwnPort = (port: number) => this.#own.has(port) || this.#doors.isOwnPort(port);
    const pids = () => this.#keeper.pidsOf(tag);
    this.#watches.set(tag, watchPassively({ clock: this.#clock, pids, isOwnPort }));
  }

  #end({ id, generation, next, cause }: Extract<ProcletEvent, { type: 'exited' }>): void {
    const key = lifeKey({ id, generation });
    for (const probe of this.#probes.get(key) ?? []) probe.cancel();
    this.#probes.delete(key);
    this.#answering.delete(key);
    this.#hosts.delete(key);
    const port = this.#privatePorts.get(key);
    this.#privatePorts.delete(key);
    if (port !== undefined) this.#sparePorts.set(id, [...(this.#sparePorts.get(id) ?? []), port]);
    const tag = id.slice(0, id.lastIndexOf('.'));
    this.#doors.closeLate(id);
    if (this.#keeper.pidsOf(tag).length > 0) return;
    if (next.is !== 'restart') this.#doors.rest(tag, cause !== undefined);
    this.#watches.get(tag)?.close();
    this.#watches.delete(tag);
  }

  #probe(spec: InstanceSpec, life: Life, ready: Ready, then: () => void): ReadyProbe {
    const onReady = (host?: string) => {
      if (host !== undefined) this.#hosts.set(lifeKey(life), host);
      then();
    };
    return probeReady({
      ...{ clock: this.#clock, ready, port: this.portOf(spec, life.generation), onReady },
      onAttemptPort: (port) => this.#own.hold(port),
    });
  }

  /** The service answers at its own port already, so a taken public address is a pity and no error. */
  async #openLate(door: Door): Promise<void> {
    await this.#doors.openFront(door).catch((error: Error) => this.#keeper.notice(error.message));
  }

  /** The next of the instances that are up, or on their way and listening; without one, whatever wakes the service. */
  async #target(door: Door): Promise<Address> {
    const { tag, reload } = door.service;
    let lives = this.#livesBehind(door);
    if (lives.length === 0 || reload === 'shotgun') {
      await this.#keeper.wake(tag);
      lives = this.#livesBehind(door);
    }
    const life = lives[door.turn++ % Math.max(lives.length, 1)];
    const spec = life && this.#specs.get(life.id);
    if (life === undefined || spec === undefined) throw new Error(`${tag} is not running`);
    return { host: this.#hostOf(spec, life.generation), port: this.portOf(spec, life.generation) };
  }

  #hostOf(spec: InstanceSpec, generation: number): string {
    const key = lifeKey({ id: spec.id, generation });
    const known = this.#hosts.get(key);
    if (known !== undefined) return known;
    const host = loopbackOf(this.portOf(spec, generation));
    this.#hosts.set(key, host);
    return host;
  }

  #livesBehind({ service, spec }: Door): readonly Life[] {
    const own = ({ id }: Life) => spec.instances.includes(id);
    const up = this.#keeper.upLives(service.tag).filter(own);
    return up.length > 0 ? up : [...this.#answering.values()].filter(own);
  }

  #refusal({ service, spec }: Door, error: unknown) {
    const title = `${service.tag} could not be started`;
    const reason = error instanceof Error ? error.message : String(error);
    return { title, lines: [reason, ...spec.instances.flatMap((id) => this.#keeper.lastWords(id))] };
  }
}

function readinessOf(ready: NonNullable<InstanceSpec['ready']> | { readonly kind: 'tcp' }): Ready {
  return ready.kind === 'log' ? { kind: 'log', pattern: new RegExp(ready.pattern) } : ready;
}
