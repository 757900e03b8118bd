/**
 * The only file that knows all the parts: builds them from a plan, starts them, and closes them in reverse
 * order. No policy.
 */

import {
  bondParts,
  displayPart,
  filesOf,
  hookPart,
  notePart,
  type OnStray,
  openControlOf,
  outlastStrays,
  pidFilePart,
  stdinPart,
} from './attachments.js';
import { closeAll } from './close-all.js';
import { type Configuration, nameThatStays, remarksPart, withColors } from './configuration.js';
import { ProcletError } from './errors.js';
import { statusOfSignal } from './exit-status.js';
import type { Millis, Snapshot, Why } from './model.js';
import { createAside } from './observers/aside.js';
import { createHistory } from './observers/history.js';
import { createLogFiles } from './observers/log-files.js';
import { createTail } from './observers/tail.js';
import { listenToSignals } from './own-signals.js';
import { createClock } from './platform/clock.js';
import { createComplaints } from './platform/complaints.js';
import type { BondTools } from './platform/ends.js';
import { noteStuckThread, spareTerminalAtExit } from './platform/exit.js';
import { both, openGate } from './platform/gates.js';
import { watchTerminal, whenGone } from './platform/hangup.js';
import { createProcessTable } from './platform/process-table.js';
import { holdSignals, onSignals } from './platform/signals.js';
import { createOutput, statusOfClosed, whyOfClosed } from './platform/stdout.js';
import { writerFor } from './platform/terminal-writer.js';
import { keepTerminal } from './platform/tty.js';
import type { Clock, Observer } from './ports.js';
import { createReader, type Reread } from './reread.js';
import { configure, partOf, type RunPart } from './run-part.js';
import { type Run, supervise } from './supervision.js';
import { describeTrouble } from './system-error.js';

export type { Configuration, Look } from './configuration.js';
export type { Reread } from './reread.js';

export interface StartOptions {
  readonly reread?: Reread;
  readonly observers?: readonly Observer[];
  /** Called when others can know of the run. */
  readonly recorded?: () => void;
  readonly onStray?: OnStray;
}

export interface Runtime {
  /** The exit status, once nothing that was started is left and everything was printed. */
  readonly finished: Promise<number>;
  /** Ends every service, then the run, with this exit status. */
  stop(status: number): void;
  /** How everything stands, now. */
  snapshot(): Snapshot;
}

/**
 * Starts the services of a plan with their output on stdout, as `proclet start` does. From then on signals are held: the
 * process is to end with the status, or to give them back.
 */
export async function startServices(start: Configuration, options: StartOptions = {}): Promise<Runtime> {
  holdSignals();
  const first = withColors(start);
  const clock = createClock();
  spareTerminalAtExit();
  const table = createProcessTable();
  const bond = createBond();
  // Before anything is made: what they name may not be there.
  const outer = [notePart(), pidFilePart(table), ...bondParts({ clock, table, over: bond.over })];
  const release = async () => {
    for (const failure of await closeAll(...outer.map((each) => each.close), clock.close)) {
      process.stderr.write(`proclet: ${staysBehind(failure)}\n`);
    }
  };
  try {
    await configure(outer, first);
    const runtime = await startOn({ first, clock, outer, bond }, options);
    return { ...runtime, finished: runtime.finished.finally(release) };
  } catch (error) {
    await release();
    throw error;
  }
}

interface Footing {
  readonly first: Configuration;
  readonly clock: Clock;
  /** What was there before the run, and follows its configuration. */
  readonly outer: readonly RunPart<Configuration>[];
  readonly bond: Bond;
}

async function startOn(
  { first, clock, outer, bond }: Footing,
  { reread, observers = [], recorded = () => {}, onStray }: StartOptions,
): Promise<Runtime> {
  const output = createOutput(process.stdout, writerFor(process.stdout));
  const complaints = createComplaints();
  let notice = (text: string): void => complaints.say(text);
  const tail = createTail();
  const history = createHistory();
  const logs = createLogFiles((text) => notice(text));
  const { name } = first.look;
  const run = supervise(first.plan, clock, {
    ...{ name, command: 'start', stdio: 'piped', gate: both(output.gate, logs.gate) },
    lastWords: (id) => tail.last(id, lastWordsOnPage),
  });
  recorded();
  const { supervisor } = run;
  notice = (text) => supervisor.notice(text);
  const display = displayPart(output, tail.last);
  const all = [tail.observe, history.observe, logs.observe, ...observers, display.observe];
  for (const observe of all) supervisor.subscribe(observe);

  const stop = (status: number, why: Why) => supervisor.request({ type: 'shutdown', status, patient: false, why });
  const end = (status: number, why: Why) =>
    supervisor.request({ type: 'shutdown', status, patient: false, unasked: true, why });
  const hooks = hookPart(run, clock);
  const stdin = stdinPart(run, clock, { quit: () => stop(0, { is: 'key', key: 'q' }), over: bond.over });
  const parts: readonly RunPart<Configuration>[] = [
    ...[nameThatStays(name), ...outer, display, remarksPart((text) => notice(text))],
    partOf(logs, ({ plan, look }) => ({ plan, logDirectory: look.logDirectory })),
    hooks,
    ...partsOf(run),
    stdin,
  ];
  const reader = createReader(run, parts, reread);
  const deafen = listenToSignals(run, {
    clock,
    configure: reader.configure,
    reopen: () => logs.reopen(),
  });
  const ignoreStrays = outlastStrays(run, onStray);
  output.onClosed((closed) => {
    if (closed.why === 'error') complaints.say(`the output cannot be written: ${closed.error.message}`);
    end(statusOfClosed(closed), whyOfClosed(closed));
  });
  const control = await openControlOf(run, { clock, history, scale: reader.scale, logFiles: logs.paths });
  const finished = run.ended.then(async (status) => {
    // The hooks' commands are of the run, and so the guardian's business until they have ended.
    for (const failure of await closeAll(reader.settled, hooks.close, run.close, control?.close)) {
      complaints.say(staysBehind(failure));
    }
    // The terminal last: its modes may wait for who writes to it.
    await closeAll(() => closeWriters({ clock, output, logs, complaints }), stdin.close, deafen, ignoreStrays);
    return status;
  });
  await reader.begin(first).catch(async (error) => {
    await closeAll(control?.close, run.close, deafen, ignoreStrays);
    throw error;
  });
  bond.onBroken((why, text) => {
    notice(`${text}: ending`);
    end(run.plan().expireStatus, why);
  });
  return { finished, stop: (status) => void stop(status, { is: 'library' }), snapshot: () => supervisor.snapshot() };
}

interface Writers {
  readonly clock: Clock;
  readonly output: ReturnType<typeof createOutput>;
  readonly logs: ReturnType<typeof createLogFiles>;
  readonly complaints: ReturnType<typeof createComplaints>;
}

/** Waits for what is still to be written, and says what of it is lost. */
async function closeWriters({ clock, output, logs, complaints }: Writers): Promise<void> {
  const [lost, unwritten] = await Promise.all([
    output.close(clock, clock.now() + farewell),
    logs.close(clock, clock.now() + patienceWithDisks),
  ]);
  if (lost > 0) complaints.say(`${lost} bytes of output are lost: nobody read them`);
  for (const { file, bytes } of unwritten) complaints.say(`${file} hangs: ${bytes} bytes for it are lost`);
  if (unwritten.length > 0) noteStuckThread();
  await complaints.close(clock, clock.now() + farewell);
}

/** What may end a run from outside, also before there is one. */
interface Bond {
  /** It is broken, for this reason. */
  over: BondTools['over'];
  onBroken(listener: BondTools['over']): void;
}

function createBond(): Bond {
  let broken: Parameters<BondTools['over']> | undefined;
  let listener: BondTools['over'] = () => {};
  return {
    over(...why) {
      broken = why;
      listener(...why);
    },
    onBroken(next) {
      listener = next;
      if (broken !== undefined) next(...broken);
    },
  };
}

/**
 * Starts the one service of a plan on proclet's own streams, as `proclet run` does. With a terminal it shares
 * proclet's process group, so that it has the terminal and job control; the keys' signals then reach it
 * without our help.
 */
export async function startCommand(
  configuration: Configuration,
  { onStray }: Pick<StartOptions, 'onStray'> = {},
): Promise<Runtime> {
  holdSignals();
  const { plan, look } = configuration;
  const clock = createClock();
  const over: BondTools['over'] = (why, text) => {
    supervisor.notice(`${text}: ending`);
    end(plan.expireStatus, why);
  };
  spareTerminalAtExit();
  const bonds = bondParts({ clock, table: createProcessTable(), over });
  await configure(bonds, configuration);
  const complaints = createComplaints();
  const restoreTerminal = keepTerminal();
  const attached = restoreTerminal !== undefined;
  const stdio = attached ? 'attached' : 'inherited';
  const history = createHistory();
  const run = supervise(plan, clock, {
    ...{ name: look.name, command: 'run', stdio, gate: openGate, lastWords: () => [] },
  });
  const { supervisor } = run;
  supervisor.subscribe(history.observe);
  supervisor.subscribe(createAside(complaints.write));

  const stop = (why: Why, status?: number) =>
    supervisor.request({ type: 'shutdown', patient: false, why, ...(status !== undefined && { status }) });
  const end = (status: number, why: Why) =>
    supervisor.request({ type: 'shutdown', status, patient: false, unasked: true, why });
  const fromKeys: NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH', 'SIGCONT'];
  const others: NodeJS.Signals[] = ['SIGUSR1', 'SIGUSR2', 'SIGTERM', 'SIGHUP'];
  const deafen = onSignals([...fromKeys, ...others], (signal) => {
    if (signal === 'SIGTERM') stop({ is: 'signal', signal });
    else if (signal === 'SIGHUP') end(statusOfSignal(signal), { is: 'hangup' });
    else if (!attached || !fromKeys.includes(signal)) {
      const whole = signal === 'SIGINT' || signal === 'SIGQUIT';
      supervisor.request({ type: 'signal', signal, to: whole ? 'tree' : 'leader' });
    }
  });
  const leave = whenGone(watchTerminal(), clock, () => end(statusOfSignal('SIGHUP'), { is: 'hangup' }));
  const scale = () => Promise.reject(new ProcletError('REFUSED', 'proclet run has one instance'));
  const control = await openControlOf(run, { clock, history, scale, logFiles: () => [] });

  const ignoreStrays = outlastStrays(run, onStray);
  await configure(partsOf(run), configuration).catch(async (error) => {
    await closeAll(run.close, ignoreStrays);
    throw error;
  });
  const finished = run.ended.then(async (status) => {
    const last = [() => complaints.close(clock, clock.now() + farewell), ...bonds.map((bond) => bond.close)];
    await closeAll(run.close, control?.close, ...last, leave, deafen, ignoreStrays, clock.close, restoreTerminal);
    return status;
  });
  return { finished, stop: (status) => void stop({ is: 'library' }, status), snapshot: () => supervisor.snapshot() };
}

function staysBehind(failure: unknown): string {
  return `something of the run stays behind: ${describeTrouble(failure)}`;
}

/** What of a run follows its plan, and then the watching of files, but for those that the run writes. */
function partsOf({ parts, watching }: Run): readonly RunPart<Configuration>[] {
  return [
    ...parts.map((part) => partOf(part, ({ plan }: Configuration) => plan)),
    partOf(watching, (configuration) => ({ ...configuration.plan, own: filesOf(configuration) })),
  ];
}

/** How long a reader is waited for, once nothing is left of the services. */
const farewell: Millis = 1_000;

/** A busy disk takes longer, and loses nothing; one that hangs is left. */
const patienceWithDisks: Millis = 5_000;

/** How many last lines of a service the page about its failure shows. */
const lastWordsOnPage = 10;
