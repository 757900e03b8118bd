/**
 * A supervisor with all of its world: processes, sockets, files. Built from a plan, opened, given other plans, and
 * closed in reverse order.
 */
import { ProcletError } from './errors.js';
import type { Bytes, InstanceId, Plan, Tag } from './model.js';
import type { Gateway, Keeper } from './network/gateway.js';
import { describeOwners, isPortTaken, ownersOf } from './network/port-owner.js';
import { openGround } from './platform/ground.js';
import { createGuests } from './platform/guests.js';
import { createPipes } from './platform/pipes.js';
import { createProcessTable } from './platform/process-table.js';
import { ProcessTrees } from './platform/process-tree.js';
import type { RunRecord } from './platform/runtime-dir.js';
import { createSpawn, type Stage } from './platform/spawn.js';
import type { Watcher } from './platform/watch.js';
import type { Clock, World } from './ports.js';
import { Supervisor } from './supervisor/supervisor.js';

const ports: Stage['ports'] = { isTaken: isPortTaken, holder: (port) => describeOwners(ownersOf(port)) };

/** The longest time that the guardian gives what it has to end. */
const longestGuardedGrace = 1_000;

export interface Equipment extends Pick<Stage, 'stdio' | 'gate' | 'env'> {
  readonly name: string;
  readonly command: RunRecord['command'];
  /** The last lines of an instance. */
  readonly lastWords: (id: InstanceId) => readonly Bytes[];
}

export type Run = Awaited<ReturnType<typeof supervise>>;

/** A supervisor on its ground, with a gateway if the plan needs one, and the end of all. */
export async function supervise(plan: Plan, clock: Clock, { lastWords, name, command, ...stage }: Equipment) {
  const owners = await lookUpOwners(plan);
  const table = createProcessTable();
  const graces = plan.services.flatMap(({ instances }) => instances.map(({ grace }) => grace));
  const early: string[] = [];
  let warn = (text: string): unknown => early.push(text);
  const ground = openGround({
    ...{ clock, table, root: plan.root, name, command, ports: firstPorts(plan) },
    grace: Math.min(longestGuardedGrace, Math.max(0, ...graces)),
    warn: (text) => warn(text),
  });
  let watcher: Watcher | undefined;
  const settled = async (tag: Tag) => watcher?.settled(tag);
  const keeper = keeperOf(() => supervisor, settled, lastWords);
  let current = plan;
  let nextTime = await loadSchedules(plan);
  let gateway = await gatewayFor(plan, clock, keeper);
  const trees = new ProcessTrees(clock, table, createGuests(table));
  const pipes = createPipes(3 * graces.length);
  const spawn = createSpawn({
    ...{ ...stage, ...ground, owners, ports, clock, trees, pipes },
    portOf: (spec, generation) => gateway.portOf(spec, generation),
    socketsOf: (spec) => gateway.socketsOf(spec),
  });
  const supervisor: Supervisor = new Supervisor(plan, {
    ...{ clock, spawn },
    look: (tag) => gateway.look(tag),
    drain: (life, within) => gateway.drain(life, within),
    listensItself: (tag) => gateway.listensItself(tag),
    next: (schedule, after) => nextTime(schedule, after),
  });
  supervisor.subscribe((event) => gateway.observe(event));
  await tellStatusFiles(plan, supervisor);
  const close = async () => {
    await watcher?.close();
    await gateway.close();
    pipes.close();
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
    const since = clock.wall();
    supervisor.start();
    watcher = await openWatcher(current, clock, supervisor, since);
  };
  const reconfigure = async (next: Plan) => {
    const watched = ({ services }: Plan) => JSON.stringify(services.map(({ tag, watch }) => [tag, watch]));
    const isWatchedElse = watched(current) !== watched(next);
    current = next;
    nextTime = await loadSchedules(next);
    if (gateway === noGateway) {
      gateway = await gatewayFor(next, clock, keeper);
      await gateway.open().catch((error: Error) => supervisor.notice(error.message));
    } else await gateway.reconfigure(next);
    supervisor.reconfigure(next);
    if (!isWatchedElse) return;
    await watcher?.close();
    watcher = await openWatcher(next, clock, supervisor, clock.wall());
  };
  return {
    ...{ supervisor, start, reconfigure, plan: () => current, spawn, identity: ground.identity, socket: ground.socket },
    finished: supervisor.finished.finally(close),
  };
}

/** What the gateway may ask, of a supervisor that is made after it. */
function keeperOf(
  supervisor: () => Supervisor,
  settled: (tag: Tag) => Promise<void>,
  lastWords: Equipment['lastWords'],
): Keeper {
  return {
    wake: async (tag) => {
      await settled(tag);
      await supervisor().wake(tag);
    },
    upLives: (tag) => supervisor().upLives(tag),
    pidsOf: (tag) => supervisor().pidsOf(tag),
    ready: (life) => supervisor().ready(life),
    notice: (text) => supervisor().notice(text),
    lastWords: (id) => lastWords(id).map((line) => Buffer.from(line, 'latin1').toString()),
  };
}

async function tellStatusFiles(plan: Plan, supervisor: Supervisor): Promise<void> {
  if (!plan.services.some(({ statusFile }) => statusFile)) return;
  const { keepStatusFiles } = await import('./platform/status-file.js');
  supervisor.subscribe(keepStatusFiles(plan));
}

/** Few plans watch anything; chokidar is loaded for those, once the services have started. */
async function openWatcher(
  plan: Plan,
  clock: Clock,
  supervisor: Supervisor,
  since: number,
): Promise<Watcher | undefined> {
  const watched = plan.services.filter((service) => service.watch.length > 0);
  if (watched.length === 0) return undefined;
  const { watchFiles } = await import('./platform/watch.js');
  return watchFiles({
    ...{ clock, since, root: plan.root, own: plan.services.flatMap(({ statusFile }) => statusFile ?? []) },
    patterns: new Map(watched.map((service) => [service.tag, service.watch])),
    changed: (tag, path, files) => supervisor.changed(tag, path, files),
    warn: (text) => supervisor.notice(text),
  });
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
  socketsOf: () => [],
  listensItself: () => false,
  drain: async () => {},
  reconfigure: async () => {},
  close: async () => {},
};

/** Not an error: only the service knows whether it needs its port. */
function takenPorts(plan: Plan): string[] {
  const instances = plan.services.flatMap((service) => service.instances);
  return instances
    .filter(({ port }) => port > 0 && ports.isTaken(port) === true)
    .map(({ id, port }) => `port ${port}, which is ${id}'s, is held by ${ports.holder(port)}`);
}

/** Others who look for free ones leave these alone, though what is down does not listen yet. */
function firstPorts({ services }: Plan): number[] {
  return services.flatMap(({ instances: [first] }) => (first !== undefined && first.port > 0 ? [first.port] : []));
}

/** Few plans have schedules, and the others do not load what reads them. */
async function loadSchedules({ services }: Plan): Promise<World['next']> {
  if (services.every(({ every }) => every === undefined)) return () => Infinity;
  return (await import('./schedule.js')).nextTime;
}

/** Few plans name users, so few starts load what looks them up. */
async function lookUpOwners(plan: Plan): Promise<Stage['owners']> {
  const users = plan.services.flatMap(({ instances }) => instances.flatMap(({ user }) => user ?? []));
  if (users.length === 0) return new Map();
  return (await import('./platform/user.js')).ownersOf(users);
}
