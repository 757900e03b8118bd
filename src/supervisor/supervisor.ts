/**
 * The owner of every instance and every lease. It receives inputs, asks the tables what they mean,
 * stores the answer, performs the effects, and arms one timer at the least deadline. No policy lives here
 * but the end of the run: when nothing runs and nothing waits, the run is over.
 */
import { statusOf } from '../exit-status.js';
import type { Exit, Instance, InstanceId, Millis, Output, Plan, Remains, Request, StopCause, Tag } from '../model.js';
import type { Child, ChildListener, Clock, Observer, Spawn, Supervision } from '../ports.js';
import { createEventBus, type EventBus } from './event-bus.js';
import { type Effect, type Input, newInstance, nextDeadline, step } from './instance.js';
import { type Lease, type LeaseEffect, type LeaseInput, leaseDeadline, newLease, stepLease } from './lease.js';

export interface World {
  readonly clock: Clock;
  readonly spawn: Spawn;
}

export class Supervisor implements Supervision {
  readonly finished: Promise<number>;
  readonly #plan: Plan;
  readonly #clock: Clock;
  readonly #spawn: Spawn;
  readonly #bus: EventBus;
  readonly #instances = new Map<InstanceId, Instance>();
  readonly #leases = new Map<Tag, Lease>();
  readonly #children = new Map<InstanceId, Child>();
  #run: 'new' | 'running' | 'finished' = 'new';
  #shutdown: Extract<Request, { type: 'shutdown' }> | undefined;
  /** The status of the first instance that failed for good. */
  #failure: number | undefined;
  #disarm: () => void = () => {};
  #finish!: (status: number) => void;

  constructor(plan: Plan, { clock, spawn }: World) {
    this.#plan = plan;
    this.#clock = clock;
    this.#spawn = spawn;
    this.#bus = createEventBus(clock);
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    for (const service of plan.services) {
      this.#leases.set(service.tag, newLease(service.ttl));
      for (const spec of service.instances) this.#instances.set(spec.id, newInstance(spec));
    }
  }

  subscribe(observer: Observer): () => void {
    return this.#bus.subscribe(observer);
  }

  /** Tells every observer something that no instance is the subject of. */
  notice(text: string): void {
    this.#bus.emit({ type: 'notice', text });
  }

  /** Starts every instance of the plan. */
  start(): void {
    this.#run = 'running';
    for (const { tag } of this.#plan.services) this.#receiveLease(tag, { type: 'started' });
    for (const id of this.#instances.keys()) this.#receive(id, { type: 'start' });
    this.#rest();
  }

  request(request: Request): void {
    switch (request.type) {
      case 'shutdown':
        this.#shutDown(request);
        return;
      case 'signal':
        for (const child of this.#children.values()) {
          if (request.to === 'leader') child.pass(request.signal);
          else child.signal(request.signal);
        }
        return;
      default:
        request satisfies never;
    }
  }

  #shutDown(request: Extract<Request, { type: 'shutdown' }>): void {
    const again = this.#shutdown !== undefined;
    this.#shutdown ??= request;
    this.#stopAll(again && !request.patient ? 'kill' : request.patient ? 'patient' : 'graceful');
    this.#rest();
  }

  #stopAll(how: 'graceful' | 'patient' | 'kill'): void {
    const cause: StopCause = { reason: 'shutdown' };
    const input: Input = how === 'kill' ? { type: 'kill', cause } : { type: 'stop', cause, patient: how === 'patient' };
    for (const tag of this.#leases.keys()) this.#receiveLease(tag, { type: 'stopped' });
    for (const id of this.#instances.keys()) this.#receive(id, input);
  }

  #receive(id: InstanceId, input: Input): void {
    const before = this.#instances.get(id);
    if (before === undefined) return;
    const { instance, effects } = step(before, input, this.#clock.now());
    this.#instances.set(id, instance);
    for (const effect of effects) this.#perform(instance, effect);
  }

  #perform(instance: Instance, effect: Effect): void {
    const { id } = instance.spec;
    switch (effect.type) {
      case 'spawn':
        this.#bear(instance);
        return;
      case 'signal':
        this.#children.get(id)?.signal(effect.signal);
        return;
      case 'kill':
        this.#children.get(id)?.kill();
        return;
      case 'abandon':
        this.#children.get(id)?.abandon();
        return;
      case 'tell':
        this.#bus.emit(effect.event);
        return;
      default:
        effect satisfies never;
    }
  }

  #bear({ spec }: Instance): void {
    const { id, port } = spec;
    const child = this.#spawn(spec, this.#listenTo(id));
    this.#children.set(id, child);
    if (child.pid !== 0) this.#bus.emit({ type: 'spawned', id, pid: child.pid, port });
  }

  #listenTo(id: InstanceId): ChildListener {
    return {
      output: (output: Output) => this.#bus.emit({ type: 'output', ...output }),
      orphaned: ({ exit, processes }) => {
        this.#receive(id, { type: 'orphaned', exit, processes });
        this.#rest();
      },
      exited: (remains: Remains) => {
        this.#children.delete(id);
        this.#receive(id, { type: 'exited', remains });
        this.#judge(id, remains.exit);
        this.#rest();
      },
    };
  }

  /** What one end means for the whole run. */
  #judge(id: InstanceId, exit: Exit): void {
    const phase = this.#instances.get(id)?.phase;
    const failed = phase?.is === 'failed';
    if (failed) this.#failure ??= statusOf(exit);
    const endedByItself = failed || (phase?.is === 'down' && phase.cause === undefined);
    if (this.#plan.onExit === 'stop' && endedByItself && this.#shutdown === undefined) {
      this.#shutdown = { type: 'shutdown', status: statusOf(exit), patient: false };
      this.#stopAll('graceful');
    }
  }

  #receiveLease(tag: Tag, input: LeaseInput): void {
    const before = this.#leases.get(tag);
    if (before === undefined) return;
    const { lease, effects } = stepLease(before, input, this.#clock.now());
    this.#leases.set(tag, lease);
    for (const effect of effects) this.#performLease(tag, effect);
  }

  #performLease(tag: Tag, effect: LeaseEffect): void {
    switch (effect.type) {
      case 'warn':
        if (this.#isBusy(tag)) this.#bus.emit({ type: 'expiring', tag, reason: 'ttl', in: effect.in });
        return;
      case 'expire':
        for (const id of this.#idsOf(tag)) this.#receive(id, { type: 'stop', cause: effect.cause, patient: false });
        return;
      default:
        effect satisfies never;
    }
  }

  #idsOf(tag: Tag): InstanceId[] {
    return [...this.#instances.values()].filter(({ spec }) => spec.tag === tag).map(({ spec }) => spec.id);
  }

  #isBusy(tag?: Tag): boolean {
    for (const { spec, phase } of this.#instances.values()) {
      if ((tag === undefined || spec.tag === tag) && phase.is !== 'down' && phase.is !== 'failed') return true;
    }
    return false;
  }

  /** Ends the run when nothing is left to wait for; otherwise arms the one timer. */
  #rest(): void {
    this.#disarm();
    if (this.#run !== 'running') return;
    if (!this.#isBusy()) {
      this.#run = 'finished';
      const status = this.#status();
      this.#bus.emit({ type: 'stopped', status });
      this.#finish(status);
      return;
    }
    this.#disarm = this.#clock.wakeAt(this.#nextDeadline(), () => this.#wake());
  }

  #nextDeadline(): Millis {
    let least = Infinity;
    for (const instance of this.#instances.values()) least = Math.min(least, nextDeadline(instance));
    for (const lease of this.#leases.values()) least = Math.min(least, leaseDeadline(lease));
    return least;
  }

  #wake(): void {
    const now = this.#clock.now();
    for (const [tag, lease] of this.#leases) {
      if (leaseDeadline(lease) <= now) this.#receiveLease(tag, { type: 'deadline' });
    }
    for (const [id, instance] of this.#instances) {
      if (nextDeadline(instance) <= now) this.#receive(id, { type: 'deadline' });
    }
    this.#rest();
  }

  #status(): number {
    if (this.#shutdown?.status !== undefined) return this.#shutdown.status;
    if (this.#failure !== undefined) return this.#failure;
    const ended = [...this.#instances.values()].map(({ phase }) => phase);
    const shutDown = ended.find((phase) => phase.is === 'down' && phase.cause?.reason === 'shutdown');
    if (shutDown?.is === 'down' && shutDown.lastExit) return statusOf(shutDown.lastExit);
    const expired = ended.some((phase) => phase.is === 'down' && phase.cause?.reason === 'ttl');
    return expired ? this.#plan.expireStatus : 0;
  }
}
