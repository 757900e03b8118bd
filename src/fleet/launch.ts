/**
 * Starting one service for somebody who waits for its address: from the question whether it runs to the moment that it
 * listens, or to the reason why it will not.
 */
import { formatDuration } from '../duration.js';
import { ProcletError } from '../errors.js';
import { describeExit } from '../exit-status.js';
import type { Millis, ProcletEvent, Tag } from '../model.js';
import { createSentences } from '../observers/sentences.js';
import type { Clock } from '../ports.js';
import { runBegun } from './after-start.js';
import { assertAnswers, assertFree, freeName } from './before-start.js';
import type { Fleet, SeenRun, SeenService, Told } from './fleet.js';
import type { Arrived, Launch, LaunchState, Past } from './launch-state.js';
import { type LaunchedProject, withAfter } from './launched-project.js';
import { type LaunchLine, linesOf } from './lines.js';
import { addressOf, searchAddress } from './search-address.js';
import { isUp as isServiceUp, portsOf } from './seen-run.js';

const keptLines = 300;
const usualPatience: Millis = 30_000;
/** How long a service that said that it is ready may take to listen, if it listens at all. */
const listensAfterReady: Millis = 3_000;
/** So often it is asked whether what ends has ended. */
const lookEvery: Millis = 50;

/** So long the last words of a run that has ended are waited for. */
const lastWordsWithin: Millis = 2_000;
export interface LaunchParts {
  readonly past: Past;
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
  /** The run whose events are heard. */
  #followed: string | undefined;
  /** A run that was there was asked for it, and nothing has been heard of the service since. */
  #isAsked = false;
  /** When it failed, while the reason is looked for. */
  #lostAt: Millis | undefined;
  /** Wall time. */
  readonly #began: number;
  #finish: (state: LaunchState) => void = () => {};

  constructor(id: number, project: LaunchedProject, tag: Tag, parts: LaunchParts) {
    this.id = id;
    this.tag = tag;
    this.project = project.name;
    this.root = project.root;
    this.#project = project;
    this.#parts = parts;
    this.#began = parts.clock.wall();
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Whether it was started for this, and did not run before. */
  get isStart(): boolean {
    return this.#begunIn !== undefined;
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
      const told: Told = {
        event: (event) => this.#happened(event),
        anew: () => void this.lines.splice(0),
        over: () => this.#lost(),
      };
      this.#followed = run.run;
      this.#ends.push(this.#parts.fleet.follow(run.run, message, told));
      this.#waitFor(run, service, isUp);
    } catch (error) {
      const { code = '', message } = error as ProcletError;
      if (code === 'NOT_RUNNING') this.#lost(message);
      else this.fail(message);
    }
  }

  /** The run has ended. One that was about to end when it was asked says nothing of the service: another one is started. */
  #lost(reason = `the proclet of ${this.project} ended`): void {
    if (!this.#isAsked) this.fail(reason, false);
    else {
      this.#isAsked = false;
      for (const end of this.#ends.splice(0)) end();
      const { clock } = this.#parts;
      this.#ends.push(clock.wakeAt(clock.now() + lookEvery, () => void this.begin()));
    }
  }

  /** What was started for this launch alone is put down again. */
  fail(reason: string, isWhole = true): void {
    if (this.state.is !== 'booting') return;
    // Who ends at once is gone before it can be listened to.
    const past = isWhole && this.printed > 0 ? undefined : this.#parts.past(this.root, this.tag, this.#began);
    const { clock } = this.#parts;
    // A run takes its record away before all that it has to say is in its files.
    this.#lostAt ??= clock.now();
    if (!isWhole && past?.end === undefined && clock.now() < this.#lostAt + lastWordsWithin) {
      this.#ends.push(clock.wakeAt(clock.now() + lookEvery, () => this.fail(reason, false)));
      return;
    }
    if (past !== undefined && this.printed === 0) for (const line of past.lines) this.#print(line);
    this.#end({ is: 'failed', reason: isWhole ? reason : (past?.end ?? reason) });
    const run = this.#begunIn;
    if (run !== undefined)
      this.#parts.fleet.ask(run, { verb: 'stop', targets: [this.tag], from: 'launcher' }).catch(() => {});
  }

  /** The run that has the service, in which it is up or is being started. */
  async #run(): Promise<{ run: SeenRun; since: number; isUp: boolean }> {
    const { fleet, clock, startRun } = this.#parts;
    const { root, tag } = this;
    await this.#untilStopped();
    const since = clock.wall();
    const runs = fleet.runs.filter((run) => run.root === root);
    assertAnswers(runs, tag);
    const found = runs.find((run) => this.#serviceIn(run)?.instances.some(({ phase }) => phase === 'up'));
    const other = found ?? runs.find((run) => run.command === 'start' && this.#serviceIn(run) !== undefined);
    if (other !== undefined) {
      this.#isAsked = true;
      const service = this.#serviceIn(other);
      const isBusy = service?.instances.some(({ phase }) => phase !== 'down' && phase !== 'failed');
      if (isBusy !== true) {
        assertFree(other, service);
        await fleet.ask(other.run, { verb: 'restart', targets: [tag], from: 'launcher' });
        this.#begunIn = other.run;
      } else await fleet.ask(other.run, { verb: 'touch', targets: [tag] }).catch(() => {}); // it ends, which is heard of
      return { run: other, since: found ? since : since - 1, isUp: found !== undefined };
    }
    this.#isAsked = false;
    await startRun(freeName(root));
    const started = await runBegun(fleet, clock, root, tag);
    const own = this.#serviceIn(started);
    if (own?.start === 'on-access') await fleet.ask(started.run, { verb: 'restart', targets: [tag], from: 'launcher' });
    this.#begunIn = started.run;
    return { run: started, since, isUp: false };
  }

  /** What is about to end is not what somebody wants to go to, and a run that begins will say what it has. */
  async #untilStopped(): Promise<void> {
    const { fleet, clock } = this.#parts;
    const isEnding = ({ silence, ...run }: SeenRun) =>
      silence === undefined
        ? this.#serviceIn(run)?.instances.some(({ phase, role }) => phase === 'stopping' && role !== 'going')
        : silence === 'starting';
    const isInBetween = () => fleet.runs.some((run) => run.root === this.root && isEnding(run));
    await fleet.look();
    for (const end = clock.now() + usualPatience; isInBetween() && clock.now() < end; ) {
      await new Promise<void>((go) => void clock.wakeAt(clock.now() + lookEvery, go));
      await fleet.look();
    }
  }

  /** The service as it stands in a run that may have ended. */
  #found(run: string): SeenService | undefined {
    const found = this.#parts.fleet.runs.find((one) => one.run === run);
    return found && this.#serviceIn(found);
  }

  #serviceIn(run: SeenRun): SeenService | undefined {
    return run.services.find((service) => service.tag === this.tag);
  }

  #waitFor(run: SeenRun, service: SeenService, isUp: boolean): void {
    const { fleet, clock } = this.#parts;
    const { readyWithin } = this.#project.services.find(({ tag }) => tag === this.tag) ?? {};
    const patience = readyWithin ?? usualPatience;
    const limit = clock.wakeAt(clock.now() + patience + (readyWithin === undefined ? 0 : 1_000), () => {
      if (isServiceUp(this.#found(run.run))) return this.#runsOn(run.run);
      const at = addressOf(service);
      const where = at === undefined ? 'on any port' : `on its port ${at.port}`;
      const others = portsOf(this.#found(run.run));
      const also = others.length === 0 ? '' : `; it listens on ${others.join(' and ')}`;
      this.fail(`${this.tag} runs, but did not listen ${where} within ${formatDuration(patience)}${also}`);
    });
    const search = searchAddress({
      ...{ fleet, clock, run: run.run, tag: this.tag, showsWhenReady: readyWithin !== undefined && !isUp },
      found: (at) => this.#arrive(run.run, at),
      foreign: (why) => this.fail(why),
    });
    this.#ends.push(limit, search);
    if (isUp && isPortless(service)) this.#runsOn(run.run);
    else if (readyWithin !== undefined && isUp) this.#wentUp(run.run);
  }

  /** A service that shows by itself when it is ready is not waited for much longer. */
  #wentUp(run: string): void {
    const { clock } = this.#parts;
    this.#ends.push(
      clock.wakeAt(clock.now() + listensAfterReady, () => isServiceUp(this.#found(run)) && this.#runsOn(run)),
    );
  }

  /** What does its work without listening has started well. */
  #runsOn(run: string): void {
    this.#end({ is: 'running', ports: portsOf(this.#found(run)) });
  }

  #happened(event: ProcletEvent): void {
    if ('id' in event && isOf(event.id, this.tag)) this.#isAsked = false;
    const said = this.#sentences(event).map(({ text }) => text);
    for (const line of linesOf(event)) this.#print(line);
    if (event.type === 'stranded' && event.tag === this.tag) {
      this.fail([`${this.tag} waits for ${event.for}, which does not run`, ...this.#endsOfOthers].join('; '));
    } else if (event.type === 'exited' && event.role !== 'going') {
      const { id, cause, exit, ran } = event;
      const end = cause === undefined ? `${id} ${describeExit(exit)} after ${formatDuration(ran)}` : said.join('; ');
      if (isOf(id, this.tag)) this.fail(end);
      else this.#endsOfOthers.push(end);
    } else if (event.type === 'up' && isOf(event.id, this.tag) && this.#followed !== undefined) {
      const service = this.#found(this.#followed);
      if (service !== undefined && isPortless(service)) this.#runsOn(this.#followed);
      else if (event.probed) this.#wentUp(this.#followed);
    } else if (event.type === 'listening' && event.listens === 'nowhere' && isOf(event.id, this.tag)) {
      if (this.#followed !== undefined) this.#runsOn(this.#followed);
    } else if (event.type === 'unready' && isOf(event.id, this.tag)) this.fail(said.join('; '));
  }

  #print(line: LaunchLine): void {
    this.printed += 1;
    this.lines.push(line);
    if (this.lines.length > keptLines) this.lines.shift();
    for (const told of this.#listeners) told(line);
  }

  #arrive(run: string, at: { readonly host: string; readonly port: number }): void {
    const pids = this.#found(run)?.instances.flatMap(({ pid }) => pid ?? []) ?? [];
    this.#parts.arrived({ run, pids, ...at });
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

/** Nothing was given to it to listen on, so that nothing is waited for. */
function isPortless(service: SeenService): boolean {
  return addressOf(service) === undefined;
}

function isOf(id: string, tag: Tag): boolean {
  return id.slice(0, id.lastIndexOf('.')) === tag;
}
