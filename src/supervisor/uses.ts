/** When services were used last, as far as anybody can tell: by accesses to their ports, or by what they print. */
import type { Millis, ServiceSpec, Tag } from '../model.js';
import type { Clock, LookForUse, Use } from '../ports.js';
import type { Roster } from './roster.js';

export class Uses {
  readonly #roster: Roster;
  readonly #clock: Clock;
  readonly #look: LookForUse;
  readonly #lastOutput = new Map<Tag, Millis>();
  readonly #lastTouch = new Map<Tag, Millis>();
  /** The last use of lives that have ended, or are about to. */
  readonly #kept = new Map<Tag, Millis>();

  constructor(roster: Roster, clock: Clock, look: LookForUse) {
    this.#roster = roster;
    this.#clock = clock;
    this.#look = look;
  }

  printed(tag: Tag): void {
    const idle = this.#roster.services.get(tag)?.idle ?? Infinity;
    if (idle < Infinity) this.#lastOutput.set(tag, this.#clock.now());
  }

  /** Somebody says that it is in use. */
  touch(tag: Tag): void {
    this.#lastTouch.set(tag, this.#clock.now());
  }

  /** A life is about to end, and with it what is known of its accesses. */
  remember(tag: Tag): void {
    const service = this.#roster.services.get(tag);
    if (service === undefined || service.idle === Infinity) return;
    const { last, busy } = this.of(service);
    if (busy || last > -Infinity) this.#kept.set(tag, busy ? this.#clock.now() : last);
  }

  of(service: ServiceSpec): Pick<Use, 'last' | 'busy'> {
    const { last, busy } = this.#seen(service);
    const told = [this.#lastTouch.get(service.tag), this.#kept.get(service.tag)];
    return { last: Math.max(last, ...told.map((at = -Infinity) => at)), busy };
  }

  /** A service without a port is used when it prints. While it starts, or another that is after it runs, it is in use. */
  #seen({ tag, idleOn }: ServiceSpec): Pick<Use, 'last' | 'busy'> {
    if (this.#roster.has(tag, 'starting') || this.#roster.isNeeded(tag)) return { last: -Infinity, busy: true };
    const use = idleOn === 'access' ? this.#look(tag) : undefined;
    if (use?.listens === true) return use;
    return { last: idleOn === 'none' ? -Infinity : (this.#lastOutput.get(tag) ?? -Infinity), busy: false };
  }
}
