/** The lives of all instances: performs what the table asks for. Owns the children; decides nothing. */
import type { Happening, Instance, InstanceSpec, Tag } from '../model.js';
import type { Child, ChildListener, Spawn } from '../ports.js';
import type { Effect } from './instance.js';

export interface LivesListener {
  /** What is to be told about a life that begins. */
  listenTo(key: string, tag: Tag): ChildListener;
  began(spec: InstanceSpec, life: { pid: number; generation: number; coming: boolean }): void;
  tell(event: Happening, tag: Tag): void;
}

export class Lives {
  readonly #spawn: Spawn;
  readonly #listener: LivesListener;
  /** By the keys of their instances. */
  readonly #children = new Map<string, Child>();

  constructor(spawn: Spawn, listener: LivesListener) {
    this.#spawn = spawn;
    this.#listener = listener;
  }

  has(key: string): boolean {
    return this.#children.has(key);
  }

  forget(key: string): void {
    this.#children.delete(key);
  }

  pidsOf(key: string): readonly number[] {
    return this.#children.get(key)?.pids() ?? [];
  }

  signal(signal: NodeJS.Signals, to: 'leader' | 'tree'): void {
    for (const child of this.#children.values()) child[to === 'leader' ? 'pass' : 'signal'](signal);
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
        this.#listener.tell(effect.event, spec.tag);
        return;
      default:
        effect satisfies never;
    }
  }
}
