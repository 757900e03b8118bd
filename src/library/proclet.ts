/**
 * Services as values, in the words of Perl's Proclet. Nothing is decided here: what is said becomes the plan and the run
 * that a Procfile and its `proclet.yml` would become.
 */
import { ProcletError } from '../errors.js';
import type { ProcletEvent, Snapshot, Tag } from '../model.js';
import { wantsColor } from '../observers/palette.js';
import { buildPlan, type PlanInput } from '../plan/build-plan.js';
import { becomeCode, environment, ownCall, ownProgram } from '../platform/own-script.js';
import { giveBackSignals } from '../platform/signals.js';
import { TAG } from '../procfile/parse-procfile.js';
import { quote } from '../quote.js';
import { type Configuration, type Look, type Runtime, startServices } from '../runtime.js';
import { inputOf, type Service, scaled } from './input.js';
import { decoded, linesFor } from './lines.js';
import type { EventOf, EventType, ProcletOptions, ServiceOptions } from './options.js';

/** How many there are in this script: a process that is a function finds its own by its number. */
let made = 0;

/**
 * Services that run, end and disappear together.
 *
 * @example
 * const proclet = new Proclet({ color: true });
 * proclet.service({ tag: 'web', code: 'node server.js', worker: 2 });
 * proclet.service({ tag: 'job', code: async () => { await work(); }, every: '0 * * * *' });
 * process.exitCode = await proclet.run();
 */
export class Proclet {
  readonly #options: ProcletOptions;
  readonly #services: Service[] = [];
  readonly #listeners = new Map<EventType, ((event: never) => void)[]>();
  readonly #number = made++;
  #runtime: Runtime | undefined;
  #isUsed = false;

  constructor(options: ProcletOptions = {}) {
    this.#options = options;
  }

  /**
   * Adds a service. A function is run in a process of its own: this script is run again up to `run()`, so what comes
   * before that happens there as well.
   * @throws ProcletError CONFIG for a tag that is not one or is there already; everything else is checked by `run`
   */
  service({ tag = String(this.#services.length + 1), ...options }: ServiceOptions): this {
    if (!TAG.test(tag)) throw new ProcletError('CONFIG', `${quote(tag)} is not a tag: [A-Za-z0-9_-]+`);
    if (this.#services.some((service) => service.tag === tag)) {
      throw new ProcletError('CONFIG', `there is a service ${tag} already`);
    }
    this.#services.push({ tag, ...options });
    return this;
  }

  /** Calls back whenever something of this type happens. */
  on<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): this {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
    return this;
  }

  /**
   * Runs everything until it has ended, expired or been stopped; SIGINT and SIGTERM to this process stop it.
   * Resolves with the exit status that `proclet start` would have, once no process of any service is left.
   * @throws ProcletError CONFIG with everything that is wrong with the services, REFUSED when it runs already
   */
  async run(): Promise<number> {
    const call = ownCall();
    if (call !== undefined) return call.run === this.#number ? becomeCode(this.#codeOf(call.tag)) : 0;
    if (this.#isUsed) throw new ProcletError('REFUSED', 'a Proclet runs once; make another one');
    this.#isUsed = true;
    const own = new Map(this.#services.flatMap((service) => this.#ownProgramOf(service)));
    const input = await inputOf({ services: this.#services, options: this.#options, own, env: environment() });
    const look = this.#look(input);
    const first = { plan: buildPlan(input), look };
    try {
      return await this.#runHeld(input, first);
    } finally {
      giveBackSignals();
    }
  }

  async #runHeld(input: PlanInput, first: Configuration): Promise<number> {
    const { look } = first;
    const runtime = await startServices(first, {
      observers: [(event) => this.#tell(event), ...(this.#options.logger ? [linesFor(this.#options.logger)] : [])],
      reread: async (counts, positions) => ({ plan: buildPlan({ ...scaled(input, counts), positions }), look }),
    });
    this.#runtime = runtime;
    return runtime.finished;
  }

  /** Ends every service; `run` then resolves with this status. Does nothing before and after. */
  stop(status = 0): void {
    this.#runtime?.stop(status);
  }

  /** How everything stands; undefined before it runs. */
  snapshot(): Snapshot | undefined {
    return this.#runtime?.snapshot();
  }

  #codeOf(tag: Tag): () => unknown {
    const code = this.#services.find((service) => service.tag === tag)?.code;
    if (typeof code === 'function') return code;
    throw new ProcletError('CONFIG', `there is no function for ${tag}: the script made other services this time`);
  }

  #tell(event: ProcletEvent): void {
    const told = event.type === 'output' ? { ...event, text: decoded(event.text) } : event;
    for (const listener of this.#listeners.get(event.type) ?? []) listener(told as never);
  }

  #look({ settings, env }: PlanInput): Look {
    const color = wantsColor({ setting: settings.color, env, isTTY: process.stdout.isTTY === true });
    return {
      ...{ format: this.#options.logger ? 'none' : 'text', color, stripColor: settings.color === 'never' },
      ...{ timestamp: settings.timestamp, quiet: [], name: settings.name, keys: false, stdinQuit: false },
      ...(settings.logDir !== undefined && { logDirectory: settings.logDir }),
    };
  }

  #ownProgramOf({ tag, code }: Service) {
    return typeof code === 'function' ? [[tag, ownProgram({ run: this.#number, tag })] as const] : [];
  }
}
