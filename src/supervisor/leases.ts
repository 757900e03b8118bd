/** The leases of all services: steps them at their deadlines and hands on what follows. */
import type { LeaseSnapshot, Millis, ServiceSpec, Tag } from '../model.js';
import type { Clock, Use } from '../ports.js';
import {
  type Lease,
  type LeaseEffect,
  type LeaseInput,
  leaseDeadline,
  newLease,
  remaining,
  stepLease,
} from './lease.js';

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
  readonly #services = new Map<Tag, ServiceSpec>();
  readonly #leases = new Map<Tag, Lease>();

  constructor(services: readonly ServiceSpec[], clock: Clock, holder: LeaseHolder) {
    this.#clock = clock;
    this.#holder = holder;
    for (const service of services) this.set(service);
  }

  /** A lease for a service; one that runs goes on unless its terms are others. */
  set(service: ServiceSpec): void {
    const { tag, ttl, idle } = service;
    const before = this.#leases.get(tag);
    this.#services.set(tag, service);
    if (before?.ttl === ttl && before.idle === idle) return;
    this.#leases.set(tag, newLease(service));
    if (before?.state.is === 'running') this.receive(tag, { type: 'started' });
  }

  remove(tag: Tag): void {
    this.#services.delete(tag);
    this.#leases.delete(tag);
  }

  receive(tag: Tag, input: LeaseInput): void {
    const before = this.#leases.get(tag);
    if (before === undefined) return;
    const { lease, effects } = stepLease(before, input, this.#clock.now());
    this.#leases.set(tag, lease);
    for (const effect of effects) this.#holder.perform(tag, effect);
  }

  receiveAll(input: LeaseInput): void {
    for (const tag of this.#services.keys()) this.receive(tag, input);
  }

  /** What is left of a service's lease; undefined when none runs. */
  remaining(tag: Tag): LeaseSnapshot | undefined {
    const lease = this.#leases.get(tag);
    return lease && remaining(lease, this.useOf(tag), this.#clock.now());
  }

  /** Whether there is anything that a lease could end. */
  isHeld(tag: Tag): boolean {
    return this.#holder.isBusy(tag);
  }

  /** Whether a lease has, or had, an end. */
  isLimited(tag: Tag): boolean {
    const { ttl = Infinity, idle = Infinity } = this.#leases.get(tag) ?? {};
    return Math.min(ttl, idle) < Infinity;
  }

  /** The use of a service, if its lease depends on that. */
  useOf(tag: Tag): Pick<Use, 'last' | 'busy'> | undefined {
    const service = this.#services.get(tag);
    return service === undefined || service.idle === Infinity ? undefined : this.#holder.useOf(service);
  }

  /** Steps every lease that is due; only those with an idle window are looked after. */
  wake(): void {
    const now = this.#clock.now();
    for (const service of this.#services.values()) {
      if (this.#deadlineOf(service.tag) > now) continue;
      const use = this.useOf(service.tag);
      this.receive(service.tag, { type: 'deadline', ...(use && { use }) });
    }
  }

  /** The next deadline of a service that is there to be ended. */
  get deadline(): Millis {
    let least = Infinity;
    for (const tag of this.#services.keys()) {
      const at = this.#deadlineOf(tag);
      if (at < least && this.#holder.isBusy(tag)) least = at;
    }
    return least;
  }

  #deadlineOf(tag: Tag): Millis {
    const lease = this.#leases.get(tag);
    return lease === undefined ? Infinity : leaseDeadline(lease);
  }
}
