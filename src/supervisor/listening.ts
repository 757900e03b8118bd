/**
 * Where lives listen that were given a port and show by nothing else that they are ready. They are asked together, ever more
 * seldom, and no more once it is known or their time is over. Knows nothing of how it is seen. What is to start after such
 * a service does not wait for this.
 */
import { lifeKey } from '../life-key.js';
import type { Happening, InstanceId, InstanceSpec, Listens, Millis } from '../model.js';
import type { Child, Clock, Heard, Life, World } from '../ports.js';

/** Between two questions: doubled from the first to the longest. */
const pauses = { first: 50, longest: 1_000 } as const;

/** A life that does not listen by then is not asked any more. */
export const listensWithin: Millis = 30_000;

/**
 * A program that boots computes, or waits a few seconds for another one. A life that uses less than a twentieth of a processor for
 * longer than that is a worker.
 */
const atRest = { for: 5_000, uses: 250 } as const;

interface Watched extends Life {
  readonly spec: InstanceSpec;
  readonly child: Child;
  readonly began: Millis;
  listens: Listens;
  isAsked: boolean;
  /** The processor time that it had used by a time, and not much more since. */
  rest: { readonly cpu: Millis; readonly since: Millis };
  /** Ports that are not its own, as of the last question. */
  others: string;
}

export interface ListeningOptions {
  readonly clock: Clock;
  readonly hear: World['hear'];
  tell(event: Happening): void;
}

export class Listening {
  readonly #options: ListeningOptions;
  readonly #lives = new Map<string, Watched>();
  /** Of those that listened nowhere when they lived last, nothing else is expected of the next life. */
  readonly #silent = new Set<InstanceId>();
  #pause: Millis = pauses.first;
  #at: Millis = Infinity;

  constructor(options: ListeningOptions) {
    this.#options = options;
  }

  begin(spec: InstanceSpec, generation: number, child: Child): void {
    if (spec.isToListen !== true) return;
    const now = this.#options.clock.now();
    const { id } = spec;
    this.#lives.set(lifeKey({ id, generation }), {
      ...{ id, generation, spec, child, began: now, isAsked: true, others: '' },
      listens: this.#silent.has(id) ? 'nowhere' : 'pending',
      rest: { cpu: 0, since: now },
    });
    this.#pause = pauses.first;
    this.#at = now + this.#pause;
  }

  /** It ends, or is about to. */
  end(life: Life): void {
    this.#lives.delete(lifeKey(life));
  }

  /** Undefined for a life of which that is not asked. */
  of(life: Life): Listens | undefined {
    return this.#lives.get(lifeKey(life))?.listens;
  }

  /** When they are to be asked; `Infinity` for never. */
  get deadline(): Millis {
    return this.#asked.length === 0 ? Infinity : this.#at;
  }

  wake(): void {
    const now = this.#options.clock.now();
    if (now < this.deadline) return;
    const asked = this.#asked;
    const heard = this.#options.hear(asked.map(({ child: { pid, mark }, ...life }) => ({ ...life, pid, mark })));
    this.#pause = Math.min(2 * this.#pause, pauses.longest);
    this.#at = now + this.#pause;
    for (const [index, life] of asked.entries()) {
      const one = heard[index] ?? { ports: [], isAtPort: false, cpu: 0 };
      this.#see(life, one, now);
    }
  }

  get #asked(): readonly Watched[] {
    return [...this.#lives.values()].filter(({ isAsked }) => isAsked);
  }

  #see(life: Watched, heard: Heard, now: Millis): void {
    const others = heard.ports.join(' ');
    const isElsewhere = others !== '' && others === life.others;
    life.others = others;
    if (Math.abs(heard.cpu - life.rest.cpu) > atRest.uses) life.rest = { cpu: heard.cpu, since: now };
    const isOver = now - life.began >= listensWithin;
    if (heard.isAtPort || isElsewhere) {
      life.isAsked = false;
      this.#silent.delete(life.id);
      this.#settle(life, heard.isAtPort ? 'port' : 'elsewhere', heard, now);
    } else if (isOver || (others === '' && now - life.rest.since >= atRest.for)) {
      life.isAsked = !isOver;
      this.#silent.add(life.id);
      this.#settle(life, 'nowhere', heard, now);
    }
  }

  #settle(life: Watched, listens: Exclude<Listens, 'pending'>, { ports }: Heard, now: Millis): void {
    if (life.listens === listens) return;
    life.listens = listens;
    const { id, generation, began } = life;
    this.#options.tell({ type: 'listening', id, generation, listens, ports, after: now - began });
  }
}
