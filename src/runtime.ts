/**
 * The only file that knows all the parts: builds them from a plan, starts them, and closes them in reverse
 * order. No policy but the meaning of the signals that proclet itself gets.
 */

import { statusOfSignal } from './exit-status.js';
import type { Plan, Tag } from './model.js';
import { createAside } from './observers/aside.js';
import { createJsonLines } from './observers/json-lines.js';
import { createTail } from './observers/tail.js';
import { createTerminal } from './observers/terminal.js';
import { createClock } from './platform/clock.js';
import { watchTerminal } from './platform/hangup.js';
import { claimPidFile } from './platform/pid-file.js';
import { createProcessTable } from './platform/process-table.js';
import { onSignals } from './platform/signals.js';
import { createOutput, type Output } from './platform/stdout.js';
import type { Gate, Observer } from './ports.js';
import { supervise } from './supervision.js';

/** How a run shows: the look of its output, and its pid. */
export interface Look {
  readonly format: 'text' | 'json';
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

export interface Runtime {
  /** The exit status, once nothing that was started is left and everything was printed. */
  readonly finished: Promise<number>;
  /** Ends every service, then the run, with this exit status. */
  stop(status: number): void;
}

/** Starts the services of a plan with their output on stdout, as `proclet start` does. */
export async function startServices(
  plan: Plan,
  look: Look,
  reread?: Reread,
  stdout: NodeJS.WriteStream = process.stdout,
): Promise<Runtime> {
  const releasePidFile = look.pidFile === undefined ? () => {} : claimPidFile(look.pidFile, createProcessTable());
  const clock = createClock();
  const output = createOutput(stdout);
  const tail = createTail();
  const run = await supervise(plan, clock, {
    lastWords: (id) => tail.last(id, lastWordsOnPage),
    stdio: 'piped',
    gate: output.gate,
    env: look.color ? { FORCE_COLOR: '1', CLICOLOR_FORCE: '1', NO_COLOR: undefined } : {},
  });
  const { supervisor } = run;
  supervisor.subscribe(tail.observe);
  supervisor.subscribe(observerFor(plan, look, output, tail.last));

  const stop = (status: number, patient = false) => supervisor.request({ type: 'shutdown', status, patient });
  const terminal = watchTerminal();
  const counts: Record<Tag, number> = {};
  const configure = async (step = 0) => {
    if (reread === undefined) return;
    const { services } = run.plan();
    const [tag, count] = services.map((one) => [one.tag, one.instances.length] as const)[0] ?? [];
    if (step !== 0 && tag !== undefined) counts[tag] = Math.max(1, (count ?? 1) + step);
    const places = new Map(services.map((service) => [service.tag, service.position]));
    await reread(counts, places).then(run.reconfigure, (error: Error) =>
      supervisor.notice(`the configuration was not read again, and nothing changed:\n${error.message}`),
    );
  };
  const deafen = onSignals(
    ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGTTIN', 'SIGTTOU', 'SIGUSR2', 'SIGWINCH'],
    (signal) => {
      if (signal === 'SIGTTIN' || signal === 'SIGTTOU') void configure(signal === 'SIGTTIN' ? 1 : -1);
      else if (signal === 'SIGUSR2' || signal === 'SIGWINCH') {
        if (signal === 'SIGUSR2' || !terminal.isOurs) supervisor.request({ type: 'signal', signal, to: 'leader' });
      } else if (signal === 'SIGHUP' && !terminal.isGone()) void configure();
      else stop(statusOfSignal(signal), signal === 'SIGQUIT');
    },
  );
  // Nobody reads any more: end as a program that writes into a closed pipe does.
  output.onClosed((error) => {
    if (error) process.stderr.write(`proclet: the output cannot be written: ${error.message}\n`);
    stop(error ? 1 : statusOfSignal('SIGPIPE'));
  });

  await run.start();
  const finished = run.finished.then(async (status) => {
    await output.flush();
    releasePidFile();
    deafen();
    clock.close();
    return status;
  });
  return { finished, stop };
}

/**
 * Starts the one service of a plan on proclet's own streams, as `proclet run` does. With a terminal it shares
 * proclet's process group, so that it has the terminal and job control; the keys' signals then reach it
 * without our help.
 */
export async function startCommand(plan: Plan): Promise<Runtime> {
  const { keepTerminal } = await import('./platform/tty.js');
  const restoreTerminal = await keepTerminal();
  const attached = restoreTerminal !== undefined;
  const clock = createClock();
  const stdio = attached ? 'attached' : 'inherited';
  const run = await supervise(plan, clock, { stdio, gate: openGate, env: {}, lastWords: () => [] });
  const { supervisor } = run;
  supervisor.subscribe(createAside((text) => process.stderr.write(text)));

  const stop = (status?: number) =>
    supervisor.request({ type: 'shutdown', patient: false, ...(status !== undefined && { status }) });
  const fromKeys: NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH', 'SIGCONT'];
  const others: NodeJS.Signals[] = ['SIGUSR1', 'SIGUSR2', 'SIGTERM', 'SIGHUP'];
  const deafen = onSignals([...fromKeys, ...others], (signal) => {
    if (signal === 'SIGTERM') stop();
    else if (signal === 'SIGHUP') stop(statusOfSignal(signal));
    else if (!attached || !fromKeys.includes(signal)) {
      const whole = signal === 'SIGINT' || signal === 'SIGQUIT';
      supervisor.request({ type: 'signal', signal, to: whole ? 'tree' : 'leader' });
    }
  });

  await run.start();
  const finished = run.finished.then(async (status) => {
    deafen();
    clock.close();
    await restoreTerminal?.();
    return status;
  });
  return { finished, stop };
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
