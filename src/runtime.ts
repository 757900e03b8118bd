/**
 * The only file that knows all the parts: builds them from a plan, starts them, and closes them in reverse
 * order. No policy but the meaning of the signals that proclet itself gets.
 */

import { ProcletError } from './errors.js';
import { statusOfSignal } from './exit-status.js';
import type { Bytes, InstanceId, Plan } from './model.js';
import type { Gateway, Keeper } from './network/gateway.js';
import { describeOwners, isPortTaken, ownersOf } from './network/port-owner.js';
import { createAside } from './observers/aside.js';
import { createJsonLines } from './observers/json-lines.js';
import { createTail } from './observers/tail.js';
import { createTerminal } from './observers/terminal.js';
import { createClock } from './platform/clock.js';
import { openGround } from './platform/ground.js';
import { claimPidFile } from './platform/pid-file.js';
import { createProcessTable } from './platform/process-table.js';
import { ProcessTrees } from './platform/process-tree.js';
import { onSignals } from './platform/signals.js';
import { createSpawn, type Stage } from './platform/spawn.js';
import { createOutput, type Output } from './platform/stdout.js';
import type { Clock, Gate, Observer } from './ports.js';
import { Supervisor } from './supervisor/supervisor.js';

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
  const deafen = onSignals(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'], (signal) =>
    stop(statusOfSignal(signal), signal === 'SIGQUIT'),
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

const openGate: Gate = { isOpen: true, whenOpen: (go) => go() };

const ports: Stage['ports'] = { isTaken: isPortTaken, holder: (port) => describeOwners(ownersOf(port)) };

/** The longest time that the guardian gives what it has to end. */
const longestGuardedGrace = 1_000;

/** How many last lines of a service the page about its failure shows. */
const lastWordsOnPage = 10;

interface Equipment extends Pick<Stage, 'stdio' | 'gate' | 'env'> {
  /** The last lines of an instance. */
  readonly lastWords: (id: InstanceId) => readonly Bytes[];
}

/** A supervisor on its ground, with a gateway if the plan needs one, and the end of all. */
async function supervise(plan: Plan, clock: Clock, { lastWords, ...stage }: Equipment) {
  const owners = await lookUpOwners(plan);
  const table = createProcessTable();
  const graces = plan.services.flatMap(({ instances }) => instances.map(({ grace }) => grace));
  const early: string[] = [];
  let warn = (text: string): unknown => early.push(text);
  const ground = openGround({
    ...{ clock, table, root: plan.root },
    grace: Math.min(longestGuardedGrace, Math.max(0, ...graces)),
    warn: (text) => warn(text),
  });
  const gateway = await gatewayFor(plan, clock, {
    wake: (tag) => supervisor.wake(tag),
    upInstances: (tag) => supervisor.upInstances(tag),
    pidsOf: (tag) => supervisor.pidsOf(tag),
    ready: (id) => supervisor.ready(id),
    notice: (text) => supervisor.notice(text),
    lastWords: (id) => lastWords(id).map((line) => Buffer.from(line, 'latin1').toString()),
  });
  const trees = new ProcessTrees(clock, table);
  const spawn = createSpawn({ ...stage, ...ground, owners, ports, clock, trees, portOf: gateway.portOf });
  const supervisor: Supervisor = new Supervisor(plan, { clock, spawn, look: gateway.look });
  supervisor.subscribe(gateway.observe);
  const close = async () => {
    await gateway.close();
    await ground.close();
  };
  const start = async () => {
    early.push(...takenPorts(plan));
    await gateway.open().catch(async (error: Error) => {
      await close();
      throw new ProcletError('OS', error.message, { cause: error });
    });
    warn = (text) => supervisor.notice(text);
    for (const text of early) warn(text);
    supervisor.start();
  };
  return { supervisor, start, finished: supervisor.finished.finally(close) };
}

/** Most plans need none, and do not load it. */
async function gatewayFor(plan: Plan, clock: Clock, keeper: Keeper): Promise<Gateway> {
  const needed = plan.services.some(
    ({ fronts, idle, instances }) => fronts.length > 0 || idle < Infinity || instances.some(({ ready }) => ready),
  );
  if (!needed) return noGateway;
  const { createGateway } = await import('./network/gateway.js');
  return createGateway(plan, clock, keeper);
}

const noGateway: Gateway = {
  portOf: ({ port }) => port,
  open: async () => {},
  observe() {},
  look: () => ({ last: -Infinity, busy: false, listens: false }),
  close: async () => {},
};

/** Not an error: only the service knows whether it needs its port. */
function takenPorts(plan: Plan): string[] {
  const instances = plan.services.flatMap((service) => service.instances);
  return instances
    .filter(({ port }) => port > 0 && ports.isTaken(port) === true)
    .map(({ id, port }) => `port ${port}, which is ${id}'s, is held by ${ports.holder(port)}`);
}

/** Few plans name users, so few starts load what looks them up. */
async function lookUpOwners(plan: Plan): Promise<Stage['owners']> {
  const users = plan.services.flatMap(({ instances }) => instances.flatMap(({ user }) => user ?? []));
  if (users.length === 0) return new Map();
  return (await import('./platform/user.js')).ownersOf(users);
}

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
