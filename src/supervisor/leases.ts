/** The leases of all services: steps them at their deadlines and hands on what follows. */
import type { Millis, ServiceSpec, Tag } from '../model.js';
import type { Clock, Use } from '../ports.js';
import { type Lease, type LeaseEffect, type LeaseInput, leaseDeadline, newLease, stepLease } from './lease.js';

export interface LeaseHolder {
  /** Whether anything of the service runs or waits. */
  isBusy(tag: Tag): boolean;
  /** The use of a service, looked for now. */
  useOf(service: ServiceSpec): Pick<Use, 'last' | 'busy'>;
  perform(tag: Tag, effect: LeaseEffect): void;
}

export class Leases {
  readonly #clock: Clock;
  readonly #holder: LeaseHolder;
  readonly #services: readonly ServiceSpec[];
  readonly #leases: Map<Tag, Lease>;

  constructor(services: readonly ServiceSpec[], clock: Clock, holder: LeaseHolder) {
    this.#clock = clock;
    this.#holder = holder;
    this.#services = services;
    this.#leases = new Map(services.map((service) => [service.tag, newLease(service)]));
  }

  receive(tag: Tag, input: LeaseInput): void {
    const before = this.#leases.get(tag);
    if (before === undefined) return;
    const { lease, effects } = stepLease(before, input, this.#clock.now());
    this.#leases.set(tag, lease);
    for (const effect of effects) this.#holder.perform(tag, effect);
  }

  receiveAll(input: LeaseInput): void {
    for (const { tag } of this.#services) this.receive(tag, input);
  }

  /** Steps every lease that is due; only those with an idle window are looked after. */
  wake(): void {
    const now = this.#clock.now();
    for (const service of this.#services) {
      if (this.#deadlineOf(service.tag) > now) continue;
      const use = service.idle === Infinity ? {} : { use: this.#holder.useOf(service) };
      this.receive(service.tag, { type: 'deadline', ...use });
    }
  }

  /** The next deadline of a service that is there to be ended. */
  get deadline(): Millis {
    const busy = this.#services.filter(({ tag }) => this.#holder.isBusy(tag));
    return Math.min(...busy.map(({ tag }) => this.#deadlineOf(tag)), Infinity);
  }

  #deadlineOf(tag: Tag): Millis {
    const lease = this.#leases.get(tag);
    return lease === undefined ? Infinity : leaseDeadline(lease);
  }
}
