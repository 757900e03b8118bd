import type { Exit, InstanceId, Survivor } from '../../src/model.js';
import type { Child, ChildListener, Spawn, StopTerms } from '../../src/ports.js';

interface Life {
  readonly id: InstanceId;
  readonly generation: number;
  readonly listener: ChildListener;
  alive: boolean;
}

/** Children that do nothing by themselves: they record what they are sent and end when the test says so. */
export class FakeChildren {
  /** `web.1 spawn`, `web.1 SIGTERM`, `web.1 kill`, in order. */
  readonly log: string[] = [];
  /** What the guardian was last told of each. */
  readonly terms = new Map<InstanceId, StopTerms>();
  /** Whose leaders ignore signals. */
  readonly deaf = new Set<InstanceId>();
  /** By the names of the log: `web.1`, and `web.1+2` for a second generation beside the first. */
  readonly #lives = new Map<InstanceId, Life>();
  readonly #mayOverlap: boolean;
  #pid = 100;

  constructor({ mayOverlap = false } = {}) {
    this.#mayOverlap = mayOverlap;
  }

  spawn: Spawn = (spec, listener, generation): Child => {
    const isSecond = this.#lives.get(spec.id)?.alive === true;
    if (isSecond && !this.#mayOverlap) throw new Error(`${spec.id} has two lives`);
    const id = isSecond ? `${spec.id}+${generation}` : spec.id;
    const life = { id, generation, listener, alive: true };
    this.#lives.set(id, life);
    const record = (what: string) => {
      if (!life.alive) throw new Error(`${id} is dead and got ${what}`);
      this.log.push(`${id} ${what}`);
    };
    this.log.push(`${id} spawn`);
    this.#pid += 1;
    return {
      pid: this.#pid,
      pass: (signal) => {
        record(`passed ${signal}`);
        return !this.deaf.has(id);
      },
      signal: (name, to) => record(to === 'rest' ? `rest ${name}` : name),
      kill: () => record('kill'),
      entrust: (terms) => this.terms.set(id, terms),
      pids: () => [],
      mark: '',
      tap: () => () => {},
      endInput() {},
      send: (text) => {
        record(`read ${text}`);
        return true;
      },
      abandon: () => {
        record('abandon');
        this.exit(id, { how: 'signal', signal: 'SIGKILL' }, [{ pid: this.#pid, state: 'D', command: 'stuck' }]);
      },
    };
  };

  generationOf(id: InstanceId): number {
    return this.#life(id).generation;
  }

  get alive(): InstanceId[] {
    return [...this.#lives.values()].filter(({ alive }) => alive).map(({ id }) => id);
  }

  print(id: InstanceId, text: string): void {
    const output = {
      id: id.replace(/\+\d+$/, ''),
      stream: 'stdout',
      text,
      shown: 0,
      continued: false,
      end: 'line',
    } as const;
    this.#life(id).listener.output(output);
  }

  orphan(id: InstanceId, exit: Exit, processes: number): void {
    this.#life(id).listener.orphaned({ exit, processes });
  }

  exit(id: InstanceId, exit: Exit, survivors: Survivor[] = []): void {
    const life = this.#life(id);
    life.alive = false;
    life.listener.exited({ exit, processes: 1, survivors });
  }

  #life(id: InstanceId): Life {
    const life = this.#lives.get(id);
    if (!life?.alive) throw new Error(`${id} is not alive`);
    return life;
  }
}

export const code = (n: number): Exit => ({ how: 'code', code: n });
export const signal = (name: NodeJS.Signals): Exit => ({ how: 'signal', signal: name });
