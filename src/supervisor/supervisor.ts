/**
 * The owner of every instance and every lease. It receives inputs, asks the tables what they mean, stores the
 * answer, performs the effects, and arms one timer at the least deadline. No policy lives here but the run's
 * own: what an end means for the others, and when the run is over.
 */
import { ProcletError } from '../errors.js';
import type {
  Happening,
  Instance,
  InstanceId,
  Plan,
  Request,
  ServiceSpec,
  Snapshot,
  StopCause,
  Tag,
  Targets,
} from '../model.js';
import type { ChildListener, Clock, Life, Observer, Supervision, World } from '../ports.js';
import { awaken } from './awaken.js';
import { killForgotten, shutDown, statusAtEnd } from './ending.js';
import { createEventBus, type EventBus } from './event-bus.js';
import { type Input, step } from './instance.js';
import type { LeaseEffect } from './lease.js';
import { Leases } from './leases.js';
import { Lineup } from './lineup.js';
import { Lives } from './lives.js';
import { reconfigure } from './reconfigure.js';
import { Reloads } from './reloads.js';
import { Roster } from './roster.js';
import { Schedules } from './schedules.js';
import { type Ending, endOn, type Shutdown } from './shutdown.js';
import { takeSnapshot } from './snapshot.js';
import { resolveTargets } from './targets.js';
import { Uses } from './uses.js';
import { perform, type Verb } from './verbs.js';
import { judge } from './verdict.js';
import { Wakers } from './wakers.js';

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
  readonly #schedules: Schedules;
  readonly #wakers = new Wakers();
  readonly #uses: Uses;
  readonly #sweep: World['sweep'];
  #run: 'new' | 'running' | 'finished' = 'new';
  #ending: Ending | undefined;
  readonly #failures = new Map<string, number>();
  #disarm: () => void = () => {};
  #finish!: (status: number) => void;

  constructor(plan: Plan, { clock, look, ...world }: World) {
    this.#plan = plan;
    this.#clock = clock;
    this.#sweep = world.sweep;
    this.#bus = createEventBus(clock);
    const tell = (event: Happening) => this.#bus.emit(event);
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#leases = new Leases(plan.services, clock, {
      isBusy: (tag) => this.#roster.isBusy(tag) || this.#schedules.has(tag),
      useOf: (service) => this.#uses.of(service),
      perform: (tag, effect) => this.#performLease(tag, effect),
    });
    this.#roster = new Roster(plan);
    this.#lives = new Lives(clock, world, {
      listenTo: (instance) => this.#listenTo(instance),
      began: ({ id, port }, event) => {
        this.#failures.delete(id);
        if (event.pid !== 0) this.#bus.emit({ type: 'spawned', id, port, ...event });
      },
      ...{ tell, unheard: (key: string) => this.#receive(key, { type: 'unheard' }) },
      waitingFor: (tag) => this.#lineup.waitingFor(tag),
    });
    this.#schedules = new Schedules(clock, world.next, tell);
    this.#uses = new Uses(this.#roster, clock, look);
    this.#reloads = new Reloads(this.#roster, clock, {
      ...world,
      receive: (key, input) => this.#receive(key, input),
      ...{ tell, rest: () => this.#rest() },
    });
    this.#lineup = new Lineup(this.#roster, {
      start: (tag) => this.#startService(tag),
      stop: (keys, cause, patient) => this.#stop(keys, cause, patient),
      ...{ tell, resume: (key: string) => this.#receive(key, { type: 'start' }) },
      strand: (tag, reason) => this.#wakers.failed(tag, new Error(`${reason}, which ${tag} is after, is not running`)),
    });
  }

  subscribe(observer: Observer): () => void {
    return this.#bus.subscribe(observer);
  }

  notice(text: string, code?: 'on-event'): void {
    this.#bus.emit({ type: 'notice', text, ...(code && { code }) });
  }

  /** Starts every service that does not wait to be woken. */
  start(): void {
    this.#run = 'running';
    for (const service of this.#plan.services) if (service.start === 'always') this.#begin(service);
    this.#rest();
  }

  request(request: Request): readonly InstanceId[] {
    const ids = request.type === 'shutdown' ? this.#shutDown(request) : this.#perform(request);
    this.#rest();
    return ids;
  }

  snapshot(): Snapshot {
    return takeSnapshot(this.#parts, this.#clock.now());
  }

  wake(tag: Tag): Promise<void> {
    return awaken(tag, this.#parts);
  }

  upLives(tag: Tag): readonly Life[] {
    return this.#roster.upOf(tag).map(({ spec, generation }) => ({ id: spec.id, generation }));
  }

  pidsOf(tag: Tag): readonly number[] {
    return this.#roster.of(tag).flatMap((instance) => this.#lives.of(instance)?.pids() ?? []);
  }

  ready({ id, generation }: Life): void {
    for (const { key } of this.#roster.livesOf(id, generation)) this.#receive(key, { type: 'ready' });
    this.#rest();
  }

  changed(tag: Tag, path: string, files: number): void {
    if (this.isEnding || !this.#roster.services.has(tag)) return;
    this.#uses.touch(tag);
    this.#bus.emit({ type: 'changed', tag, path, files });
    this.#reloads.changed(tag, path);
    this.#rest();
  }

  reconfigure(plan: Plan): void {
    if (this.isEnding) return;
    reconfigure(this.#plan, plan, this.#parts);
    this.#plan = plan;
    this.#rest();
  }

  resolve(targets: Targets): readonly InstanceId[] {
    return resolveTargets(targets, this.#roster.services.values()).flatMap(({ ids }) => ids);
  }

  busyOf(ids: readonly InstanceId[]): number {
    return this.#roster.busy.filter(({ spec }) => ids.includes(spec.id)).length;
  }

  tap(id: InstanceId, listener: (chunk: Uint8Array) => void): (() => void) | undefined {
    const instance = this.#roster.serving(id);
    return instance && this.#lives.of(instance)?.tap(listener);
  }

  #perform(verb: Verb): readonly InstanceId[] {
    const begins = verb.type === 'restart' || verb.type === 'reload' || verb.type === 'touch';
    if (begins && this.isEnding) throw new ProcletError('NOT_RUNNING', 'proclet is ending');
    return perform(verb, this.#parts);
  }

  get isEnding(): boolean {
    return this.#ending !== undefined || this.#run !== 'running';
  }

  /** What the files about verbs, ends and other plans work with. */
  get #parts() {
    return {
      ...{ plan: this.#plan, roster: this.#roster, leases: this.#leases, lineup: this.#lineup, lives: this.#lives },
      ...{ reloads: this.#reloads, uses: this.#uses, schedules: this.#schedules, wakers: this.#wakers },
      ...{ failures: this.#failures, isEnding: this.isEnding },
      rest: () => this.#rest(),
      tell: (event: Happening) => this.#bus.emit(event),
      receive: (key: string, input: Input) => this.#receive(key, input),
      begin: (service: ServiceSpec) => this.#begin(service),
      wake: (tag: Tag) => this.wake(tag),
      stop: (keys: readonly string[], cause: StopCause, patient = false) => this.#stop(keys, cause, patient),
      end: (asked: Pick<Shutdown, 'status' | 'why'>) =>
        void (this.isEnding || this.#shutDown({ ...asked, type: 'shutdown', patient: false, unasked: true })),
    };
  }

  #shutDown(request: Shutdown): readonly InstanceId[] {
    const step = endOn(this.#ending, request, this.#clock.now());
    this.#ending = step.ending;
    return shutDown(step, this.#parts);
  }

  /** At once, or at its times. */
  #begin(service: ServiceSpec): void {
    if (this.#schedules.set(service)) this.#leases.receive(service.tag, { type: 'started' });
    else this.#lineup.want(service.tag);
  }

  #startService(tag: Tag): void {
    this.#leases.receive(tag, { type: 'started' });
    for (const { key, phase } of this.#roster.servingOf(tag)) {
      if (phase.is !== 'backoff') this.#receive(key, { type: 'start' });
    }
  }

  #stop(keys: readonly string[], cause: StopCause, patient = false): void {
    for (const key of keys) this.#receive(key, { type: 'stop', cause, patient });
  }

  #receive(key: string, input: Input): void {
    const before = this.#roster.get(key);
    if (before === undefined) return;
    const { instance: after, effects } = step(before, input, this.#clock.now());
    if (before.phase.is === 'up' && after.phase.is !== 'up') this.#uses.remember(before.spec.tag);
    const instance = effects.some(({ type }) => type === 'spawn') ? this.#roster.begin(after) : this.#roster.set(after);
    for (const effect of effects) this.#lives.perform(instance, effect);
    if (before.phase.is === 'up' || instance.phase.is !== 'up') return;
    this.#reloads.rose(instance);
    // Where every life is to be a fresh one, the last of them is waited for.
    if (!this.#reloads.isComing(instance.spec.tag)) this.#wakers.up(instance.spec.tag);
  }

  /** What a child reports is about its own life: another one of the instance, or of the slot, is not concerned. */
  #listenTo({ key, spec: { id, tag }, generation }: Instance): ChildListener {
    const instance = () => this.#roster.living(key, generation);
    return {
      output: (output) => {
        this.#uses.printed(tag);
        this.#bus.emit({ type: 'output', ...output, generation });
      },
      orphaned: ({ exit, processes }) => {
        if (instance()) this.#receive(key, { type: 'orphaned', exit, processes });
        this.#rest();
      },
      exited: (remains) => {
        if (this.#lives.ended({ id, generation }, instance(), remains.exit, this.#clock.now()) && instance()) {
          this.#receive(key, { type: 'exited', remains });
          judge(key, remains.exit, this.#parts);
        }
        this.#rest();
      },
    };
  }

  #performLease(tag: Tag, effect: LeaseEffect): void {
    if (effect.type === 'expire') {
      this.#reloads.stop(tag);
      this.#schedules.expire(tag);
      this.#lineup.putDown(this.#roster.keysOf(tag));
      this.#stop(this.#roster.keysOf(tag), effect.cause);
    } else if (this.#roster.isBusy(tag)) this.#bus.emit({ ...effect, type: 'expiring', tag });
  }

  /** Does what order demands, ends the run when nothing is left to wait for, and arms the one timer. */
  #rest(): void {
    this.#disarm();
    if (this.#run !== 'running') return;
    if (this.#ending === undefined) this.#lineup.start();
    else this.#lineup.stop(this.#ending);
    this.#lives.entrust(this.#roster.busy);
    const canWake = this.#ending === undefined && (this.#roster.canWake(this.#plan) || !this.#schedules.isEmpty);
    if (!this.#roster.isAnyBusy && !canWake) {
      if (this.#lives.children.length === 0) this.#end();
      else killForgotten(this.#lives.children, this.#clock);
    } else {
      const all = [this.#leases, this.#reloads, this.#roster, this.#schedules, this.#lives.listening];
      this.#disarm = this.#clock.wakeAt(Math.min(...all.map(({ deadline }) => deadline)), () => this.#wakeUp());
    }
  }

  #end(): void {
    this.#run = 'finished';
    this.#wakers.close(new Error('proclet is ending'));
    const status = statusAtEnd(this.#ending?.first.status, this.#parts);
    const finish = () => {
      this.#bus.emit({ type: 'stopped', status });
      this.#finish(status);
    };
    void (this.#sweep?.((text) => this.notice(text))?.then(finish) ?? finish());
  }

  #wakeUp(): void {
    // First what the instances are by now: whether a service still starts decides about its idle window.
    for (const { key } of this.#roster.due(this.#clock.now())) this.#receive(key, { type: 'deadline' });
    this.#reloads.wake();
    for (const tag of this.#schedules.wake((tag) => this.#roster.isBusy(tag))) this.#lineup.want(tag);
    this.#leases.wake();
    this.#lives.listening.wake();
    this.#rest();
  }
}
