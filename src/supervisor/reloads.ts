/**
 * New lives for services that run: at once, beside the old ones, or at the next access. Owns which services are stale,
 * which slots wait for their turn in a handover, and when what was replaced is told to go. What starting, stopping and
 * being up are is the instance table's.
 *
 * During a handover a slot has an instance that serves and one that comes; when that one is up they change roles, and
 * the old one goes. A coming one that fails is forgotten, and the old one goes on.
 */

import type { Happening, Instance, InstanceId, InstanceSpec, Millis, ServiceSpec, StopCause, Tag } from '../model.js';
import type { Clock, Life } from '../ports.js';
import { asComing, inItsPlace } from './coming.js';
import { Echoes, echoSentence, isEarly } from './echoes.js';
import type { Input } from './instance.js';
import type { Roster } from './roster.js';

export interface ReloadActs {
  receive(key: string, input: Input): void;
  tell(event: Happening): void;
  /** Resolves when nobody uses a life any more, or after a time. */
  drain(life: Life, within: Millis): Promise<void>;
  /** Whether its instances listen on a port of their own, so that one that comes can be asked whether it is ready. */
  listensItself(tag: Tag): boolean;
  /** Something is due at another time than before. */
  rest(): void;
}

export class Reloads {
  readonly #roster: Roster;
  readonly #clock: Clock;
  readonly #acts: ReloadActs;
  readonly #stale = new Set<Tag>();
  readonly #queues = new Map<Tag, InstanceId[]>();
  /** When an old life that nobody uses any more gets its signal, by its key. */
  readonly #dismissals = new Map<string, Millis>();
  readonly #periodic = new Map<Tag, Millis>();
  readonly #echoes = new Echoes();
  /** When the reload for a change that seems to be the service's own work is due. */
  readonly #delayed = new Map<Tag, Millis>();
  /** When the last one for a change was. */
  readonly #last = new Map<Tag, Millis>();
  #isOver = false;

  constructor(roster: Roster, clock: Clock, acts: ReloadActs) {
    this.#roster = roster;
    this.#clock = clock;
    this.#acts = acts;
  }

  /** A file of a service changed: a reload, now or a while later. */
  changed(tag: Tag, path: string): void {
    const now = this.#clock.now();
    const lives = this.#roster.of(tag).map(({ phase }) => phase);
    const began = [
      ...lives.flatMap((phase) => (phase.is === 'up' ? phase.startedAt : [])),
      this.#last.get(tag) ?? -Infinity,
    ];
    const life = Math.max(0, ...this.#roster.of(tag).map(({ generation }) => generation));
    const isStarting = lives.some(({ is }) => is === 'starting');
    const { delay, isNews } = this.#echoes.weigh(tag, path, life, isEarly(now, isStarting, began));
    const isLazy = this.#roster.services.get(tag)?.reload === 'shotgun';
    if (isNews) this.#acts.tell({ type: 'notice', text: echoSentence(tag, path, isLazy) });
    // Where a change only means that the next access gets a new life, nothing goes round in circles.
    if (delay === 0 || isLazy) this.reload(tag, { reason: 'changed' });
    else if (!this.#isOver && !this.#delayed.has(tag)) this.#delayed.set(tag, now + delay);
  }

  /** New lives, by the service's policy. */
  reload(tag: Tag, cause: StopCause): void {
    const service = this.#roster.services.get(tag);
    if (service === undefined || this.#isOver) return;
    this.#delayed.delete(tag);
    if (cause.reason === 'changed') this.#last.set(tag, this.#clock.now());
    if (service.reload === 'shotgun') {
      this.#stale.add(tag);
      this.#outdateComing(tag, cause);
    } else if (service.reload === 'handover' && service.overlaps) this.#handOver(tag, cause);
    else this.restart(tag, cause);
  }

  /** New lives of these slots by the service's policy, at once: also where they would wait for an access. */
  renew(tag: Tag, cause: StopCause, ids: readonly InstanceId[]): void {
    const service = this.#roster.services.get(tag);
    if (service === undefined || this.#isOver) return;
    this.#stale.delete(tag);
    if (service.reload !== 'restart' && service.overlaps) this.#handOver(tag, cause, ids);
    else this.restart(tag, cause, ids);
  }

  /** New lives, each after the old one. */
  restart(tag: Tag, cause: StopCause, ids?: readonly InstanceId[]): void {
    if (this.#isOver) return;
    const meant = this.#servingOf(tag, ids);
    this.#callOff(tag, cause, meant.map(idOf));
    for (const { key } of meant) this.#acts.receive(key, { type: 'restart', cause });
  }

  /** Its reloads without a change come at another time from now on. */
  setPeriod({ tag, reloadEvery }: Pick<ServiceSpec, 'tag' | 'reloadEvery'>): void {
    this.#periodic.delete(tag);
    if (reloadEvery === Infinity || this.#isOver || this.#roster.upOf(tag).length === 0) return;
    this.#periodic.set(tag, this.#clock.now() + reloadEvery);
  }

  /** An access to a service: whether it has to wait for a life that is being started for it. */
  freshen(tag: Tag): boolean {
    const service = this.#roster.services.get(tag);
    if (this.#stale.delete(tag) && service !== undefined && this.#roster.isBusy(tag)) {
      const cause: StopCause = { reason: 'changed' };
      if (service.overlaps) this.#handOver(tag, cause);
      else this.restart(tag, cause);
    }
    return this.isComing(tag);
  }

  /** Whether an access has to wait for what comes. */
  isComing(tag: Tag): boolean {
    return this.#roster.services.get(tag)?.reload === 'shotgun' && this.#roster.of(tag).some(isComing);
  }

  /** An instance came up. */
  rose(instance: Instance): void {
    if (instance.role === 'coming') this.#promote(instance);
    const { tag } = instance.spec;
    const every = this.#roster.services.get(tag)?.reloadEvery ?? Infinity;
    if (every < Infinity && !this.#periodic.has(tag)) this.#periodic.set(tag, this.#clock.now() + every);
    this.#next(tag, { reason: 'replaced' });
  }

  /** A life of an instance is over. Whether that was all there is to say about it. */
  ended(instance: Instance): boolean {
    const { spec, key, role, phase } = instance;
    if (role === 'going') {
      this.#dismissals.delete(key);
      this.#roster.remove(key);
      // It may have been to take over, in a slot that was taken away: then it is the next one's turn.
      this.#next(spec.tag, { reason: 'replaced' });
      return true;
    }
    const isOver = phase.is === 'failed' || phase.is === 'down' || phase.is === 'backoff';
    if (!isOver) return role === 'coming';
    if (role === 'coming') {
      this.#abandon(instance);
      return true;
    }
    const coming = this.#roster.inSlot(spec.id, 'coming');
    if (
      coming === undefined ||
      coming.goal === 'down' ||
      this.#isOver ||
      (phase.is === 'down' && phase.cause !== undefined)
    )
      return false;
    // It need not wait for its next life: that has begun.
    this.#acts.tell(inItsPlace(coming));
    this.#roster.remove(key);
    this.#roster.set({ ...coming, role: 'serving', spec: this.#specOf(coming) });
    return true;
  }

  /** The run is ending, or the service is put down: nothing is begun any more. */
  stop(tag?: Tag): void {
    if (tag === undefined) this.#isOver = true;
    for (const each of tag === undefined ? [...this.#queues.keys()] : [tag]) this.#queues.delete(each);
    for (const due of [this.#periodic, this.#delayed]) {
      if (tag !== undefined) due.delete(tag);
      else due.clear();
    }
  }

  get deadline(): Millis {
    return Math.min(...this.#dismissals.values(), ...this.#periodic.values(), ...this.#delayed.values(), Infinity);
  }

  wake(): void {
    const now = this.#clock.now();
    for (const [key, at] of this.#dismissals) {
      if (at > now) continue;
      this.#dismissals.delete(key);
      this.#acts.receive(key, { type: 'stop', cause: { reason: 'replaced' }, patient: false });
    }
    for (const [tag, at] of this.#delayed) if (at <= now) this.reload(tag, { reason: 'changed' });
    for (const [tag, at] of this.#periodic) {
      if (at > now) continue;
      this.#periodic.delete(tag);
      this.reload(tag, { reason: 'replaced' });
    }
  }

  /** One slot after the other, so that most go on serving; all at once where nobody may see old code. */
  #handOver(tag: Tag, cause: StopCause, ids?: readonly InstanceId[]): void {
    const meant = this.#servingOf(tag, ids);
    const running = meant.filter(serves).map(idOf);
    for (const { key, phase } of meant) {
      if (!serves({ phase })) this.#acts.receive(key, { type: 'restart', cause });
    }
    this.#queues.set(tag, [...new Set([...running, ...(this.#queues.get(tag) ?? [])])]);
    this.#outdateComing(tag, cause, ids);
    this.#next(tag, cause);
  }

  #servingOf(tag: Tag, ids?: readonly InstanceId[]): readonly Instance[] {
    return this.#roster.servingOf(tag).filter(({ spec }) => ids === undefined || ids.includes(spec.id));
  }

  /** A handover is not to go on as it began: what serves has its next life after its own end. */
  #callOff(tag: Tag, cause: StopCause, ids: readonly InstanceId[]): void {
    const queue = this.#queues.get(tag)?.filter((id) => !ids.includes(id));
    if (queue) this.#queues.set(tag, queue);
    for (const { key, spec } of this.#roster.of(tag).filter(isComing)) {
      if (ids.includes(spec.id)) this.#acts.receive(key, { type: 'stop', cause, patient: false });
    }
  }

  /** What is coming has begun before this change, and its next life begins as the plan has it by now. */
  #outdateComing(tag: Tag, cause: StopCause, ids?: readonly InstanceId[]): void {
    for (const coming of this.#roster.of(tag).filter(isComing)) {
      const { key, spec } = coming;
      if (ids !== undefined && !ids.includes(spec.id)) continue;
      this.#roster.set({ ...coming, spec: asComing(this.#specOf(coming), this.#acts) });
      const queue = this.#queues.get(tag)?.filter((id) => id !== spec.id);
      if (queue) this.#queues.set(tag, queue);
      this.#acts.receive(key, { type: 'restart', cause });
    }
  }

  #next(tag: Tag, cause: StopCause): void {
    const atOnce = this.#roster.services.get(tag)?.reload === 'shotgun';
    for (;;) {
      if (!atOnce && this.#roster.of(tag).some(isComing)) return;
      const id = this.#queues.get(tag)?.shift();
      if (id === undefined) break;
      const old = this.#roster.serving(id);
      if (old && serves(old)) this.#begin(old);
      else if (old) this.#acts.receive(old.key, { type: 'restart', cause });
    }
    this.#queues.delete(tag);
  }

  #begin({ spec }: Instance): void {
    const coming = this.#roster.enter(asComing(spec, this.#acts), 'coming');
    this.#acts.receive(coming.key, { type: 'start' });
  }

  #promote(coming: Instance): void {
    const { id } = coming.spec;
    const old = this.#roster.serving(id);
    this.#roster.set({ ...coming, role: 'serving', spec: this.#specOf(coming) });
    if (old === undefined) return;
    if (!serves(old) && old.phase.is !== 'stopping') {
      this.#roster.remove(old.key);
      return;
    }
    // Its place is taken, so it has no next life, though it may have been asked to restart.
    const spec = { ...old.spec, stopSignal: old.spec.reloadSignal };
    const going: Instance = { ...old, role: 'going', goal: 'down', spec };
    this.#roster.set(going);
    const { generation } = coming;
    this.#acts.tell({ type: 'handed-over', id, generation, from: old.generation });
    const due = this.#clock.now() + (this.#roster.services.get(old.spec.tag)?.killOldDelay ?? 0);
    void this.#acts.drain({ id, generation: old.generation }, Math.min(old.spec.grace, longestDrain)).then(() => {
      if (this.#roster.get(going.key) === undefined) return;
      this.#dismissals.set(going.key, due);
      this.#acts.rest();
    });
  }

  #abandon({ key, spec, generation, phase }: Instance): void {
    this.#roster.remove(key);
    this.#queues.delete(spec.tag);
    const old = this.#roster.serving(spec.id);
    if (this.#isOver || old === undefined || (phase.is === 'down' && phase.cause !== undefined)) return;
    if (this.#roster.services.get(spec.tag)?.reload === 'shotgun') this.#stale.add(spec.tag);
    this.#acts.tell({ type: 'kept', id: spec.id, generation: old.generation, failed: generation });
  }

  /** As the plan has it: one that comes is not started again when it fails. */
  #specOf({ spec }: Instance): InstanceSpec {
    const planned = this.#roster.services.get(spec.tag)?.instances.find(({ id }) => id === spec.id);
    return planned ?? spec;
  }
}

/** Old connections are not waited for any longer, even by a service that is given all time to end. */
const longestDrain: Millis = 60_000;

/** Also one that has not said yet that it is ready: connections may be in its hands. */
function serves({ phase }: Pick<Instance, 'phase'>): boolean {
  return phase.is === 'up' || phase.is === 'starting';
}

function idOf({ spec }: Instance): InstanceId {
  return spec.id;
}

function isComing({ role }: Instance): boolean {
  return role === 'coming';
}
