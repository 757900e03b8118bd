/** The services and instances of a run, and the questions about them. Only the supervisor writes into it. */
import type { Instance, InstanceId, Phase, Plan, ServiceSpec, Tag } from '../model.js';
import { newInstance } from './instance.js';
import { dependents, type Standing, standingOf } from './order.js';

export class Roster {
  readonly services: ReadonlyMap<Tag, ServiceSpec>;
  readonly #instances: Map<InstanceId, Instance>;

  constructor({ services }: Plan) {
    this.services = new Map(services.map((service) => [service.tag, service]));
    const specs = services.flatMap(({ instances }) => instances);
    this.#instances = new Map(specs.map((spec) => [spec.id, newInstance(spec)]));
  }

  get(id: InstanceId): Instance | undefined {
    return this.#instances.get(id);
  }

  set(instance: Instance): void {
    this.#instances.set(instance.spec.id, instance);
  }

  get all(): readonly Instance[] {
    return [...this.#instances.values()];
  }

  get ids(): readonly InstanceId[] {
    return [...this.#instances.keys()];
  }

  of(tag: Tag): readonly Instance[] {
    return this.all.filter(({ spec }) => spec.tag === tag);
  }

  idsOf(tag: Tag): readonly InstanceId[] {
    return this.of(tag).map(({ spec }) => spec.id);
  }

  has(tag: Tag, phase: Phase['is']): boolean {
    return this.of(tag).some((instance) => instance.phase.is === phase);
  }

  /** Whether anything of a service, or of all, runs or waits for its next life. */
  isBusy(tag?: Tag): boolean {
    for (const { spec, phase } of this.#instances.values()) {
      if ((tag === undefined || spec.tag === tag) && phase.is !== 'down' && phase.is !== 'failed') return true;
    }
    return false;
  }

  /** Whether anything runs that is after this service. */
  isNeeded(tag: Tag): boolean {
    return this.dependents(tag).some((each) => each !== tag && this.isBusy(each));
  }

  dependents(tag: Tag): readonly Tag[] {
    return dependents(this.services, tag);
  }

  standing(tag: Tag, wanted: boolean): Standing {
    return standingOf(
      this.of(tag).map(({ phase }) => phase),
      wanted,
    );
  }
}
