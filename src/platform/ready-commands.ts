/**
 * `ready: {command: …}`: beside a life that starts, its command is run again and again until it exits with 0. One attempt
 * at a time, each a tree of its own, with a deadline; nothing of one outlives the life. What the attempts print is kept for
 * the case that the life does not become ready in time.
 */
import { stripVTControlCharacters } from 'node:util';
import { formatDuration } from '../duration.js';
import { describeExit, isSuccess } from '../exit-status.js';
import { lifeKey } from '../life-key.js';
import type { InstanceSpec, Millis, Output } from '../model.js';
import type { ChildListener, Clock, Life, Observer, Spawn } from '../ports.js';
import { quote } from '../quote.js';

export interface ReadyCommandsOptions {
  readonly clock: Clock;
  /** Starts services. */
  readonly spawn: Spawn;
  /** Starts attempts, whose streams are never those of proclet itself. */
  readonly attempt: Spawn;
  /** The port that a life is told to listen on. */
  readonly portOf: (spec: InstanceSpec, generation: number) => number;
  readonly ready: (life: Life) => void;
  readonly notice: (text: string) => void;
}

export interface ReadyCommands {
  /** Like the one it was made of; the end of a life is reported when its attempt has ended, too. */
  readonly spawn: Spawn;
  readonly observe: Observer;
}

/** Between two attempts, ever longer. */
const shortest: Millis = 100;
const longest: Millis = 1_000;
const growth = 1.5;
/** How long one may take. */
const limit: Millis = 10_000;
/** How long it may outlive SIGKILL. */
const patience: Millis = 5_000;
/** How many lines of the last attempt are told. */
const mostLines = 5;

export function createReadyCommands(options: ReadyCommandsOptions): ReadyCommands {
  const { clock, notice } = options;
  const trials = new Map<string, Trial>();
  return {
    spawn(spec, listener, generation) {
      if (spec.readyProgram === undefined) return options.spawn(spec, listener, generation);
      const life = { id: spec.id, generation };
      const exited: ChildListener['exited'] = (remains) => {
        const trial = trials.get(lifeKey(life));
        trials.delete(lifeKey(life));
        if (trial === undefined) listener.exited(remains);
        else trial.end(() => listener.exited(remains));
      };
      const child = options.spawn(spec, { ...listener, exited }, generation);
      trials.set(lifeKey(life), new Trial(life, attemptSpecOf(spec, options.portOf(spec, generation)), options));
      return child;
    },
    observe(event) {
      if (event.type !== 'up' && event.type !== 'stopping' && event.type !== 'unready') return;
      const trial = trials.get(lifeKey(event));
      trial?.end();
      // Behind the sentence about the event.
      if (event.type === 'unready') clock.wakeAt(clock.now(), () => trial?.report().forEach(notice));
    },
  };
}

/** Everything as the service has it, but for what only one program can have: its port, its terminal, its sockets. */
function attemptSpecOf(spec: InstanceSpec, port: number): InstanceSpec {
  const name = `(ready ${spec.id})`;
  return {
    ...{ ...spec, id: name, tag: name, argv: spec.readyProgram ?? spec.argv, port: 0, tty: false, detach: [] },
    env: { ...spec.env, ...(port > 0 && { PORT: String(port) }) },
    ...{ restart: 'never', stopSignal: 'SIGTERM', stop: 'tree', grace: 0 },
  };
}

/** How an attempt ended, or that it has not, and what it printed. */
interface Attempt {
  readonly began: Millis;
  lines: readonly string[];
  how?: string;
}

/** The attempts of one life. */
class Trial {
  readonly life: Life;
  readonly #spec: InstanceSpec;
  readonly #options: ReadyCommandsOptions;
  #attempts = 0;
  #current: Attempt | undefined;
  /** The last one that came to its end. */
  #ended: Attempt | undefined;
  #pause = shortest;
  #isOver = false;
  /** Ends the attempt that is under way. */
  #kill: (() => void) | undefined;
  #gone = () => {};
  #cancel: () => void;

  constructor(life: Life, spec: InstanceSpec, options: ReadyCommandsOptions) {
    this.life = life;
    this.#spec = spec;
    this.#options = options;
    this.#cancel = options.clock.wakeAt(options.clock.now(), () => this.#begin());
  }

  /** No attempt begins any more, and one that is under way is ended; then `gone` is called. */
  end(gone = () => {}): void {
    this.#isOver = true;
    this.#gone = gone;
    if (this.#kill !== undefined) this.#kill();
    else {
      this.#cancel();
      gone();
    }
  }

  /** What there is to say about attempts that were in vain. */
  report(): readonly string[] {
    const { id } = this.life;
    const { ready } = this.#spec;
    const last = this.#ended ?? this.#current;
    if (last === undefined || ready?.kind !== 'command') return [];
    const count =
      this.#attempts === 1 ? 'once without success:' : `${this.#attempts} times without success, the last time`;
    const said = last.lines.length === 0 ? '' : ':';
    const first = `${id}: ${quote(ready.command)} was run ${count} it ${last.how ?? 'did not end in time'}${said}`;
    return [first, ...last.lines.map((line) => `${id}: ${line}`)];
  }

  #begin(): void {
    const { clock, attempt: spawn } = this.#options;
    const attempt: Attempt = { began: clock.now(), lines: [] };
    let isLate = false;
    this.#attempts += 1;
    const child = spawn(
      this.#spec,
      {
        output: (output) => {
          attempt.lines = [...attempt.lines, ...linesOf(output)].slice(-mostLines);
        },
        // Without its leader it has nothing to say.
        orphaned: () => child.kill(),
        exited: ({ exit }) => {
          const took = formatDuration(clock.now() - attempt.began);
          if (!this.#isOver) {
            attempt.how = isLate ? `took longer than ${formatDuration(limit)}` : `${describeExit(exit)} after ${took}`;
            this.#ended = attempt;
          }
          this.#goOn(!isLate && isSuccess(exit));
        },
      },
      this.life.generation,
    );
    this.#current = attempt;
    this.#kill = () => {
      this.#cancel();
      child.kill();
      this.#cancel = clock.wakeAt(clock.now() + patience, () => child.abandon());
    };
    child.endInput();
    this.#cancel = clock.wakeAt(attempt.began + limit, () => {
      isLate = true;
      this.#kill?.();
    });
  }

  #goOn(isReady: boolean): void {
    const { clock, ready } = this.#options;
    this.#cancel();
    this.#kill = undefined;
    if (this.#isOver) this.#gone();
    else if (isReady) {
      this.#isOver = true;
      ready(this.life);
    } else {
      this.#cancel = clock.wakeAt(clock.now() + this.#pause, () => this.#begin());
      this.#pause = Math.min(this.#pause * growth, longest);
    }
  }
}

/** What is `open` comes again. Of much output the end is told, so that only a part of each stretch is kept. */
function linesOf({ text, end }: Omit<Output, 'id'>): string[] {
  if (end === 'open') return [];
  const readable = stripVTControlCharacters(Buffer.from(text.slice(-4096), 'latin1').toString('utf8'));
  return readable
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-mostLines);
}
