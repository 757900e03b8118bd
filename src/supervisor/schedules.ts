/** When the services that run on a schedule run next. Owns nothing but those times; what a run is, is the supervisor's. */
import type { Happening, Millis, ServiceSpec, Tag } from '../model.js';
import type { Clock, World } from '../ports.js';

interface Entry {
  readonly every: string;
  /** Wall time: a schedule is written in the time that people read. */
  readonly at: number;
}

export class Schedules {
  readonly #clock: Clock;
  readonly #next: World['next'];
  readonly #tell: (event: Happening) => void;
  readonly #entries = new Map<Tag, Entry>();

  constructor(clock: Clock, next: World['next'], tell: (event: Happening) => void) {
    this.#clock = clock;
    this.#next = next;
    this.#tell = tell;
  }

  /** The service runs at its times from now on. Answers whether it has any. */
  set({ tag, every }: Pick<ServiceSpec, 'tag' | 'every'>): boolean {
    if (every === undefined) this.#entries.delete(tag);
    else if (this.#entries.get(tag)?.every !== every) {
      const now = this.#clock.wall();
      const at = this.#next(every, now);
      this.#entries.set(tag, { every, at });
      this.#tell({ type: 'scheduled', tag, every, in: at - now });
    }
    return every !== undefined;
  }

  has(tag: Tag): boolean {
    return this.#entries.has(tag);
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  stop(tag?: Tag): void {
    if (tag === undefined) this.#entries.clear();
    else this.#entries.delete(tag);
  }

  /** Its lease is over. There may be no life whose end would be told. */
  expire(tag: Tag): void {
    if (this.#entries.delete(tag))
      this.#tell({ type: 'notice', text: `${tag} expired: it runs on no schedule any more` });
  }

  /** Until the next run. */
  remaining(tag: Tag): Millis | undefined {
    const entry = this.#entries.get(tag);
    return entry && Math.max(0, entry.at - this.#clock.wall());
  }

  /** On the clock of the runner. */
  get deadline(): Millis {
    const least = Math.min(...[...this.#entries.values()].map(({ at }) => at));
    return this.#clock.now() + Math.max(0, least - this.#clock.wall());
  }

  /** Those that are to run, because their time has come, however often it did. What still runs is left out. */
  wake(isBusy: (tag: Tag) => boolean): readonly Tag[] {
    const now = this.#clock.wall();
    const due = [...this.#entries].filter(([, { at }]) => at <= now);
    for (const [tag, { every }] of due) {
      this.#entries.set(tag, { every, at: this.#next(every, now) });
      if (isBusy(tag)) this.#tell({ type: 'skipped', tag });
    }
    return due.map(([tag]) => tag).filter((tag) => !isBusy(tag));
  }
}
