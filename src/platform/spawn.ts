/**
 * Starts a program as the leader of a tree of its own and reports what becomes of it. Adds the mark to every
 * process, turns bytes into lines, and holds the sources back while the gate is closed. Decides nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Env, Exit, InstanceSpec, Millis, Remains } from '../model.js';
import type { Child, ChildListener, Clock, Gate, Spawn } from '../ports.js';
import type { Cgroup, Cgroups } from './cgroup.js';
import type { Detachment } from './detach.js';
import { readEnvDirectory } from './env-directory.js';
import { createLines } from './lines.js';
import { markingScript, markOf } from './mark.js';
import type { PlantedTree, ProcessTrees } from './process-tree.js';
import type { Owner } from './user.js';

/** An unfinished line this old is shown as it is: a prompt. */
const promptAfter: Millis = 150;

/** Once the tree is empty, what is left in its pipes is read for this long after the last byte. */
const drainFor: Millis = 250;

/** What is asked about ports. */
export interface Ports {
  /** Whether somebody listens on it; undefined when that cannot be known. */
  readonly isTaken: (port: number) => boolean | undefined;
  /** Who does, in words. */
  readonly holder: (port: number) => string;
}

export interface Stage {
  readonly clock: Clock;
  readonly trees: ProcessTrees;
  /** Eleven digits: see mark.ts. */
  readonly run: string;
  /** Absent where proclet can make none. */
  readonly cgroups?: Cgroups | undefined;
  /** `attached` gives the child proclet's own terminal, group and streams. */
  readonly stdio: 'piped' | 'attached' | 'inherited';
  readonly gate: Gate;
  /** The users that services run as, by name. */
  readonly owners: ReadonlyMap<string, Owner>;
  readonly detachment: Detachment;
  readonly ports: Ports;
  /** The port an instance is told to listen on. */
  readonly portOf: (spec: InstanceSpec, generation: number) => number;
  /** The listening sockets it inherits, as descriptors from 3 on. */
  readonly socketsOf: (spec: InstanceSpec) => readonly Inherited[];
  /** What the child's environment gets because of where its output goes. */
  readonly env: Env;
}

/** A listening socket of ours, and its address as `SERVER_STARTER_PORT` names it. */
export interface Inherited {
  readonly fd: number;
  readonly name: string;
}

export function createSpawn(stage: Stage): Spawn {
  let lives = 0;
  return (spec, listener, generation) => {
    lives += 1;
    // A service that runs as another user cannot move itself into a group that is ours.
    const cgroup = spec.user === undefined ? stage.cgroups?.create(String(lives)) : undefined;
    return begin(stage, spec, { mark: markOf(stage.run, lives), cgroup, generation }, listener);
  };
}

interface Ties {
  readonly mark: string;
  readonly cgroup: Cgroup | undefined;
  readonly generation: number;
}

function begin(stage: Stage, spec: InstanceSpec, ties: Ties, listener: ChildListener): Child {
  const trouble = troubleWith(spec);
  const child = trouble === undefined ? launch(stage, spec, ties) : undefined;
  if (child?.pid === undefined) {
    const message = trouble ?? 'the shell could not be started';
    let failed = (exit: Exit) => listener.exited({ exit, processes: 0, survivors: [] });
    const report = (text: string) => {
      failed({ how: 'spawn-error', message: text });
      failed = () => {};
    };
    if (child) child.once('error', (error) => report(error.message));
    else stage.clock.wakeAt(stage.clock.now(), () => report(message));
    return { pid: 0, pass() {}, signal() {}, kill() {}, abandon() {}, pids: () => [] };
  }
  return follow(stage, spec, ties, child as Running, listener);
}

/** What would make the spawn fail with a message that does not name the cause. */
function troubleWith({ directory }: InstanceSpec): string | undefined {
  if (!existsSync(directory)) return `its directory ${directory} does not exist`;
  return statSync(directory).isDirectory() ? undefined : `${directory} is not a directory`;
}

/** What a shell searches when there is no PATH. */
const defaultPath = '/usr/local/bin:/usr/bin:/bin';

type Running = ChildProcess & { readonly pid: number };

/** Node's own spawn: of what execa adds to it a service needs nothing, and each start would pay for it. */
function launch(
  { stdio, env, owners, detachment, portOf, socketsOf }: Stage,
  spec: InstanceSpec,
  { mark, cgroup, generation }: Ties,
): ChildProcess {
  const owner = spec.user === undefined ? undefined : owners.get(spec.user);
  const path = spec.env['PATH'] ?? defaultPath;
  const detaching = spec.detach.length === 0 ? {} : { PATH: detachment.pathFor(spec.detach, path) };
  const ties = [spec.umask ?? '', mark, cgroup?.directory ?? ''];
  const sockets = socketsOf(spec);
  const own = spec.envDirectory === undefined ? {} : readEnvDirectory(spec.envDirectory);
  const streams =
    stdio === 'piped' ? (['ignore', 'pipe', 'pipe'] as const) : (['inherit', 'inherit', 'inherit'] as const);
  return spawn('/bin/sh', ['-c', markingScript, 'proclet', ...ties, ...spec.argv], {
    cwd: spec.directory,
    env: {
      ...{ ...spec.env, ...own, ...owner?.env, ...env, ...detaching },
      ...{ PORT: String(portOf(spec, generation)), PROCLET_MARK: mark, PROCLET_GENERATION: String(generation) },
      ...inheritance(sockets, spec.tag, generation),
    },
    stdio: [...streams, ...sockets.map(({ fd }) => fd)],
    detached: stdio !== 'attached',
    ...(owner && { uid: owner.uid, gid: owner.gid }),
  });
}

/** In the words of Server::Starter and of systemd. `LISTEN_PID` is for the shell to say, which knows its own. */
function inheritance(sockets: readonly Inherited[], tag: string, generation: number): Env {
  const none = { LISTEN_FDS: undefined, LISTEN_PID: undefined, LISTEN_FDNAMES: undefined };
  if (sockets.length === 0) return { ...none, SERVER_STARTER_PORT: undefined, SERVER_STARTER_GENERATION: undefined };
  return {
    SERVER_STARTER_PORT: sockets.map(({ name }, index) => `${name}=${3 + index}`).join(';'),
    SERVER_STARTER_GENERATION: String(generation),
    LISTEN_FDS: String(sockets.length),
    LISTEN_FDNAMES: sockets.map(() => tag).join(':'),
    LISTEN_PID: undefined,
  };
}

function follow(stage: Stage, spec: InstanceSpec, ties: Ties, child: Running, listener: ChildListener): Child {
  let exit: Exit | undefined;
  let portWasTaken: boolean | undefined;
  const streams = [
    read(stage, spec, child.stdout, 'stdout', listener),
    read(stage, spec, child.stderr, 'stderr', listener),
  ];
  const tree: PlantedTree = stage.trees.plant(
    { mark: ties.mark, cgroup: ties.cgroup, leader: child.pid, ownsGroup: stage.stdio !== 'attached' },
    {
      orphaned: (processes) => {
        if (exit) listener.orphaned({ exit, processes });
      },
      ended: ({ processes, survivors }) => {
        const port = portWasTaken === true ? portAfter(stage.ports, spec.port) : undefined;
        const remains: Remains = {
          ...{ exit: exit ?? { how: 'signal', signal: 'SIGKILL' }, processes, survivors },
          ...(port && { port }),
        };
        void Promise.all(streams.map((stream) => stream.drained())).then(() => listener.exited(remains));
      },
    },
  );
  child.once('exit', (code, signal) => {
    exit = signal === null ? { how: 'code', code: code ?? 0 } : { how: 'signal', signal };
    tree.leaderExited();
  });
  const pass = (signal: NodeJS.Signals) => void child.kill(signal);
  const notePort = () => {
    // A port behind a front is nobody's business.
    const isPublic = spec.port > 0 && stage.portOf(spec, ties.generation) === spec.port;
    portWasTaken ??= isPublic ? stage.ports.isTaken(spec.port) : undefined;
  };
  return {
    ...{ pid: child.pid, pass, abandon: tree.abandon, pids: tree.pids },
    signal(signal) {
      notePort();
      tree.signal(signal);
    },
    kill() {
      notePort();
      tree.kill();
    },
  };
}

function portAfter({ isTaken, holder }: Ports, number: number): NonNullable<Remains['port']> {
  return isTaken(number) === true ? { number, holder: holder(number) } : { number };
}

/**
 * Reads one stream to its end. `drained` resolves when the end was seen or nothing came for `drainFor`: a
 * process that is not of the tree may hold the pipe open for ever.
 */
function read(
  { clock, gate }: Stage,
  spec: InstanceSpec,
  stream: Readable | null,
  name: 'stdout' | 'stderr',
  listener: ChildListener,
) {
  if (!stream) return { drained: () => Promise.resolve() };
  const lines = createLines((output) => listener.output({ id: spec.id, stream: name, ...output }));
  let lastByte = 0;
  let watching = false;
  let ended = false;
  let onEnd = () => {};

  /** Shows a line that is still unfinished `promptAfter` it began to be watched. */
  const watchForPrompt = () => {
    watching = true;
    const { line } = lines;
    clock.wakeAt(clock.now() + promptAfter, () => {
      watching = false;
      if (ended || !lines.pending) return;
      // While nothing is read, because the reader of the output is slow, silence says nothing about the line.
      if (lines.line === line && gate.isOpen) lines.quiet();
      else watchForPrompt();
    });
  };
  const finish = () => {
    if (ended) return;
    ended = true;
    lines.end();
    onEnd();
  };

  stream.on('data', (chunk: Buffer) => {
    lastByte = clock.now();
    lines.data(chunk);
    if (lines.pending && !watching) watchForPrompt();
    if (!gate.isOpen) {
      stream.pause();
      gate.whenOpen(() => stream.resume());
    }
  });
  stream.once('end', finish);
  stream.once('error', finish);
  stream.once('close', finish);

  return {
    drained: () =>
      new Promise<void>((resolve) => {
        onEnd = resolve;
        if (ended) return resolve();
        const giveUp = () => {
          if (ended) return;
          if (!gate.isOpen) return gate.whenOpen(() => clock.wakeAt(clock.now() + drainFor, giveUp));
          const due = Math.max(lastByte, began) + drainFor;
          if (clock.now() < due) clock.wakeAt(due, giveUp);
          else stream.destroy();
        };
        const began = clock.now();
        clock.wakeAt(began + drainFor, giveUp);
      }),
  };
}
