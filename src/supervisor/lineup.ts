/**
 * Who is to start, and has to wait for others; and, at the end, who is not to be stopped yet. Owns the list of
 * services that are wanted; what starting and stopping are is the supervisor's.
 */
import type { Happening, StopCause, Tag } from '../model.js';
import { withAfter } from './order.js';
import type { Roster } from './roster.js';
import { causeOf, type Ending } from './shutdown.js';

export interface LineupActs {
  start(tag: Tag): void;
  /** Another life of an instance. */
  resume(key: string): void;
  stop(keys: readonly string[], cause: StopCause, patient: boolean): void;
  tell(event: Happening): void;
  /** It will not be started, because of another. */
  strand(tag: Tag, reason: Tag): void;
}

export class Lineup {
  readonly #roster: Roster;
  readonly #acts: LineupActs;
  readonly #wanted = new Set<Tag>();
  /** Instances that were stopped, or have no life yet, and go on when their addresses are free. */
  readonly #resuming = new Set<string>();
  /** Those that were said to be waiting. */
  readonly #announced = new Set<Tag>();

  constructor(roster: Roster, acts: LineupActs) {
    this.#roster = roster;
    this.#acts = acts;
  }

  /** A service and what it is after are to run. */
  want(tag: Tag): void {
    for (const each of withAfter(this.#roster.services, tag)) {
      if (each === tag || this.#roster.standing(each, false) !== 'ready') this.#wanted.add(each);
    }
  }

  wants(tag: Tag): boolean {
    return this.#wanted.has(tag) || [...this.#resuming].some((key) => this.#roster.get(key)?.spec.tag === tag);
  }

  /** An instance of what runs is to have its next life as soon as no other life holds what it is to get. */
  resume(key: string): void {
    this.#resuming.add(key);
  }

  /** These are put down, whatever else of their service runs. */
  putDown(keys: readonly string[]): void {
    for (const key of keys) this.#resuming.delete(key);
  }

  /** It is not to run any more. */
  forget(tag: Tag): void {
    this.#wanted.delete(tag);
    this.#announced.delete(tag);
    this.putDown(this.#roster.keysOf(tag));
  }

  clear(): void {
    this.#wanted.clear();
    this.#resuming.clear();
  }

  /** The services that wait to start after this one. */
  waitingFor(tag: Tag): readonly Tag[] {
    return this.#roster.dependents(tag).filter((each) => this.#wanted.has(each));
  }

  /** Starts what is wanted and need not wait any more. */
  start(): void {
    if (this.#wanted.size === 0 && this.#resuming.size === 0) return;
    const held = this.#roster.exchangedPorts;
    for (const key of [...this.#resuming]) {
      const id = this.#roster.get(key)?.spec.id;
      if (id !== undefined && held.has(id)) continue;
      this.#resuming.delete(key);
      this.#acts.resume(key);
    }
    for (const tag of [...this.#wanted]) {
      if (this.#roster.servingOf(tag).some(({ spec }) => held.has(spec.id))) continue;
      const after = this.#roster.services.get(tag)?.after ?? [];
      const missing = after.filter((each) => this.#standing(each) !== 'ready');
      const hopeless = missing.find((each) => this.#standing(each) === 'hopeless');
      if (missing.length > 0 && hopeless === undefined) this.#announce(tag, missing);
      else {
        this.#wanted.delete(tag);
        this.#announced.delete(tag);
        if (hopeless === undefined) this.#acts.start(tag);
        else this.#strand(tag, hopeless);
      }
    }
  }

  /** Stops, of what runs, whatever nobody who still runs is after. */
  stop(ending: Ending): void {
    const cause = causeOf(ending);
    for (const tag of this.#roster.services.keys()) {
      if (this.#roster.isNeeded(tag)) continue;
      const going = this.#roster.of(tag).filter(({ phase, goal }) => phase.is !== 'stopping' || goal === 'up');
      this.#acts.stop(
        going.map(({ key }) => key),
        cause,
        ending.first.patient,
      );
    }
  }

  #standing(tag: Tag) {
    return this.#roster.standing(tag, this.wants(tag));
  }

  #announce(tag: Tag, missing: readonly Tag[]): void {
    if (this.#announced.has(tag)) return;
    this.#announced.add(tag);
    this.#acts.tell({ type: 'waiting', tag, for: missing });
  }

  #strand(tag: Tag, reason: Tag): void {
    this.#acts.tell({ type: 'stranded', tag, for: reason });
    this.#acts.strand(tag, reason);
  }
}
