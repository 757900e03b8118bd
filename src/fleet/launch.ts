/**
 * Starting one service for somebody who waits for its address: from the question whether it runs to the moment that it
 * listens, or to the reason why it will not.
 */
import { formatDuration } from '../duration.js';
import { ProcletError } from '../errors.js';
import { describeExit } from '../exit-status.js';
import type { Millis, ProcletEvent, ServiceSnapshot, Tag } from '../model.js';
import { probeReady } from '../network/ready.js';
import { createSentences } from '../observers/sentences.js';
import type { Clock } from '../ports.js';
import type { Fleet, SeenRun } from './fleet.js';
import { type LaunchLine, linesOf } from './lines.js';

export interface LaunchedService {
  readonly tag: Tag;
  readonly start: ServiceSnapshot['start'];
  readonly after: readonly Tag[];
  readonly readyWithin?: Millis;
}

export interface LaunchedProject {
  readonly name: string;
  readonly root: string;
  readonly services: readonly LaunchedService[];
}

/** What becomes of a launch. The port answers on this host. */
export type LaunchState =
  | { readonly is: 'booting' }
  | { readonly is: 'ready'; readonly host: string; readonly port: number }
  | { readonly is: 'failed'; readonly reason: string };

export interface Launch {
  readonly id: number;
  readonly project: string;
  readonly tag: Tag;
  readonly state: LaunchState;
  /** The last ones that the service, and those it is after, printed since the launch began. */
  readonly lines: readonly LaunchLine[];
  /** How many there have been. */
  readonly printed: number;
  /** Called for each line, and for the end of it with nothing. */
  subscribe(told: (line?: LaunchLine) => void): () => void;
  /** Resolves when it is not booting any more. */
  readonly finished: Promise<LaunchState>;
}

const keptLines = 300;
const usualPatience: Millis = 30_000;
/** So often is it looked where else a service listens. */
const doubtEvery: Millis = 700;

export interface Arrived {
  readonly run: string;
  readonly host: string;
  readonly port: number;
}

export interface LaunchParts {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly startRun: (name: string) => Promise<void>;
  readonly arrived: (at: Arrived) => void;
}

export class OneLaunch implements Launch {
  readonly id: number;
  readonly project: string;
  readonly root: string;
  readonly tag: Tag;
  readonly finished: Promise<LaunchState>;
  readonly lines: LaunchLine[] = [];
  printed = 0;
  /** Wall time. */
  endedAt = 0;
  state: LaunchState = { is: 'booting' };
  readonly #project: LaunchedProject;
  readonly #parts: LaunchParts;
  readonly #listeners = new Set<(line?: LaunchLine) => void>();
  readonly #ends: (() => void)[] = [];
  readonly #sentences = createSentences();
  readonly #endsOfOthers: string[] = [];
  /** The run in which it was started for this launch. */
  #begunIn: string | undefined;
  #finish: (state: LaunchState) => void = () => {};

  constructor(id: number, project: LaunchedProject, tag: Tag, parts: LaunchParts) {
    this.id = id;
    this.tag = tag;
    this.project = project.name;
    this.root = project.root;
    this.#project = project;
    this.#parts = parts;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  subscribe(told: (line?: LaunchLine) => void): () => void {
    this.#listeners.add(told);
    return () => this.#listeners.delete(told);
  }

  async begin(): Promise<void> {
    try {
      const { run, since, isUp } = await this.#run();
      if (this.state.is !== 'booting') return;
      const service = this.#serviceIn(run);
      if (service === undefined) throw new ProcletError('FAILED', `${this.tag} is not in what runs in ${this.root}`);
      const message = {
        targets: [...withAfter(this.#project, this.tag)],
        only: 'all',
        last: keptLines,
        since,
      } as const;
      const over = () => this.fail(`the proclet of ${this.project} ended`);
      this.#ends.push(this.#parts.fleet.follow(run.run, message, (event) => this.#happened(event), over));
      this.#waitFor(run, service, isUp);
    } catch (error) {
      this.fail((error as Error).message);
    }
  }

  /** What was started for this launch alone is put down again. */
  fail(reason: string): void {
    if (this.state.is !== 'booting') return;
    this.#end({ is: 'failed', reason });
    const run = this.#begunIn;
    if (run !== undefined) this.#parts.fleet.ask(run, { verb: 'stop', targets: [this.tag] }).catch(() => {});
  }

  /** The run that has the service, in which it is up or is being started. */
  async #run(): Promise<{ run: SeenRun; since: number; isUp: boolean }> {
    const { fleet, clock, startRun } = this.#parts;
    const { root, tag } = this;
    const since = clock.wall();
    await fleet.look();
    const runs = fleet.runs.filter((run) => run.root === root);
    const found = runs.find((run) => this.#serviceIn(run)?.instances.some(({ phase }) => phase === 'up'));
    const other = found ?? runs.find((run) => run.command === 'start' && this.#serviceIn(run) !== undefined);
    if (other !== undefined) {
      const service = this.#serviceIn(other);
      const isBusy = service?.instances.some(({ phase }) => phase !== 'down' && phase !== 'failed');
      if (isBusy !== true) {
        await fleet.ask(other.run, { verb: 'restart', targets: [tag] });
        this.#begunIn = other.run;
      }
      return { run: other, since: found ? since : since - 1, isUp: found !== undefined };
    }
    // One that somebody started without this service has the project's own name.
    await startRun(runs.some(({ name }) => name === '') ? 'launcher' : '');
    await fleet.look();
    const started = fleet.runs.findLast((run) => run.root === root && this.#serviceIn(run) !== undefined);
    if (started === undefined) throw new ProcletError('FAILED', `${tag} ended as soon as it was started`);
    const own = this.#serviceIn(started);
    if (own?.start === 'on-access') await fleet.ask(started.run, { verb: 'restart', targets: [tag] });
    this.#begunIn = started.run;
    return { run: started, since, isUp: false };
  }

  #serviceIn(run: SeenRun): SeenRun['services'][number] | undefined {
    return run.services.find((service) => service.tag === this.tag);
  }

  #waitFor(run: SeenRun, service: SeenRun['services'][number], isUp: boolean): void {
    const { clock } = this.#parts;
    const { readyWithin } = this.#project.services.find(({ tag }) => tag === this.tag) ?? {};
    const patience = readyWithin ?? usualPatience;
    const limit = clock.wakeAt(clock.now() + patience + (readyWithin === undefined ? 0 : 1_000), () => {
      const at = addressOf(service);
      const where = at === undefined ? 'on any port' : `on its port ${at.port}`;
      this.fail(`${this.tag} runs, but did not listen ${where} within ${formatDuration(patience)}`);
    });
    this.#ends.push(limit);
    if (readyWithin === undefined || isUp) this.#probe(run.run, service);
    else this.#ends.push(this.#parts.fleet.onChange(() => this.#lookIfReady(run.run)));
    this.#ends.push(clock.wakeAt(clock.now() + doubtEvery, () => void this.#doubt(run.run)));
    if (readyWithin !== undefined) this.#lookIfReady(run.run);
  }

  /** It listens where it was told to, or where proclet listens for it. */
  #probe(run: string, service: SeenRun['services'][number]): void {
    const at = addressOf(service);
    if (at === undefined) return;
    const { clock } = this.#parts;
    const found = (host = '127.0.0.1') => this.#arrive(run, { host, port: at.port });
    const probe = probeReady({ clock, ready: { kind: 'tcp' }, port: at.port, onReady: found });
    this.#ends.push(probe.cancel);
  }

  /** A service that shows by itself when it is ready. */
  #lookIfReady(run: string): void {
    const service = this.#parts.fleet.runs
      .filter((one) => one.run === run)
      .flatMap((one) => this.#serviceIn(one) ?? [])[0];
    if (service?.instances.some(({ phase, role }) => phase === 'up' && role === 'serving') === true)
      this.#probe(run, service);
  }

  /** It may listen elsewhere than it was told to: where it still is the only port when this is asked again. */
  async #doubt(run: string, before?: number): Promise<void> {
    const { fleet, clock } = this.#parts;
    await fleet.look(true);
    if (this.state.is !== 'booting') return;
    const service = fleet.runs.filter((one) => one.run === run).flatMap((one) => this.#serviceIn(one) ?? [])[0];
    const port = service?.start === 'on-access' ? undefined : otherPortOf(service);
    if (port !== undefined && port === before) this.#arrive(run, { host: '127.0.0.1', port });
    else this.#ends.push(clock.wakeAt(clock.now() + doubtEvery, () => void this.#doubt(run, port)));
  }

  #happened(event: ProcletEvent): void {
    const said = this.#sentences(event).map(({ text }) => text);
    for (const line of linesOf(event)) this.#print(line);
    if (event.type === 'stranded' && event.tag === this.tag) {
      this.fail([`${this.tag} waits for ${event.for}, which does not run`, ...this.#endsOfOthers].join('; '));
    } else if (event.type === 'exited' && event.role !== 'going') {
      const { id, cause, exit, ran } = event;
      const end = cause === undefined ? `${id} ${describeExit(exit)} after ${formatDuration(ran)}` : said.join('; ');
      if (isOf(id, this.tag)) this.fail(end);
      else this.#endsOfOthers.push(end);
    } else if (event.type === 'unready' && isOf(event.id, this.tag)) this.fail(said.join('; '));
  }

  #print(line: LaunchLine): void {
    this.printed += 1;
    this.lines.push(line);
    if (this.lines.length > keptLines) this.lines.shift();
    for (const told of this.#listeners) told(line);
  }

  #arrive(run: string, at: { readonly host: string; readonly port: number }): void {
    this.#parts.arrived({ run, ...at });
    this.#end({ is: 'ready', ...at });
  }

  #end(state: LaunchState): void {
    if (this.state.is !== 'booting') return;
    this.state = state;
    this.endedAt = this.#parts.clock.wall();
    for (const end of this.#ends.splice(0)) end();
    for (const told of this.#listeners) told();
    this.#listeners.clear();
    this.#finish(state);
  }
}

/** The port that a person goes to: one that proclet holds for the service, else the first instance's own. */
export function addressOf({ listen, instances }: Pick<ServiceSnapshot, 'listen' | 'instances'>) {
  const front = listen.find((address) => 'port' in address);
  const port = front !== undefined && 'port' in front ? front.port : instances.find((one) => one.port > 0)?.port;
  const host = front !== undefined && 'port' in front ? front.host : '127.0.0.1';
  const isAny = host === '0.0.0.0' || host === '::' || host === undefined;
  return port === undefined ? undefined : { host: isAny ? '127.0.0.1' : host, port };
}

/** The one port of a program that was told another, and does not listen there. */
function otherPortOf(service: SeenRun['services'][number] | undefined): number | undefined {
  const ports = new Set(service?.instances.flatMap(({ usage }) => usage?.ports ?? []));
  const told = service?.instances.map((one) => one.port) ?? [];
  const [port, ...more] = ports;
  return more.length > 0 || told.some((one) => ports.has(one)) ? undefined : port;
}

/** A service and all that it is after. */
function withAfter({ services }: LaunchedProject, tag: Tag): Set<Tag> {
  const found = new Set([tag]);
  for (const each of found) for (const one of services.find((s) => s.tag === each)?.after ?? []) found.add(one);
  return found;
}

function isOf(id: string, tag: Tag): boolean {
  return id.slice(0, id.lastIndexOf('.')) === tag;
}
