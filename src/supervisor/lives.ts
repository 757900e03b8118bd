/**
 * The lives of all instances: performs what the table asks for. Owns the children; decides nothing. A child is known by
 * its life, not by its slot or instance, and is kept until its own end was reported.
 */
import { lifeKey } from '../life-key.js';
import type { Exit, Forced, Happening, Instance, InstanceId, InstanceSpec, Millis, StopCause, Tag } from '../model.js';
import type { Child, ChildListener, Clock, Life, World } from '../ports.js';
import type { Effect } from './instance.js';
import { Listening } from './listening.js';
import { stopTermsOf } from './stop-terms.js';

export interface LivesListener {
  /** What is to be told about a life that begins. */
  listenTo(instance: Instance): ChildListener;
  began(spec: InstanceSpec, life: { pid: number; generation: number; coming: boolean }): void;
  tell(event: Happening): void;
  /** The leader of a life ignores the signal that was to end it. */
  unheard(key: string): void;
  /** The services that wait for this one. */
  waitingFor(tag: Tag): readonly Tag[];
}

export interface LastEnd {
  readonly exit: Exit;
  readonly at: Millis;
  readonly cause?: StopCause;
  readonly forced?: Forced;
  /** It was ended because it was not ready in time. */
  readonly unready?: true;
}

export class Lives {
  readonly listening: Listening;
  readonly #spawn: World['spawn'];
  readonly #listener: LivesListener;
  readonly #children = new Map<string, Child>();
  readonly #ends = new Map<InstanceId, LastEnd>();

  constructor(clock: Clock, { spawn, hear }: Pick<World, 'spawn' | 'hear'>, listener: LivesListener) {
    this.#spawn = spawn;
    this.listening = new Listening({ clock, hear, tell: (event) => listener.tell(event) });
    this.#listener = listener;
  }

  /** A life is over: that of this instance, before it was told. Returns whether it was one that ran. */
  ended(life: Life, instance: Instance | undefined, exit: Exit, at: Millis): boolean {
    const ran = this.#children.delete(lifeKey(life));
    this.listening.end(life);
    if (ran && instance !== undefined) {
      const { phase } = instance;
      const { cause, forced, unready } = phase.is === 'stopping' ? phase : {};
      const why = cause === undefined ? { ...(unready && { unready }) } : { cause };
      this.#ends.set(life.id, { exit, at, ...why, ...(forced && { forced }) });
    }
    return ran;
  }

  /** How the last life of a slot ended. */
  lastEnd(id: InstanceId): LastEnd | undefined {
    return this.#ends.get(id);
  }

  /** The child that lives the present life of an instance. */
  of({ spec, generation }: Instance): Child | undefined {
    return this.#children.get(lifeKey({ id: spec.id, generation }));
  }

  /** Every child whose end was not reported yet, whatever the instances say. */
  get children(): readonly Child[] {
    return [...this.#children.values()];
  }

  /** Lets the guardian know how these instances stand. */
  entrust(instances: readonly Instance[]): void {
    for (const instance of instances) this.of(instance)?.entrust(stopTermsOf(instance));
  }

  perform(instance: Instance, effect: Effect): void {
    const { spec, generation, role } = instance;
    const child = this.of(instance);
    switch (effect.type) {
      case 'spawn': {
        const started = (pid: number) => this.#listener.began(spec, { pid, generation, coming: role === 'coming' });
        const born = this.#spawn(spec, { ...this.#listener.listenTo(instance), started }, generation);
        this.#children.set(lifeKey({ id: spec.id, generation }), born);
        this.listening.begin(spec, generation, born);
        started(born.pid);
        return;
      }
      case 'signal':
        this.listening.end({ id: spec.id, generation });
        if (effect.to !== 'leader') child?.signal(effect.signal, effect.to);
        else if (child?.pass(effect.signal) === false) this.#listener.unheard(instance.key);
        return;
      case 'kill':
        this.listening.end({ id: spec.id, generation });
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
