/**
 * The owner of every instance and every lease. It receives inputs, asks the tables what they mean, stores the
 * answer, performs the effects, and arms one timer at the least deadline. No policy lives here but the run's
 * own: what an end means for the others, and when the run is over.
 */
import { describeExit, statusOf } from '../exit-status.js';
import type { Instance, InstanceId, Millis, Plan, Remains, Request, ServiceSpec, StopCause, Tag } from '../model.js';
import type { Child, ChildListener, Clock, LookForUse, Observer, Spawn, Supervision, Use } from '../ports.js';
import { createEventBus, type EventBus } from './event-bus.js';
import { type Effect, type Input, nextDeadline, step } from './instance.js';
import type { LeaseEffect } from './lease.js';
import { Leases } from './leases.js';
import { Lineup } from './lineup.js';
import { Roster } from './roster.js';
import { statusOfRun } from './run-status.js';
import { Wakers } from './wakers.js';

export interface World {
  readonly clock: Clock;
  readonly spawn: Spawn;
  readonly look: LookForUse;
}

type Shutdown = Extract<Request, { type: 'shutdown' }>;

export class Supervisor implements Supervision {
  readonly finished: Promise<number>;
  readonly #plan: Plan;
  readonly #clock: Clock;
  readonly #spawn: Spawn;
  readonly #look: LookForUse;
  readonly #bus: EventBus;
  readonly #roster: Roster;
  readonly #leases: Leases;
  readonly #children = new Map<InstanceId, Child>();
  readonly #lineup: Lineup;
  readonly #wakers = new Wakers();
  readonly #lastOutput = new Map<Tag, Millis>();
  #run: 'new' | 'running' | 'finished' = 'new';
  #shutdown: Shutdown | undefined;
  /** The status of the first instance that failed for good. */
  #failure: number | undefined;
  #disarm: () => void = () => {};
  #finish!: (status: number) => void;

  constructor(plan: Plan, { clock, spawn, look }: World) {
    this.#plan = plan;
    this.#clock = clock;
    this.#spawn = spawn;
    this.#look = look;
    this.#bus = createEventBus(clock);
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#leases = new Leases(plan.services, clock, {
      isBusy: (tag) => this.#roster.isBusy(tag),
      useOf: (service) => this.#useOf(service),
      perform: (tag, effect) => this.#performLease(tag, effect),
    });
    this.#roster = new Roster(plan);
    this.#lineup = new Lineup(this.#roster, {
      start: (tag) => this.#startService(tag),
      stop: (ids, patient) => this.#stop(ids, patient),
      tell: (event) => this.#bus.emit(event),
      strand: (tag, reason) => this.#wakers.failed(tag, new Error(`${reason}, which ${tag} is after, is not running`)),
    });
  }

  subscribe(observer: Observer): () => void {
    return this.#bus.subscribe(observer);
  }

  notice(text: string): void {
    this.#bus.emit({ type: 'notice', text });
  }

  /** Starts every service that does not wait to be woken. */
  start(): void {
    this.#run = 'running';
    for (const { tag, start } of this.#plan.services) if (start === 'always') this.#lineup.want(tag);
    this.#rest();
  }

  request(request: Request): void {
    switch (request.type) {
      case 'shutdown':
        this.#shutDown(request);
        return;
      case 'signal':
        for (const child of this.#children.values()) child[request.to === 'leader' ? 'pass' : 'signal'](request.signal);
        return;
      default:
        request satisfies never;
    }
  }

  wake(tag: Tag): Promise<void> {
    if (this.upInstances(tag).length > 0) return Promise.resolve();
    if (this.#shutdown !== undefined || this.#run !== 'running') return Promise.reject(new Error('proclet is ending'));
    const waiting = this.#wakers.waitFor(tag);
    if (!this.#roster.isBusy(tag) && !this.#lineup.wants(tag)) {
      this.#bus.emit({ type: 'woken', tag });
      this.#lineup.want(tag);
    } else if (this.#roster.has(tag, 'stopping')) this.#lineup.want(tag);
    this.#rest();
    return waiting;
  }

  upInstances(tag: Tag): readonly InstanceId[] {
    return this.#roster.of(tag).flatMap(({ spec, phase }) => (phase.is === 'up' ? [spec.id] : []));
  }

  pidsOf(tag: Tag): readonly number[] {
    return this.#roster.of(tag).flatMap(({ spec }) => this.#children.get(spec.id)?.pids() ?? []);
  }

  ready(id: InstanceId): void {
    this.#receive(id, { type: 'ready' });
    this.#rest();
  }

  #shutDown(request: Shutdown): void {
    const again = this.#shutdown !== undefined;
    this.#shutdown ??= request;
    this.#lineup.clear();
    this.#wakers.close(new Error('proclet is ending'));
    this.#leases.receiveAll({ type: 'stopped' });
    if (again && request.patient) this.#stop(this.#roster.ids, true);
    else if (again)
      for (const id of this.#roster.ids) this.#receive(id, { type: 'kill', cause: { reason: 'shutdown' } });
    this.#rest();
  }

  #startService(tag: Tag): void {
    this.#leases.receive(tag, { type: 'started' });
    for (const { spec, phase } of this.#roster.of(tag)) {
      if (phase.is !== 'backoff') this.#receive(spec.id, { type: 'start' });
    }
  }

  #stop(ids: readonly InstanceId[], patient = false, cause: StopCause = { reason: 'shutdown' }): void {
    for (const id of ids) this.#receive(id, { type: 'stop', cause, patient });
  }

  #receive(id: InstanceId, input: Input): void {
    const before = this.#roster.get(id);
    if (before === undefined) return;
    const { instance, effects } = step(before, input, this.#clock.now());
    this.#roster.set(instance);
    for (const effect of effects) this.#perform(instance, effect);
    if (before.phase.is !== 'up' && instance.phase.is === 'up') this.#wakers.up(instance.spec.tag);
  }

  #perform({ spec }: Instance, effect: Effect): void {
    const { id, port, tag } = spec;
    const child = this.#children.get(id);
    switch (effect.type) {
      case 'spawn': {
        const born = this.#spawn(spec, this.#listenTo(id, tag));
        this.#children.set(id, born);
        if (born.pid !== 0) this.#bus.emit({ type: 'spawned', id, pid: born.pid, port });
        return;
      }
      case 'signal':
        child?.signal(effect.signal);
        return;
      case 'kill':
        child?.kill();
        return;
      case 'abandon':
        child?.abandon();
        return;
      case 'tell': {
        const { event } = effect;
        this.#bus.emit(event.type === 'unready' ? { ...event, waiting: this.#lineup.waitingFor(tag) } : event);
        return;
      }
      default:
        effect satisfies never;
    }
  }

  #listenTo(id: InstanceId, tag: Tag): ChildListener {
    const listensToOutput = (this.#roster.services.get(tag)?.idle ?? Infinity) < Infinity;
    return {
      output: (output) => {
        if (listensToOutput) this.#lastOutput.set(tag, this.#clock.now());
        this.#bus.emit({ type: 'output', ...output });
      },
      orphaned: ({ exit, processes }) => {
        this.#receive(id, { type: 'orphaned', exit, processes });
        this.#rest();
      },
      exited: (remains) => {
        this.#children.delete(id);
        this.#receive(id, { type: 'exited', remains });
        this.#judge(id, tag, remains.exit);
        this.#rest();
      },
    };
  }

  /** What one end means for the others and for the whole run. */
  #judge(id: InstanceId, tag: Tag, exit: Remains['exit']): void {
    const phase = this.#roster.get(id)?.phase;
    const failed = phase?.is === 'failed';
    if (failed) this.#failure ??= statusOf(exit);
    if (failed || phase?.is === 'backoff' || phase?.is === 'down') {
      this.#wakers.failed(tag, new Error(`${id} ${describeExit(exit)}`));
    }
    if (phase?.is === 'down' && phase.cause?.reason === 'idle') this.#letGo(tag, phase.cause);
    const endedByItself = failed || (phase?.is === 'down' && phase.cause === undefined);
    if (this.#plan.onExit === 'stop' && endedByItself && this.#shutdown === undefined) {
      this.#shutDown({ type: 'shutdown', status: statusOf(exit), patient: false });
    }
  }

  /** What was started only for an idle service is not needed any more, unless by another. */
  #letGo(tag: Tag, cause: StopCause): void {
    for (const each of this.#roster.services.get(tag)?.after ?? []) {
      if (this.#roster.isNeeded(each) || this.#roster.services.get(each)?.start === 'always') continue;
      this.#leases.receive(each, { type: 'stopped' });
      this.#stop(this.#roster.idsOf(each), false, cause);
    }
  }

  #performLease(tag: Tag, effect: LeaseEffect): void {
    switch (effect.type) {
      case 'warn':
        if (this.#roster.isBusy(tag)) this.#bus.emit({ ...effect, type: 'expiring', tag });
        return;
      case 'expire':
        this.#stop(this.#roster.idsOf(tag), false, effect.cause);
        return;
      default:
        effect satisfies never;
    }
  }

  /** A service without a port is used when it prints. While it starts it is in use. */
  #useOf({ tag, idleOn }: ServiceSpec): Pick<Use, 'last' | 'busy'> {
    if (this.#roster.has(tag, 'starting')) return { last: -Infinity, busy: true };
    const use = idleOn === 'access' ? this.#look(tag) : undefined;
    if (use?.listens === true) return use;
    return { last: idleOn === 'none' ? -Infinity : (this.#lastOutput.get(tag) ?? -Infinity), busy: false };
  }

  /** Does what order demands, ends the run when nothing is left to wait for, and arms the one timer. */
  #rest(): void {
    this.#disarm();
    if (this.#run !== 'running') return;
    if (this.#shutdown === undefined) this.#lineup.start();
    else this.#lineup.stop(this.#shutdown.patient);
    const wakeable = this.#shutdown === undefined && this.#plan.services.some(({ start }) => start === 'on-access');
    if (!this.#roster.isBusy() && !wakeable) this.#end();
    else this.#disarm = this.#clock.wakeAt(this.#nextDeadline(), () => this.#wakeUp());
  }

  #end(): void {
    this.#run = 'finished';
    this.#wakers.close(new Error('proclet is ending'));
    const status = this.#status();
    this.#bus.emit({ type: 'stopped', status });
    this.#finish(status);
  }

  #nextDeadline(): Millis {
    let least = this.#leases.deadline;
    for (const instance of this.#roster.all) least = Math.min(least, nextDeadline(instance));
    return least;
  }

  #wakeUp(): void {
    // First what the instances are by now: whether a service still starts decides about its idle window.
    const now = this.#clock.now();
    for (const instance of this.#roster.all) {
      if (nextDeadline(instance) <= now) this.#receive(instance.spec.id, { type: 'deadline' });
    }
    this.#leases.wake();
    this.#rest();
  }

  #status(): number {
    return statusOfRun({
      asked: this.#shutdown?.status,
      failure: this.#failure,
      phases: this.#roster.all.map(({ phase }) => phase),
      expireStatus: this.#plan.expireStatus,
    });
  }
}
