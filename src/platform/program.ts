/**
 * The process that a service is. In a terminal of its own it is not the one that was spawned, and its pid is known a
 * moment later: what is asked of it until then waits.
 */
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Exit, Millis } from '../model.js';
import type { Clock } from '../ports.js';
import { exitOf } from './pty.js';

/** How long after the end of what holds a terminal the pid of the program may take to arrive. */
const pidWithin: Millis = 250;

export class Program {
  /** 0 while it is not known, or when it never will be. */
  pid = 0;
  #waiting: (() => void)[] | undefined = [];

  /** Acts now, or as soon as the program is known or never will be, in the order of the calls. */
  whenKnown(act: () => void): void {
    if (this.#waiting === undefined) act();
    else this.#waiting.push(act);
  }

  /** This is it; without a pid, it never will be known. */
  know(pid = this.pid): void {
    this.pid = pid;
    const acts = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const act of acts) act();
  }

  get isKnown(): boolean {
    return this.#waiting === undefined;
  }
}

/** Calls back once with how the child ended, or, if `words` are those of what holds its terminal, the program in that. */
export function onExit(
  { child, words, program, clock }: { child: ChildProcess; words: Readable | null; program: Program; clock: Clock },
  ended: (exit: Exit) => void,
): void {
  child.once('exit', (code, signal) => {
    const own: Exit = signal === null ? { how: 'code', code: code ?? 0 } : { how: 'signal', signal };
    let isTold = false;
    const over = () => {
      if (isTold) return;
      isTold = true;
      const isInside = program.pid !== 0 && program.pid !== child.pid;
      program.know();
      ended(isInside ? exitOf(own) : own);
    };
    if (program.isKnown || words === null) return over();
    // The pid may still be on its way.
    words.once('close', over);
    clock.wakeAt(clock.now() + pidWithin, over);
  });
}
