/**
 * The services and instances of a run, and the questions about them. A slot has one instance that serves and, during a
 * handover, one that comes and those that go. Gives out what names them: keys of instances and numbers of lives, each
 * once in a run, so that what is known of one is never taken for another's.
 */
import type {
  Address,
  Instance,
  InstanceId,
  InstanceSpec,
  Millis,
  Phase,
  Plan,
  Role,
  ServiceSpec,
  Tag,
} from '../model.js';
import { exchangedPorts, type Held, ownAddresses } from './exchanged-ports.js';
import { newInstance, nextDeadline } from './instance.js';
import { dependents, type Standing, standingOf } from './order.js';

export class Roster {
  readonly #asked = new Set<Tag>();
  readonly services = new Map<Tag, ServiceSpec>();
  readonly #byTag = new Map<Tag, Map<string, Instance>>();
  readonly #byKey = new Map<string, Instance>();
  /** Those that no plan has any more, and of which something runs. */
  readonly #leaving = new Set<Tag>();
  /** The addresses that the last life of each instance began with, by key. */
  readonly #addresses = new Map<string, readonly Address[]>();
  #entered = 0;
  /** The number of the last life that each slot had, whether or not the slot is still there. */
  readonly #generations = new Map<InstanceId, number>();

  constructor({ services }: Plan) {
    for (const service of services) this.setService(service);
  }

  /**
   * Adds a service, or replaces what is known of it: its new slots are added, those that stay get their new form.
   * Returns the instances of new slots, and those for which there is no slot any more; these are going.
   */
  setService(service: ServiceSpec): { readonly added: readonly Instance[]; readonly surplus: readonly Instance[] } {
    this.services.set(service.tag, service);
    this.#leaving.delete(service.tag);
    const added: Instance[] = [];
    for (const spec of service.instances) {
      const serving = this.serving(spec.id);
      if (serving === undefined) added.push(this.#fill(spec));
      else this.set({ ...serving, spec });
    }
    const slots = new Set(service.instances.map(({ id }) => id));
    const surplus = this.of(service.tag).filter(({ spec, role }) => role !== 'going' && !slots.has(spec.id));
    return { added, surplus: surplus.map((instance) => this.set({ ...instance, role: 'going' })) };
  }

  /**
   * An instance for a slot that has none. If the slot was there before and its last life is still being ended, that
   * one gets it back: the next life begins when the port is free.
   */
  #fill(spec: InstanceSpec): Instance {
    const leaving = this.of(spec.tag).findLast(
      (one) => one.spec.id === spec.id && one.phase.is === 'stopping' && one.phase.cause?.reason !== 'replaced',
    );
    if (leaving === undefined) return this.enter(spec);
    return this.set({ ...leaving, role: 'serving', spec });
  }

  /** A new instance, under a key of its own. */
  enter(spec: InstanceSpec, role: Role = 'serving'): Instance {
    this.#entered += 1;
    return this.set(newInstance(spec, `${spec.id}@${this.#entered}`, role));
  }

  /** A life of an instance begins: it gets the next number of its slot. */
  begin(instance: Instance): Instance {
    const { id } = instance.spec;
    const generation = (this.#generations.get(id) ?? 0) + 1;
    this.#generations.set(id, generation);
    const service = this.services.get(instance.spec.tag);
    if (service) this.#addresses.set(instance.key, ownAddresses(service, instance.spec));
    return this.set({ ...instance, generation });
  }

  /** No plan has it any more: when nothing of it runs it is forgotten. */
  leave(tag: Tag): void {
    if (this.isBusy(tag)) this.#leaving.add(tag);
    else this.removeService(tag);
  }

  /** Forgets a service of which nothing runs. */
  removeService(tag: Tag): void {
    for (const { key } of this.of(tag)) this.remove(key);
    this.services.delete(tag);
    this.#leaving.delete(tag);
    this.#byTag.delete(tag);
  }

  get(key: string): Instance | undefined {
    return this.#byKey.get(key);
  }

  /** An instance, if this is its present life. */
  living(key: string, generation: number): Instance | undefined {
    const instance = this.#byKey.get(key);
    return instance?.generation === generation ? instance : undefined;
  }

  set(instance: Instance): Instance {
    const { key, spec } = instance;
    const own = this.#byTag.get(spec.tag);
    if (own) own.set(key, instance);
    else this.#byTag.set(spec.tag, new Map([[key, instance]]));
    this.#byKey.set(key, instance);
    return instance;
  }

  remove(key: string): void {
    const instance = this.#byKey.get(key);
    if (instance === undefined) return;
    this.#byKey.delete(key);
    this.#addresses.delete(key);
    this.#byTag.get(instance.spec.tag)?.delete(key);
  }

  /** The slots that are to get what lives of others hold, with these. */
  get exchangedPorts(): ReadonlyMap<InstanceId, readonly Held[]> {
    const running = [...this.#byKey.values()].filter(({ phase }) => runs.has(phase.is));
    const lives = running.map(({ key, spec: { tag, id } }) => ({ tag, id, addresses: this.#addresses.get(key) ?? [] }));
    return exchangedPorts(lives, new Map([...this.services].filter(([tag]) => !this.#leaving.has(tag))));
  }

  get phases(): readonly Phase[] {
    return [...this.#byKey.values()].map(({ phase }) => phase);
  }

  /** Those that run or wait for their next life. */
  get busy(): readonly Instance[] {
    return [...this.#byKey.values()].filter(({ key }) => !this.isAtRest(key));
  }

  /** When the next of them must be stepped; `Infinity` for never. */
  get deadline(): Millis {
    let least = Infinity;
    for (const instance of this.#byKey.values()) least = Math.min(least, nextDeadline(instance));
    return least;
  }

  due(now: Millis): readonly Instance[] {
    return [...this.#byKey.values()].filter((instance) => nextDeadline(instance) <= now);
  }

  get keys(): readonly string[] {
    return [...this.#byKey.keys()];
  }

  /** In the order of their slots; what comes and goes included. */
  of(tag: Tag): readonly Instance[] {
    return [...(this.#byTag.get(tag)?.values() ?? [])];
  }

  keysOf(tag: Tag): readonly string[] {
    return this.of(tag).map(({ key }) => key);
  }

  /** Those that serve, or would. */
  servingOf(tag: Tag): readonly Instance[] {
    return this.of(tag).filter(({ role }) => role === 'serving');
  }

  /** Those that serve and are up. */
  upOf(tag: Tag): readonly Instance[] {
    return this.servingOf(tag).filter(({ phase }) => phase.is === 'up');
  }

  /** The instance that lives this life, unless it goes. */
  livesOf(id: InstanceId, generation: number): readonly Instance[] {
    const own = this.of(tagOf(id));
    return own.filter((one) => one.spec.id === id && one.generation === generation && one.role !== 'going');
  }

  serving(id: InstanceId): Instance | undefined {
    return this.inSlot(id, 'serving');
  }

  inSlot(id: InstanceId, role: Instance['role']): Instance | undefined {
    return this.of(tagOf(id)).find((instance) => instance.spec.id === id && instance.role === role);
  }

  has(tag: Tag, phase: Phase['is']): boolean {
    return this.of(tag).some((instance) => instance.phase.is === phase);
  }

  isAtRest(key: string): boolean {
    const is = this.#byKey.get(key)?.phase.is;
    return is === undefined || is === 'down' || is === 'failed';
  }

  /** Whether anything of a service runs or waits for its next life. */
  isBusy(tag: Tag): boolean {
    for (const { phase } of this.#byTag.get(tag)?.values() ?? []) {
      if (phase.is !== 'down' && phase.is !== 'failed') return true;
    }
    return false;
  }

  /** Whether anything of a service runs, or waits for its next life, and is not being put down. */
  isWanted(tag: Tag): boolean {
    return this.servingOf(tag).some(({ key, phase, goal }) => {
      return !this.isAtRest(key) && (phase.is !== 'stopping' || phase.cause === undefined || goal === 'up');
    });
  }

  get isAnyBusy(): boolean {
    for (const tag of this.services.keys()) if (this.isBusy(tag)) return true;
    return false;
  }

  /** Whether it is down, or going down, because a person or its lease said so. */
  isPutDown(tag: Tag): boolean {
    return this.servingOf(tag).some(({ phase, goal }) => {
      const cause = (phase.is === 'down' || (phase.is === 'stopping' && goal === 'down')) && phase.cause;
      return cause && cause.reason !== 'reconfigured' && cause.reason !== 'replaced';
    });
  }

  /** Somebody asked for it by name, and not only for what is after it. */
  ask(tag: Tag): void {
    this.#asked.add(tag);
  }

  isAsked(tag: Tag): boolean {
    return this.#asked.has(tag);
  }

  forgetAsked(tag: Tag): void {
    this.#asked.delete(tag);
  }

  /** What a service is after, and nobody else that runs, and what was not started for itself. */
  dispensableWithout(tag: Tag): readonly Tag[] {
    const after = this.services.get(tag)?.after ?? [];
    return after.filter((each) => !this.isNeeded(each) && this.services.get(each)?.start !== 'always');
  }

  /** Whether an access or a change of a file may start something. */
  canWake({ services, onExit }: Plan): boolean {
    return services.some(({ tag, start }) => start === 'on-access' || (onExit !== 'stop' && this.#awaitsChange(tag)));
  }

  /** Whether a change of a file would start something: it ended by itself, well or not. */
  #awaitsChange(tag: Tag): boolean {
    if ((this.services.get(tag)?.watch ?? []).length === 0) return false;
    const isAtRest = ({ phase }: Instance) => phase.is === 'failed' || phase.is === 'down';
    return this.servingOf(tag).some((instance) => isAtRest(instance) && instance.goal === 'up');
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
      this.servingOf(tag).map(({ phase }) => phase),
      wanted,
    );
  }
}

const runs: ReadonlySet<Phase['is']> = new Set(['starting', 'up', 'stopping']);

function tagOf(id: InstanceId): Tag {
  return id.slice(0, id.lastIndexOf('.'));
}
