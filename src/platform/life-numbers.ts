/**
 * The numbers that marks and control groups of a run's lives are made of. There are 9,999 of them, so they are given
 * again; never one that is in use, by a life or by a process that was left of one.
 */
import type { ChildListener } from '../ports.js';
import { lifeIn, markOf, mostLives } from './mark.js';
import type { ProcessTable } from './process-table.js';

export class LifeNumbers {
  readonly #run: string;
  readonly #table: Pick<ProcessTable, 'read'>;
  readonly #held = new Set<number>();
  /** Those that processes carried when the numbers last began again. */
  #carried = new Set<number>();
  #last = 0;

  constructor(run: string, table: Pick<ProcessTable, 'read'>) {
    this.#run = run;
    this.#table = table;
  }

  /** A number for a life that begins; undefined when all are in use. */
  take(): number | undefined {
    for (let tries = 0; tries < mostLives; tries += 1) {
      this.#last += 1;
      if (this.#last > mostLives) this.#beginAgain();
      if (this.#held.has(this.#last) || this.#carried.has(this.#last)) continue;
      this.#held.add(this.#last);
      return this.#last;
    }
    return undefined;
  }

  /** Nothing is left of that life. */
  giveBack(life: number): void {
    this.#held.delete(life);
  }

  /** A listener that gives the number back when its life has ended: what would not go keeps its mark. */
  until(life: number, listener: ChildListener): ChildListener {
    return {
      ...listener,
      exited: (remains) => {
        if (remains.survivors.length === 0) this.giveBack(life);
        listener.exited(remains);
      },
    };
  }

  /** The lives that have not ended, or left something that would not go. */
  get held(): readonly { readonly life: number; readonly mark: string }[] {
    return [...this.#held].map((life) => ({ life, mark: markOf(this.#run, life) }));
  }

  /** One reading of the process table for 9,999 lives: what was left of one keeps its number. */
  #beginAgain(): void {
    this.#last = 1;
    const marks = [...this.#table.read().values()].map(({ mark }) => lifeIn(this.#run, mark));
    this.#carried = new Set(marks.filter((life) => life !== undefined));
  }
}
