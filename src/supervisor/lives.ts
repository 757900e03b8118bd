/** The lives of all instances: performs what the table asks for. Owns the children; decides nothing. */
import type { Exit, Happening, Instance, InstanceId, InstanceSpec, Millis, StopCause, Tag } from '../model.js';
import type { Child, ChildListener, Spawn } from '../ports.js';
import type { Effect } from './instance.js';

export interface LivesListener {
  /** What is to be told about a life that begins. */
  listenTo(key: string, tag: Tag): ChildListener;
  began(spec: InstanceSpec, life: { pid: number; generation: number; coming: boolean }): void;
  tell(event: Happening): void;
  /** The services that wait for this one. */
  waitingFor(tag: Tag): readonly Tag[];
}

export interface LastEnd {
  readonly exit: Exit;
  readonly at: Millis;
  readonly cause?: StopCause;
}

export class Lives {
  readonly #spawn: Spawn;
  readonly #listener: LivesListener;
  /** By the keys of their instances. */
  readonly #children = new Map<string, Child>();
  readonly #ends = new Map<InstanceId, LastEnd>();

  constructor(spawn: Spawn, listener: LivesListener) {
    this.#spawn = spawn;
    this.#listener = listener;
  }

  /** A life is over: that of this instance, before it was told. */
  ended(key: string, instance: Instance | undefined, end: Omit<LastEnd, 'cause'>): void {
    this.#children.delete(key);
    if (instance === undefined) return;
    const { phase, spec } = instance;
    const cause = phase.is === 'stopping' ? phase.cause : undefined;
    this.#ends.set(spec.id, { ...end, ...(cause && { cause }) });
  }

  /** How the last life of a slot ended. */
  lastEnd(id: InstanceId): LastEnd | undefined {
    return this.#ends.get(id);
  }

  get(key: string): Child | undefined {
    return this.#children.get(key);
  }

  get keys(): readonly string[] {
    return [...this.#children.keys()];
  }

  signal(keys: Iterable<string>, signal: NodeJS.Signals, to: 'leader' | 'tree'): void {
    for (const key of keys) this.#children.get(key)?.[to === 'leader' ? 'pass' : 'signal'](signal);
  }

  perform({ spec, key, generation, role }: Instance, effect: Effect): void {
    const child = this.#children.get(key);
    switch (effect.type) {
      case 'spawn': {
        const born = this.#spawn(spec, this.#listener.listenTo(key, spec.tag), generation);
        this.#children.set(key, born);
        this.#listener.began(spec, { pid: born.pid, generation, coming: role === 'coming' });
        return;
      }
      case 'signal':
        child?.[effect.to === 'leader' ? 'pass' : 'signal'](effect.signal);
        return;
      case 'kill':
        child?.kill();
        return;
      case 'abandon':
        child?.abandon();
        return;
      case 'tell':
        this.#tell(effect.event, spec.tag);
        return;
      default:
        effect satisfies never;
    }
  }

  #tell(event: Happening, tag: Tag): void {
    this.#listener.tell(event.type === 'unready' ? { ...event, waiting: this.#listener.waitingFor(tag) } : event);
  }
}
