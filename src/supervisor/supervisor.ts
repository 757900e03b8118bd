/**
 * The owner of every instance and every lease. It receives inputs, asks the tables what they mean, stores the
 * answer, performs the effects, and arms one timer at the least deadline. No policy lives here but the run's
 * own: what an end means for the others, and when the run is over.
 */
import { describeExit, statusOf } from '../exit-status.js';
import type { Millis, Plan, Remains, Request, StopCause, Tag } from '../model.js';
import type { ChildListener, Clock, Life, LookForUse, Observer, Spawn, Supervision } from '../ports.js';
import { createEventBus, type EventBus } from './event-bus.js';
import { type Input, nextDeadline, step } from './instance.js';
import type { LeaseEffect } from './lease.js';
import { Leases } from './leases.js';
import { Lineup } from './lineup.js';
import { Lives } from './lives.js';
import { reconfigure } from './reconfigure.js';
import { Reloads } from './reloads.js';
import { Roster } from './roster.js';
import { statusOfRun } from './run-status.js';
import { Uses } from './uses.js';
import { Wakers } from './wakers.js';

export interface World {
  readonly clock: Clock;
  readonly spawn: Spawn;
  readonly look: LookForUse;
  /** Resolves when nobody uses a life any more, or after a time. */
  readonly drain: (life: Life, within: Millis) => Promise<void>;
  /** Whether a service that inherits its sockets was seen to listen on a port of its own. */
  readonly listensItself: (tag: Tag) => boolean;
}

type Shutdown = Extract<Request, { type: 'shutdown' }>;

export class Supervisor implements Supervision {
  readonly finished: Promise<number>;
  #plan: Plan;
  readonly #clock: Clock;
  readonly #bus: EventBus;
  readonly #roster: Roster;
  readonly #leases: Leases;
  readonly #lives: Lives;
  readonly #reloads: Reloads;
  readonly #lineup: Lineup;
  readonly #wakers = new Wakers();
  readonly #uses: Uses;
  #run: 'new' | 'running' | 'finished' = 'new';
  #shutdown: Shutdown | undefined;
  /** The statuses of what failed for good, by key. */
  readonly #failures = new Map<string, number>();
  #disarm: () => void = () => {};
  #finish!: (status: number) => void;

  constructor(plan: Plan, { clock, spawn, look, ...world }: World) {
    this.#plan = plan;
    this.#clock = clock;
    this.#bus = createEventBus(clock);
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#leases = new Leases(plan.services, clock, {
      isBusy: (tag) => this.#roster.isBusy(tag),
      useOf: (service) => this.#uses.of(service),
      perform: (tag, effect) => this.#performLease(tag, effect),
    });
    this.#roster = new Roster(plan);
    this.#lives = new Lives(spawn, {
      listenTo: (key, tag) => this.#listenTo(key, tag),
      began: ({ id, port }, event) => {
        this.#failures.delete(id);
        if (event.pid !== 0) this.#bus.emit({ type: 'spawned', id, port, ...event });
      },
      tell: (event, tag) =>
        this.#bus.emit(event.type === 'unready' ? { ...event, waiting: this.#lineup.waitingFor(tag) } : event),
    });
    this.#uses = new Uses(this.#roster, clock, look);
    this.#reloads = new Reloads(this.#roster, clock, {
      ...world,
      receive: (key, input) => this.#receive(key, input),
      tell: (event) => this.#bus.emit(event),
      rest: () => this.#rest(),
    });
    this.#lineup = new Lineup(this.#roster, {
      start: (tag) => this.#startService(tag),
      stop: (keys, patient) => this.#stop(keys, patient),
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
    if (request.type === 'shutdown') this.#shutDown(request);
    else this.#lives.signal(request.signal, request.to);
  }

  wake(tag: Tag): Promise<void> {
    const isComing = this.#reloads.freshen(tag);
    if (!isComing && this.upLives(tag).length > 0) return Promise.resolve();
    if (this.#shutdown !== undefined || this.#run !== 'running') return Promise.reject(new Error('proclet is ending'));
    const waiting = this.#wakers.waitFor(tag);
    if (!this.#roster.isBusy(tag) && !this.#lineup.wants(tag)) {
      this.#bus.emit({ type: 'woken', tag });
      this.#lineup.want(tag);
    } else if (this.#roster.has(tag, 'stopping') && !isComing) this.#lineup.want(tag);
    this.#rest();
    return waiting;
  }

  upLives(tag: Tag): readonly Life[] {
    const up = this.#roster.servingOf(tag).filter(({ phase }) => phase.is === 'up');
    return up.map(({ spec, generation }) => ({ id: spec.id, generation }));
  }

  pidsOf(tag: Tag): readonly number[] {
    return this.#roster.keysOf(tag).flatMap((key) => this.#lives.pidsOf(key));
  }

  ready({ id, generation }: Life): void {
    for (const role of ['serving', 'coming'] as const) {
      const instance = this.#roster.inSlot(id, role);
      if (instance?.generation === generation) this.#receive(instance.key, { type: 'ready' });
    }
    this.#rest();
  }

  changed(tag: Tag, path: string, files: number): void {
    if (this.#shutdown !== undefined || this.#run !== 'running' || !this.#roster.services.has(tag)) return;
    this.#bus.emit({ type: 'changed', tag, path, files });
    this.#reloads.reload(tag, { reason: 'changed' });
    this.#rest();
  }

  reconfigure(plan: Plan): void {
    if (this.#shutdown !== undefined || this.#run !== 'running') return;
    const before = this.#plan;
    this.#plan = plan;
    reconfigure(before, plan, {
      ...{ roster: this.#roster, leases: this.#leases, lineup: this.#lineup, reloads: this.#reloads },
      stop: (keys) => this.#stop(keys, false, { reason: 'requested' }),
      tell: (event) => this.#bus.emit(event),
    });
    this.#rest();
  }

  #shutDown(request: Shutdown): void {
    const again = this.#shutdown !== undefined;
    this.#shutdown ??= request;
    this.#lineup.clear();
    this.#reloads.stop();
    this.#wakers.close(new Error('proclet is ending'));
    this.#leases.receiveAll({ type: 'stopped' });
    if (again && request.patient) this.#stop(this.#roster.keys, true);
    else if (again)
      for (const key of this.#roster.keys) this.#receive(key, { type: 'kill', cause: { reason: 'shutdown' } });
    this.#rest();
  }

  #startService(tag: Tag): void {
    this.#leases.receive(tag, { type: 'started' });
    for (const { key, phase } of this.#roster.servingOf(tag)) {
      if (phase.is !== 'backoff') this.#receive(key, { type: 'start' });
    }
  }

  #stop(keys: readonly string[], patient = false, cause: StopCause = { reason: 'shutdown' }): void {
    for (const key of keys) this.#receive(key, { type: 'stop', cause, patient });
  }

  #receive(key: string, input: Input): void {
    const before = this.#roster.get(key);
    if (before === undefined) return;
    const { instance, effects } = step(before, input, this.#clock.now());
    this.#roster.set(instance);
    for (const effect of effects) this.#lives.perform(instance, effect);
    if (before.phase.is === 'up' || instance.phase.is !== 'up') return;
    const { tag } = instance.spec;
    this.#reloads.rose(instance);
    // Where every life is to be a fresh one, the last of them is waited for.
    if (!this.#reloads.isComing(tag)) this.#wakers.up(tag);
  }

  /** A life reports. */
  #listenTo(key: string, tag: Tag): ChildListener {
    return {
      output: (output) => {
        this.#uses.printed(tag);
        this.#bus.emit({ type: 'output', ...output });
      },
      orphaned: ({ exit, processes }) => {
        this.#receive(key, { type: 'orphaned', exit, processes });
        this.#rest();
      },
      exited: (remains) => {
        this.#lives.forget(key);
        this.#receive(key, { type: 'exited', remains });
        this.#judge(key, remains.exit);
        this.#rest();
      },
    };
  }

  /** What one end means for the others and for the whole run. */
  #judge(key: string, exit: Remains['exit']): void {
    const instance = this.#roster.get(key);
    if (instance === undefined) return;
    const { phase, spec } = instance;
    const { tag, id } = spec;
    const isOver = this.#reloads.ended(instance);
    const failed = phase.is === 'failed';
    if (instance.role !== 'going' && (failed || phase.is === 'backoff' || phase.is === 'down')) {
      this.#wakers.failed(tag, new Error(`${id} ${describeExit(exit)}`));
    }
    if (!this.#plan.services.some((service) => service.tag === tag) && !this.#roster.isBusy(tag)) {
      this.#roster.removeService(tag);
      return;
    }
    if (isOver) return;
    if (failed) this.#failures.set(id, statusOf(exit));
    if (phase.is === 'down' && phase.cause?.reason === 'idle') this.#letGo(tag, phase.cause);
    const endedByItself = failed || (phase.is === 'down' && phase.cause === undefined);
    if (this.#plan.onExit === 'stop' && endedByItself && this.#shutdown === undefined) {
      this.#shutDown({ type: 'shutdown', status: statusOf(exit), patient: false });
    }
  }

  /** What was started only for an idle service is not needed any more. */
  #letGo(tag: Tag, cause: StopCause): void {
    for (const each of this.#roster.dispensableWithout(tag)) {
      this.#leases.receive(each, { type: 'stopped' });
      this.#stop(this.#roster.keysOf(each), false, cause);
    }
  }

  #performLease(tag: Tag, effect: LeaseEffect): void {
    if (effect.type === 'expire') {
      this.#reloads.stop(tag);
      this.#stop(this.#roster.keysOf(tag), false, effect.cause);
    } else if (this.#roster.isBusy(tag)) this.#bus.emit({ ...effect, type: 'expiring', tag });
  }

  /** Does what order demands, ends the run when nothing is left to wait for, and arms the one timer. */
  #rest(): void {
    this.#disarm();
    if (this.#run !== 'running') return;
    if (this.#shutdown === undefined) this.#lineup.start();
    else this.#lineup.stop(this.#shutdown.patient);
    const canWake = this.#shutdown === undefined && this.#roster.canWake(this.#plan);
    if (!this.#roster.isAnyBusy && !canWake) this.#end();
    else this.#disarm = this.#clock.wakeAt(this.#nextDeadline(), () => this.#wakeUp());
  }

  #end(): void {
    this.#run = 'finished';
    this.#wakers.close(new Error('proclet is ending'));
    const status = statusOfRun({
      asked: this.#shutdown?.status,
      failure: [...this.#failures.values()][0],
      phases: [...this.#roster.all].map(({ phase }) => phase),
      expireStatus: this.#plan.expireStatus,
    });
    this.#bus.emit({ type: 'stopped', status });
    this.#finish(status);
  }

  #nextDeadline(): Millis {
    let least = Math.min(this.#leases.deadline, this.#reloads.deadline);
    for (const instance of this.#roster.all) least = Math.min(least, nextDeadline(instance));
    return least;
  }

  #wakeUp(): void {
    // First what the instances are by now: whether a service still starts decides about its idle window.
    const now = this.#clock.now();
    for (const instance of [...this.#roster.all]) {
      if (nextDeadline(instance) <= now) this.#receive(instance.key, { type: 'deadline' });
    }
    this.#reloads.wake();
    this.#leases.wake();
    this.#rest();
  }
}
