/**
 * The only file that knows all the parts: builds them from a plan, starts them, and closes them in reverse
 * order. No policy but the meaning of the signals that proclet itself gets.
 */

import { join } from 'node:path';
import { hearKeysOf, openControlOf, openHooks, openLogs } from './attachments.js';
import { ProcletError } from './errors.js';
import { statusOfSignal } from './exit-status.js';
import type { Millis, Plan, Snapshot, Tag } from './model.js';
import { createAside } from './observers/aside.js';
import { createHistory } from './observers/history.js';
import { createJsonLines } from './observers/json-lines.js';
import { createTail } from './observers/tail.js';
import { createTerminal } from './observers/terminal.js';
import { listenToSignals } from './own-signals.js';
import { createClock } from './platform/clock.js';
import { createComplaints } from './platform/complaints.js';
import { noteFiles } from './platform/drafts.js';
import { type Bonds, watchBonds } from './platform/ends.js';
import { noteStuckThread, spareTerminalAtExit } from './platform/exit.js';
import { claimPidFile } from './platform/pid-file.js';
import { createProcessTable } from './platform/process-table.js';
import { onSignals } from './platform/signals.js';
import { createOutput, type Output, statusOfClosed } from './platform/stdout.js';
import { writerFor } from './platform/terminal-writer.js';
import { keepTerminal } from './platform/tty.js';
import type { Gate, Observer } from './ports.js';
import { type Run, supervise } from './supervision.js';

/** How a run shows: the look of its output, and its pid. */
export interface Look extends Bonds {
  /** Of the run; '' for none. */
  readonly name: string;
  /** Whether keys are acted on, if there is a terminal. */
  readonly keys: boolean;
  /** Gets a file for each service. Absolute. */
  readonly logDirectory?: string;
  /** A command for each event. */
  readonly onEvent?: string;
  readonly format: 'text' | 'json' | 'none';
  readonly color: boolean;
  /** Whether colours of the services are taken out when proclet shows none itself. */
  readonly stripColor: boolean;
  readonly timestamp: boolean;
  /** Tags whose output is not shown. */
  readonly quiet: readonly string[];
  /** A file that holds proclet's pid while it runs. */
  readonly pidFile?: string;
}

/** Reads the project again: with these numbers of instances instead of those it had, and the places that services have. */
export type Reread = (counts: Readonly<Record<Tag, number>>, places: ReadonlyMap<Tag, number>) => Promise<Plan>;

export interface StartOptions {
  readonly reread?: Reread;
  readonly observers?: readonly Observer[];
  /** Called when others can know of the run. */
  readonly recorded?: () => void;
}

export interface Runtime {
  /** The exit status, once nothing that was started is left and everything was printed. */
  readonly finished: Promise<number>;
  /** Ends every service, then the run, with this exit status. */
  stop(status: number): void;
  /** How everything stands, now. */
  snapshot(): Snapshot;
}

/** Starts the services of a plan with their output on stdout, as `proclet start` does. */
export async function startServices(
  plan: Plan,
  look: Look,
  { reread, observers = [], recorded = () => {} }: StartOptions = {},
): Promise<Runtime> {
  const table = createProcessTable();
  const clock = createClock();
  spareTerminalAtExit();
  const noted = noteFiles(filesOf(plan, look));
  const releasePidFile = look.pidFile === undefined ? () => {} : claimPidFile(look.pidFile, table);
  // Before anything is made: what they name may not be there.
  const release = watchBonds(look, { clock, table }, (why) => {
    notice(`${why}: ending`);
    end(plan.expireStatus);
  });
  const output = createOutput(process.stdout, writerFor(process.stdout));
  const complaints = createComplaints();
  const tail = createTail();
  const history = createHistory();
  let notice = (text: string): void => complaints.say(text);
  const logs = await openLogs(plan, look.logDirectory, (text) => notice(text));
  const run = await supervise(plan, clock, {
    ...{ name: look.name, command: 'start', stdio: 'piped' },
    lastWords: (id) => tail.last(id, lastWordsOnPage),
    gate: logs === undefined ? output.gate : both(output.gate, logs.gate),
    env: look.color ? { FORCE_COLOR: '1', CLICOLOR_FORCE: '1', NO_COLOR: undefined } : {},
  });
  recorded();
  const { supervisor } = run;
  notice = (text) => supervisor.notice(text);
  const all = [tail.observe, history.observe, ...(logs ? [logs.observe] : []), ...observers];
  for (const observe of all) supervisor.subscribe(observe);
  if (look.format !== 'none') supervisor.subscribe(observerFor(plan, look, output, tail.last));

  const stop = (status: number, patient = false) => supervisor.request({ type: 'shutdown', status, patient });
  const end = (status: number) => supervisor.request({ type: 'shutdown', status, patient: false, unasked: true });
  const { configure, scale } = configurator(run, reread);
  const hooks = await openHooks(run, look.onEvent, clock);
  const deafen = listenToSignals(run, { stop, end, configure, clock, reopen: () => logs?.reopen() });
  output.onClosed((closed) => {
    if (closed.why === 'error') complaints.say(`the output cannot be written: ${closed.error.message}`);
    end(statusOfClosed(closed));
  });
  const control = await openControlOf(run, { clock, history, scale, logFiles: logs?.paths ?? [] });
  await run.start();
  const silence = look.keys ? await hearKeysOf(supervisor, clock, () => stop(0)) : undefined;
  const finished = run.finished.then(async (status) => {
    silence?.();
    await control?.close();
    await hooks?.close();
    const [lost, unwritten = []] = await Promise.all([
      output.close(clock, clock.now() + farewell),
      logs?.close(clock, clock.now() + patienceWithDisks),
    ]);
    if (lost > 0) complaints.say(`${lost} bytes of output are lost: nobody read them`);
    for (const { file, bytes } of unwritten) complaints.say(`${file} hangs: ${bytes} bytes for it are lost`);
    if (unwritten.length > 0) noteStuckThread();
    await complaints.close(clock, clock.now() + farewell);
    release();
    releasePidFile();
    noted.forget();
    deafen();
    clock.close();
    return status;
  });
  return { finished, stop, snapshot: () => supervisor.snapshot() };
}

/** What a run makes in places of the user's own. */
function filesOf({ services }: Plan, { pidFile, logDirectory }: Look): string[] {
  const names = [...services.map(({ tag }) => `${tag}.log`), 'proclet.log', 'proclet.out'];
  const inDirectory = logDirectory === undefined ? [] : names.map((name) => join(logDirectory, name));
  const own = services.flatMap(({ log, statusFile }) => [log?.file ?? [], statusFile ?? []].flat());
  return [pidFile ?? [], own, inDirectory].flat();
}

/**
 * Starts the one service of a plan on proclet's own streams, as `proclet run` does. With a terminal it shares
 * proclet's process group, so that it has the terminal and job control; the keys' signals then reach it
 * without our help.
 */
export async function startCommand(plan: Plan, look: Pick<Look, 'name' | 'until' | 'untilExit'>): Promise<Runtime> {
  const clock = createClock();
  const bonds = { ...look, stdinQuit: false };
  const release = watchBonds(bonds, { clock, table: createProcessTable() }, (why) => {
    supervisor.notice(`${why}: ending`);
    end(plan.expireStatus);
  });
  spareTerminalAtExit();
  const complaints = createComplaints();
  const restoreTerminal = keepTerminal();
  const attached = restoreTerminal !== undefined;
  const stdio = attached ? 'attached' : 'inherited';
  const history = createHistory();
  const run = await supervise(plan, clock, {
    ...{ name: look.name, command: 'run', stdio, gate: openGate, env: {}, lastWords: () => [] },
  });
  const { supervisor } = run;
  supervisor.subscribe(history.observe);
  supervisor.subscribe(createAside(complaints.write));

  const stop = (status?: number) =>
    supervisor.request({ type: 'shutdown', patient: false, ...(status !== undefined && { status }) });
  const end = (status: number) => supervisor.request({ type: 'shutdown', status, patient: false, unasked: true });
  const fromKeys: NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH', 'SIGCONT'];
  const others: NodeJS.Signals[] = ['SIGUSR1', 'SIGUSR2', 'SIGTERM', 'SIGHUP'];
  const deafen = onSignals([...fromKeys, ...others], (signal) => {
    if (signal === 'SIGTERM') stop();
    else if (signal === 'SIGHUP') end(statusOfSignal(signal));
    else if (!attached || !fromKeys.includes(signal)) {
      const whole = signal === 'SIGINT' || signal === 'SIGQUIT';
      supervisor.request({ type: 'signal', signal, to: whole ? 'tree' : 'leader' });
    }
  });
  const scale = () => Promise.reject(new ProcletError('REFUSED', 'proclet run has one instance'));
  const control = await openControlOf(run, { clock, history, scale, logFiles: [] });

  await run.start();
  const finished = run.finished.then(async (status) => {
    await control?.close();
    await complaints.close(clock, clock.now() + farewell);
    release();
    deafen();
    clock.close();
    restoreTerminal?.();
    return status;
  });
  return { finished, stop, snapshot: () => supervisor.snapshot() };
}

/** How long a reader is waited for, once nothing is left of the services. */
const farewell: Millis = 1_000;

/** A busy disk takes longer, and loses nothing; one that hangs is left. */
const patienceWithDisks: Millis = 5_000;

/**
 * Reads the project again: as it is, with one instance more or less of the first service, or with these numbers. One
 * after the other, each from what the one before it made; what failed leaves no numbers behind.
 */
function configurator(run: Run, reread: Reread | undefined) {
  let counts: Readonly<Record<Tag, number>> = {};
  let last: Promise<void> = Promise.resolve();
  const reconfigure = (wanted: () => Readonly<Record<Tag, number>>): Promise<void> => {
    const next = last.then(async () => {
      if (reread === undefined) throw new ProcletError('REFUSED', 'this run has no files to read again');
      const places = new Map(run.plan().services.map((service) => [service.tag, service.position]));
      const all = { ...counts, ...wanted() };
      await run.reconfigure(await reread(all, places));
      counts = all;
    });
    last = next.catch(() => {});
    return next;
  };
  const oneMore = (step: number) => {
    const [first] = run.plan().services;
    return first === undefined || step === 0 ? {} : { [first.tag]: Math.max(1, first.instances.length + step) };
  };
  return {
    configure: (step = 0) =>
      reconfigure(() => oneMore(step)).catch((error: Error) =>
        run.supervisor.notice(`the configuration was not read again, and nothing changed:\n${error.message}`),
      ),
    scale: (wanted: Readonly<Record<Tag, number>>) => reconfigure(() => wanted),
  };
}

/** Sources read while both are open. */
function both(one: Gate, other: Gate): Gate {
  return {
    get isOpen() {
      return one.isOpen && other.isOpen;
    },
    whenOpen(go) {
      one.whenOpen(() => (other.isOpen ? go() : other.whenOpen(() => this.whenOpen(go))));
    },
  };
}

/** How many last lines of a service the page about its failure shows. */
const lastWordsOnPage = 10;

const openGate: Gate = { isOpen: true, whenOpen: (go) => go() };

type LastWords = ReturnType<typeof createTail>['last'];

function observerFor(plan: Plan, look: Look, { sink }: Output, lastWords: LastWords): Observer {
  if (look.format === 'json') return createJsonLines(sink);
  return createTerminal({
    sink,
    color: look.color,
    childColor: look.stripColor ? 'strip' : 'pass',
    timestamp: look.timestamp,
    ids: plan.services.flatMap(({ instances }) => instances.map(({ id }) => id)),
    positions: new Map(plan.services.map(({ tag, position }) => [tag, position])),
    quiet: look.quiet,
    lastWords,
  });
}
