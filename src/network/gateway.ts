/**
 * Between the world and the services: holds the fronts, tells the supervisor when instances are ready, wakes
 * what sleeps, and sees accesses. Knows addresses and instances; what an access or readiness means is decided
 * in supervisor/.
 */
import { isDeepStrictEqual } from 'node:util';
import { ProcletError } from '../errors.js';
import { lifeKey } from '../life-key.js';
import type { Address, InstanceId, InstanceSpec, Millis, Plan, ProcletEvent, ServiceSpec, Tag } from '../model.js';
import type { Clock, Life, Use } from '../ports.js';
import type { Prepared, RunPart } from '../run-part.js';
import { AccessWatches } from './access-watches.js';
import { Answering } from './answering.js';
import type { Door } from './door.js';
import { Doors } from './doors.js';
import { reservePort } from './free-port.js';
import { failedStart } from './front-refusal.js';
import type { Keeper } from './keeper.js';
import type { Listener } from './listener.js';
import { loopbackOf } from './listening.js';
import { createOwnPorts } from './own-ports.js';
import { probeReady, type Ready, type ReadyProbe } from './ready.js';

/** A plan is refused for an address that cannot be had. */
export interface Gateway extends RunPart<Plan> {
  /** The port that a life of an instance is told to listen on. */
  portOf(spec: InstanceSpec, generation: number): number;
  /** The sockets that it inherits. */
  socketsOf(spec: InstanceSpec): readonly Listener[];
  observe(event: ProcletEvent): void;
  look(tag: Tag): Use;
  /** Whether an instance was seen to listen on its own port although it inherits sockets. */
  listensItself(tag: Tag): boolean;
  /** Sees the connections to a life off. */
  drain(life: Life, within: Millis): Promise<void>;
  close(): Promise<void>;
}

/** A program that inherits sockets and does not listen on its own port for so long will not any more. */
const learnFor: Millis = 60_000;

export function createGateway(clock: Clock, keeper: Keeper): Gateway {
  return new PlannedGateway(clock, keeper);
}

class PlannedGateway implements Gateway {
  readonly #clock: Clock;
  readonly #keeper: Keeper;
  readonly #doors: Doors;
  #services: ReadonlyMap<Tag, ServiceSpec> = new Map();
  /** Also those of instances that are gone: their lives may still be ending. */
  readonly #specs = new Map<InstanceId, InstanceSpec>();
  /** By life, from its beginning; and those of its own that no life has any more, by instance. */
  readonly #ports = new Map<string, { readonly port: number; readonly isPrivate: boolean }>();
  readonly #sparePorts = new Map<InstanceId, number[]>();
  /** Where a life listens, once it was asked for. */
  readonly #hosts = new Map<string, string>();
  readonly #probes = new Map<string, ReadyProbe[]>();
  readonly #answering: Answering;
  readonly #watches: AccessWatches;
  readonly #listening = new Set<Tag>();
  readonly #own;

  constructor(clock: Clock, keeper: Keeper) {
    this.#clock = clock;
    this.#keeper = keeper;
    this.#own = createOwnPorts(clock);
    this.#answering = new Answering(clock);
    this.#watches = new AccessWatches({
      clock,
      pidsOf: (tag) => keeper.pidsOf(tag),
      isOwnPort: (port) => this.#own.has(port) || this.#doors.isOwnPort(port),
    });
    this.#doors = new Doors({
      clock,
      target: (door, current) => this.#target(door, current),
      refusal: ({ service: { tag }, spec }, error) => failedStart({ tag, error, ids: spec.instances }, keeper),
      runs: (tag) => keeper.pidsOf(tag).length > 0,
      isOurs: (pid) => keeper.isOurs(pid),
      idsOf: (owner) => keeper.idsOf(owner),
      notice: (text) => keeper.notice(text),
    });
  }

  portOf({ id, port: planned }: InstanceSpec, generation: number): number {
    const key = lifeKey({ id, generation });
    const known = this.#ports.get(key);
    if (known !== undefined) return known.port;
    const isPrivate = this.#doors.before(id).some((door) => door.spec.hidesPort);
    const port = isPrivate ? (this.#sparePorts.get(id)?.pop() ?? reservePort()) : planned;
    this.#ports.set(key, { port, isPrivate });
    return port;
  }

  socketsOf({ id, tag }: InstanceSpec): readonly Listener[] {
    try {
      this.#doors.openListeners(tag);
    } catch (error) {
      this.#keeper.notice((error as Error).message);
    }
    return this.#doors.inheritedBy(id);
  }

  observe(event: ProcletEvent): void {
    if (event.type === 'spawned') this.#begin(event);
    else if (event.type === 'exited') this.#end(event);
    else if (event.type === 'stopping') this.#answering.delete(event);
    else if (event.type === 'output') {
      const { id, generation = 0 } = event;
      for (const probe of this.#probes.get(lifeKey({ id, generation })) ?? []) probe.observe(event);
    }
  }

  look(tag: Tag): Use {
    const fronts = this.#doors.frontsOf(tag);
    const passive = this.#watches.look(tag);
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
    const address = this.#addressOf(life);
    if (spec === undefined || address === undefined) return;
    await Promise.all(this.#doors.frontsOf(spec.tag).map((front) => front.drain(address, within)));
  }

  async prepare({ services }: Plan): Promise<Prepared> {
    const doors = await this.#doors.prepare(services).catch((cause: Error) => {
      throw new ProcletError('OS', cause.message, { cause });
    });
    return {
      ...doors,
      take: async () => {
        this.#services = new Map(services.map((service) => [service.tag, service]));
        for (const { instances } of services) for (const spec of instances) this.#specs.set(spec.id, spec);
        for (const { tag, fronts } of services) {
          if (!fronts.some(({ inherited }) => inherited)) this.#listening.delete(tag);
        }
        this.#watches.follow({ services });
        await doors.take();
      },
    };
  }

  async close(): Promise<void> {
    for (const probes of this.#probes.values()) for (const probe of probes) probe.cancel();
    this.#probes.clear();
    this.#answering.close();
    this.#watches.close();
    this.#doors.close();
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
    // A command is run by who may run programs.
    if (ready && ready.kind !== 'command') {
      const settle = this.#settleOf(spec, service, ready);
      probes.push(this.#probe(spec, life, { ...readinessOf(ready), settle }, () => this.#keeper.ready(life)));
    }
    if (inherits && spec.port > 0) probes.push(this.#learn(spec, life));
    const closed = doors.filter((door) => door.front === undefined && !door.spec.inherited);
    for (const door of closed) if (door.spec.eager) void this.#openLate(door);
    if (closed.length > 0 || this.#isToAnswer(life)) {
      const answers = () => {
        if (spec.ready === undefined) this.#answering.add(life);
        // Only now: a program that takes the public address for itself, whatever it was told, is not to find it taken.
        for (const door of closed) void this.#openLate(door);
      };
      probes.push(this.#probe(spec, life, { kind: 'tcp' }, answers));
    }
    this.#probes.set(lifeKey(life), probes);
    this.#watches.begin(service);
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

  #end({ id, generation, role, next, cause }: Extract<ProcletEvent, { type: 'exited' }>): void {
    const key = lifeKey({ id, generation });
    for (const probe of this.#probes.get(key) ?? []) probe.cancel();
    this.#probes.delete(key);
    this.#answering.delete({ id, generation });
    this.#hosts.delete(key);
    const own = this.#ports.get(key);
    this.#ports.delete(key);
    if (own?.isPrivate) this.#sparePorts.set(id, [...(this.#sparePorts.get(id) ?? []), own.port]);
    const tag = id.slice(0, id.lastIndexOf('.'));
    this.#doors.closeLate(id);
    void this.#doors.openHeld();
    if (this.#keeper.pidsOf(tag).length > 0) return;
    // What is replaced and has not handed over goes on as soon as its addresses are free.
    const goesOn = next.is === 'restart' || (role === 'serving' && cause?.reason === 'replaced');
    if (!goesOn) this.#doors.rest(tag, cause !== undefined);
    this.#watches.end(tag);
  }

  /**
   * How long a program that accepts connections is still watched: as long as any other, where something that works is given
   * up for it, or others start upon its word. Not where a client waits for just this life.
   */
  #settleOf({ id, tag, settle }: InstanceSpec, { reload, start }: ServiceSpec, ready: Probed): Millis {
    if (ready.kind !== 'tcp' || reload === 'shotgun') return 0;
    const isAwaited = start === 'on-access' || this.#doors.before(id).some(({ spec }) => !spec.inherited);
    if (isAwaited && !this.#keeper.upLives(tag).some((life) => life.id === id)) return 0;
    // Who gives it little time to be ready does not mean it to fail for this.
    return Math.min(settle, ('timeout' in ready ? ready.timeout : Infinity) / 2);
  }

  #probe(spec: InstanceSpec, life: Life, { settle = 0, ...ready }: Ready & { settle?: Millis }, then: () => void) {
    const onReady = (host?: string) => {
      if (host !== undefined) this.#hosts.set(lifeKey(life), host);
      then();
    };
    return probeReady({
      ...{ clock: this.#clock, ready, settle, port: this.portOf(spec, life.generation), onReady },
      onAttemptPort: (port) => this.#own.hold(port),
    });
  }

  /** The service answers at its own port already, so a taken public address is a pity and no error. */
  async #openLate(door: Door): Promise<void> {
    await this.#doors.openFront(door).catch((error: Error) => this.#keeper.notice(error.message));
  }

  /** The next of the instances that are up, or on their way and listening; without one, whatever wakes the service. */
  async #target(door: Door, current?: Address): Promise<Address> {
    const { tag, reload } = door.service;
    let lives = this.#livesBehind(door);
    if (lives.length === 0 || reload === 'shotgun') {
      await this.#keeper.wake(tag);
      lives = this.#livesBehind(door);
    }
    lives = await this.#answering.choose(() => this.#livesBehind(door), this.#isToAnswer);
    const addresses = lives.flatMap((life) => this.#addressOf(life) ?? []);
    if (current !== undefined && addresses.some((address) => isDeepStrictEqual(address, current))) return current;
    if (addresses.length === 0) throw new Error(`${tag} is not running`);
    return addresses[door.turn++ % addresses.length] as Address;
  }

  #addressOf({ id, generation }: Life): Address | undefined {
    const spec = this.#specs.get(id);
    return spec && { host: this.#hostOf(spec, generation), port: this.portOf(spec, generation) };
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
    return up.length > 0 ? up : this.#answering.of(spec.instances);
  }

  /** Whether a front leads to it, and nothing but a connection shows that it listens. */
  readonly #isToAnswer = ({ id }: Pick<Life, 'id'>): boolean =>
    this.#specs.get(id)?.ready === undefined && this.#doors.before(id).some((door) => !door.spec.inherited);
}

type Probed = Exclude<NonNullable<InstanceSpec['ready']>, { kind: 'command' }> | { readonly kind: 'tcp' };

function readinessOf(ready: Probed): Ready {
  return ready.kind === 'log' ? { kind: 'log', pattern: new RegExp(ready.pattern) } : ready;
}
