/**
 * A supervisor with all of its world: processes, sockets, files. Its plan comes by its parts, the first one as any other;
 * it is closed in reverse order.
 */
import { closeAll } from './close-all.js';
import { ProcletError } from './errors.js';
import { createHearing } from './hearing.js';
import type { Bytes, InstanceId, Plan, Tag } from './model.js';

import { createGatewayOnDemand } from './network/gateway-on-demand.js';
import type { Keeper } from './network/keeper.js';
import { describeOwners, isPortTaken, ownersOf } from './network/port-owner.js';
import { createPortWarnings } from './network/taken-ports.js';
import { openGate } from './platform/gates.js';
import { openGround, type Terms } from './platform/ground.js';
import { createGuests } from './platform/guests.js';
import { createPipes } from './platform/pipes.js';
import { createProcessTable } from './platform/process-table.js';
import { ProcessTrees } from './platform/process-tree.js';
import { terminalTrouble } from './platform/pty.js';
import { createReadyCommands } from './platform/ready-commands.js';
import type { RunRecord } from './platform/runtime-dir.js';
import { createSpawn, type Stage } from './platform/spawn.js';
import { createStatusFiles } from './platform/status-file.js';
import { createOwners, idsOf } from './platform/user.js';
import { createWatching } from './platform/watching.js';
import type { Clock, World } from './ports.js';
import type { RunPart } from './run-part.js';
import { KnownSecrets, type Mask } from './secrets.js';
import { Supervisor } from './supervisor/supervisor.js';
import { adviceOn, describeTrouble } from './system-error.js';

const ports: Stage['ports'] = { isTaken: isPortTaken, holder: (port) => describeOwners(ownersOf(port)) };

export interface Equipment extends Pick<Stage, 'stdio' | 'gate'> {
  readonly name: string;
  readonly command: RunRecord['command'];
  /** The last lines of an instance. */
  readonly lastWords: (id: InstanceId) => readonly Bytes[];
}

export type Run = ReturnType<typeof supervise>;

/**
 * A supervisor on its ground, that runs nothing yet. To be closed when it has ended, or could not be started.
 * @param first the plan of the start, which `parts` have to be given first; others follow the same way
 */
export function supervise(first: Plan, clock: Clock, { lastWords, name, command, ...stage }: Equipment) {
  const table = createProcessTable();
  const early: string[] = [];
  let warn = (text: string): unknown => early.push(text);
  const { root } = first;
  const ground = openGround({ clock, table, root, name, command, ...termsOf(first), warn: (text) => warn(text) });
  let current = first;
  let isStarted = false;
  const isOurs = (pid: number) => (isStarted && pid === process.pid) || isOfService(supervisor, pid);
  const watching = createWatching(clock, {
    changed: (tag, path, files) => supervisor.changed(tag, path, files),
    warn: (text) => supervisor.notice(text),
  });
  const { settled } = watching;
  const secrets = new KnownSecrets();
  const keeper = keeperOf({ supervisor: () => supervisor, settled, lastWords, mask: (text) => secrets.mask(text) });
  const gateway = createGatewayOnDemand(clock, keeper);
  const trees = new ProcessTrees(clock, table, createGuests(table), { troubled: toldOnce((text) => warn(text)) });
  const pipes = createPipes(3 * first.services.flatMap(({ instances }) => instances).length);
  const owners = createOwners();
  const { portOf, socketsOf, look, drain, listensItself } = gateway;
  const given: Stage['given'] = (variables, inherited) => secrets.addVariables(variables, inherited);
  const forServices = { ...stage, ...ground, owners, ports, clock, trees, pipes, portOf, socketsOf, given };
  const readyCommands = createReadyCommands({
    ...{ clock, portOf, spawn: createSpawn(forServices) },
    attempt: createSpawn({ ...forServices, stdio: 'piped', gate: openGate, socketsOf: () => [] }),
    ready: (life) => supervisor.ready(life),
    notice: (text) => supervisor.notice(text),
  });
  const { spawn } = readyCommands;
  const schedules = createSchedules();
  const { next } = schedules;
  const { identity, socket, keep, sweep } = ground;
  const { hear, close: closeHearing } = createHearing(clock, { portOf, cgroup: identity.cgroup });
  const world = { clock, spawn, look, hear, drain, listensItself, next, sweep };
  const supervisor: Supervisor = new Supervisor(first, world);
  const statusFiles = createStatusFiles((text) => supervisor.notice(text));
  for (const observe of [gateway.observe, readyCommands.observe, statusFiles.observe]) supervisor.subscribe(observe);
  const terms: RunPart<Plan> = {
    prepare: (plan) => ({ take: () => void (isStarted && ground.follow(termsOf(plan))) }),
  };
  const services: RunPart<Plan> = {
    prepare: (plan) => ({
      take() {
        warn = (text) => supervisor.notice(text);
        for (const text of early.splice(0)) warn(text);
        current = plan;
        if (isStarted) supervisor.reconfigure(plan);
        else supervisor.start();
        isStarted = true;
      },
    }),
  };
  const portWarnings = createPortWarnings((text) => warn(text), isOurs);
  const terminals = createTerminalCheck(stage.stdio);
  const close = async () => {
    for (const failure of await closeAll(watching.close, closeHearing, gateway.close, pipes.close, ground.close)) {
      warn(`something of the run stays behind: ${describeTrouble(failure)}`);
    }
  };
  return {
    ...{ supervisor, spawn, identity, socket, keep, plan: () => current, secrets },
    /** What follows the plan, in the order in which it has to. */
    parts: [portWarnings, terminals, owners, schedules, gateway, statusFiles, terms, services],
    /** Comes after them. */
    watching,
    close,
    ended: supervisor.finished,
  };
}

/** It is one trouble, however often it is met. */
function toldOnce(warn: (text: string) => void): (error: Error) => void {
  let isTold = false;
  return (error) => {
    if (!isTold) warn(`the processes cannot be seen, and are looked for again until they can: ${adviceOn(error)}`);
    isTold = true;
  };
}

function isOfService(supervisor: Supervisor, pid: number): boolean {
  return supervisor.snapshot().services.some(({ tag }) => supervisor.pidsOf(tag).includes(pid));
}

/** What the gateway may ask, of a supervisor that is made after it. */
function keeperOf(parts: {
  supervisor(): Supervisor;
  settled(tag: Tag): Promise<void>;
  lastWords: Equipment['lastWords'];
  mask: Mask;
}): Keeper {
  const { supervisor, settled, lastWords, mask } = parts;
  return {
    wake: async (tag) => {
      await settled(tag);
      await supervisor().wake(tag);
    },
    upLives: (tag) => supervisor().upLives(tag),
    pidsOf: (tag) => supervisor().pidsOf(tag),
    ready: (life) => supervisor().ready(life),
    notice: (text) => supervisor().notice(text),
    isOurs: (pid) => isOfService(supervisor(), pid),
    mask,
    idsOf,
    lastWords: (id) => lastWords(id).map((line) => Buffer.from(line, 'latin1').toString()),
  };
}

/** Others who look for free ports leave the first ones alone, though what is down does not listen yet. */
function termsOf({ services }: Plan): Terms {
  return {
    ports: services.flatMap(({ instances: [first] }) => (first !== undefined && first.port > 0 ? [first.port] : [])),
    sockets: services.flatMap(({ fronts }) => fronts.flatMap(({ listen }) => ('path' in listen ? [listen.path] : []))),
  };
}

/** Few plans have schedules, and the others do not load what reads them. */
function createSchedules(): RunPart<Plan> & Pick<World, 'next'> {
  let nextTime: World['next'] = () => Infinity;
  return {
    next: (schedule, after) => nextTime(schedule, after),
    async prepare({ services }) {
      const isScheduled = services.some(({ every }) => every !== undefined);
      const loaded = isScheduled ? (await import('./schedule.js')).nextTime : nextTime;
      return {
        take() {
          nextTime = loaded;
        },
      };
    },
  };
}

/** A plan is refused for a service that cannot have the terminal that it asks for. */
function createTerminalCheck(stdio: Stage['stdio']): RunPart<Plan> {
  return {
    prepare({ services }) {
      for (const { tag, instances } of stdio === 'piped' ? services : []) {
        const spec = instances.find(({ tty }) => tty);
        const trouble = spec && terminalTrouble(spec.env['PATH']);
        if (trouble !== undefined) throw new ProcletError('CONFIG', `${tag}: ${trouble}`);
      }
      return { take() {} };
    },
  };
}
