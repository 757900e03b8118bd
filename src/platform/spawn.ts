/**
 * Starts a program as the leader of a tree of its own and reports what becomes of it. Adds the mark to every
 * process, turns bytes into lines, and holds the sources back while the gate is closed. Decides nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import type { Env, Exit, InstanceSpec, Remains } from '../model.js';
import type { Child, ChildListener, Clock, Gate, Spawn } from '../ports.js';
import { adviceOn, describeTrouble } from '../system-error.js';
import { asSh, bashFor, withShell } from '../tools.js';
import type { Cgroup, Cgroups } from './cgroup.js';
import type { Detachment } from './detach.js';
import { readEnvDirectory } from './env-directory.js';
import type { Guardian } from './guardian.js';
import { type Inherited, inheritance } from './inherited-sockets.js';
import type { LifeNumbers } from './life-numbers.js';
import { type Guarding, guardLife, leaderGone } from './lives.js';
import { markingScript, markOf } from './mark.js';
import type { Pipes } from './pipes.js';
import { pipeKey } from './proc-table.js';
import type { PlantedTree, ProcessTrees } from './process-tree.js';
import { onExit, Program } from './program.js';
import { inTerminal, readPid } from './pty.js';
import { readLines } from './read-lines.js';
import { type Ends, heldKeys, pipesFor, shared } from './streams.js';
import { tooLong } from './too-long.js';
import { troubleWith, unborn } from './unborn.js';
import type { Owner } from './user.js';

/** What may wait for a service that does not read its standard input, in bytes. */
const mostUnread = 1024 * 1024;

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
  readonly guardian: Pick<Guardian, 'born' | 'ended'>;
  /** Eleven digits: see mark.ts. */
  readonly run: string;
  readonly numbers: LifeNumbers;
  /** Absent where proclet can make none. */
  readonly cgroups?: Cgroups | undefined;
  /** `attached` gives the child proclet's own terminal, group and streams. */
  readonly stdio: 'piped' | 'attached' | 'inherited';
  readonly pipes: Pipes;
  readonly gate: Gate;
  /** The users that services run as, by name. */
  readonly owners: { get(user: string): Owner | undefined };
  readonly detachment: Pick<Detachment, 'pathFor'>;
  readonly ports: Ports;
  /** The port an instance is told to listen on. */
  readonly portOf: (spec: InstanceSpec, generation: number) => number;
  /** Called with the environment of each program, and with that of proclet. */
  readonly given?: (variables: Env, inherited: Env) => void;
  /** The listening sockets it inherits, as descriptors from 3 on. */
  readonly socketsOf: (spec: InstanceSpec) => readonly Inherited[];
}

export function createSpawn(stage: Stage): Spawn {
  const { numbers, run, cgroups, clock } = stage;
  return (spec, listener, generation) => {
    const life = numbers.take();
    if (life === undefined) {
      const told = unborn(listener);
      clock.wakeAt(clock.now(), () => told.failed('this run has as many lives at a time as it can tell apart'));
      return told.child;
    }
    // A service that runs as another user cannot move itself into a group that is ours.
    const cgroup = spec.user === undefined ? cgroups?.create(String(life)) : undefined;
    const mark = markOf(run, life);
    return begin(stage, spec, { mark, cgroup, generation }, numbers.until(life, listener));
  };
}

interface Ties {
  readonly mark: string;
  readonly cgroup: Cgroup | undefined;
  readonly generation: number;
}

function begin(stage: Stage, spec: InstanceSpec, ties: Ties, listener: ChildListener): Child {
  let child: Launched | undefined;
  let message: string | undefined;
  try {
    message = troubleWith(spec, stage.owners);
    if (message === undefined) child = launch(stage, spec, ties);
  } catch (error) {
    message = describeTrouble(error);
  }
  if (isRunning(child)) return follow(stage, spec, ties, child, listener);
  for (const stream of child?.streams ?? []) stream?.destroy();
  ties.cgroup?.remove();
  const told = unborn(listener);
  const refused = (error: Error) => {
    const isBarred = (error as NodeJS.ErrnoException).code === 'EACCES';
    told.failed(`${isBarred ? `its directory ${spec.directory} cannot be entered: ` : ''}${adviceOn(error)}`);
  };
  if (child) child.process.once('error', refused);
  else stage.clock.wakeAt(stage.clock.now(), () => told.failed(message ?? 'the shell could not be started'));
  return told.child;
}

/** So many sockets leave descriptor 9 free, the last that every shell has a name for. */
const mostBelowHeld = 6;

/** What a shell searches when there is no PATH. */
const defaultPath = '/usr/local/bin:/usr/bin:/bin';

/** What was started, and our ends of its stdin, stdout and stderr. */
interface Launched {
  readonly process: ChildProcess;
  readonly streams: Ends;
  /** Its ends of them, by `pipeKey`, where they are pipes of our own. */
  readonly pipes: readonly string[];
}

type Running = Launched & { readonly process: { readonly pid: number } };

function isRunning(child: Launched | undefined): child is Running {
  return child?.process.pid !== undefined;
}

/** Node's own spawn: of what execa adds to it a service needs nothing, and each start would pay for it. */
function launch(
  { stdio, owners, detachment, portOf, socketsOf, pipes, given: told }: Stage,
  spec: InstanceSpec,
  { mark, cgroup, generation }: Ties,
): Launched {
  const owner = spec.user === undefined ? undefined : owners.get(spec.user);
  const path = spec.env['PATH'] ?? defaultPath;
  const detaching = spec.detach.length === 0 ? {} : { PATH: detachment.pathFor(spec.detach, path) };
  const inTty = hasTerminal(stdio, spec);
  const sockets = socketsOf(spec);
  const held = stdio === 'piped' && sockets.length <= mostBelowHeld ? 'held' : '';
  const ties = [spec.umask ?? '', mark, inTty ? '' : (cgroup?.directory ?? ''), held];
  const port = portOf(spec, generation);
  const variables = {
    ...{ ...spec.env, ...readEnvDirectory(spec.envDirectory), ...owner?.env, ...detaching },
    ...{ ...(port > 0 && { PORT: String(port) }), PROCLET_MARK: mark, PROCLET_GENERATION: String(generation) },
    ...inheritance(sockets, spec.tag, generation),
  };
  told?.(variables, process.env);
  const bash = bashFor(variables);
  const program = bash && spec.argv[0] === 'sh' ? asSh(bash, spec.argv) : withShell(spec.argv, path);
  const argv = inTty ? inTerminal(program, { shell: spec.env['SHELL'], cgroup: cgroup?.directory ?? '' }) : program;
  // Last of all: what throws before has opened nothing.
  const { given, ours } = stdio === 'piped' ? pipesFor(pipes) : shared;
  const made = given.flatMap((fd) => (typeof fd === 'number' ? [fd] : []));
  try {
    const keys = made.map((fd) => pipeKey(fstatSync(fd)));
    const child = spawn(bash ?? '/bin/sh', ['-c', markingScript, 'proclet', ...ties, ...argv], {
      ...{ cwd: spec.directory, env: variables, detached: stdio !== 'attached' },
      stdio: [...given, ...sockets.map(({ fd }) => fd)],
      ...(owner && { uid: owner.uid, gid: owner.gid }),
    });
    return { process: child, streams: ours ?? [child.stdin, child.stdout, child.stderr], pipes: keys };
  } catch (error) {
    for (const stream of ours ?? []) stream?.destroy();
    throw (error as NodeJS.ErrnoException).code === 'E2BIG' ? new Error(tooLong(argv, variables)) : error;
  } finally {
    for (const fd of made) closeSync(fd);
  }
}

/** Whether it gets a terminal of its own: not where it shares proclet's streams. */
function hasTerminal(stdio: Stage['stdio'], { tty }: InstanceSpec): boolean {
  return tty && stdio === 'piped';
}

function follow(stage: Stage, spec: InstanceSpec, ties: Ties, launched: Running, listener: ChildListener): Child {
  const { process: child } = launched;
  const [stdin, stdout, stderr] = launched.streams;
  const { mark, cgroup } = ties;
  const known = { mark, pipes: launched.pipes, ownsGroup: stage.stdio !== 'attached' };
  const streams: ReturnType<typeof readLines>[] = [];
  let exit: Exit | undefined;
  let portWasTaken: boolean | undefined;
  // A port behind a front is nobody's business.
  const isPublic = () => spec.port > 0 && stage.portOf(spec, ties.generation) === spec.port;
  const portThatFailed = () => {
    const hasFailed = portWasTaken === undefined && exit?.how === 'code' && exit.code !== 0;
    return hasFailed && isPublic() && stage.ports.isTaken(spec.port) === true
      ? portAfter(stage.ports, spec.port)
      : undefined;
  };
  const program = new Program();
  const keys = heldKeys(launched);
  const tree: PlantedTree = stage.trees.plant(
    { ...known, pipes: keys, leader: child.pid, cgroup },
    {
      orphaned: (processes) => {
        if (exit) listener.orphaned({ exit, processes });
      },
      ended: ({ processes, survivors, nested }) => {
        const port = portWasTaken === true ? portAfter(stage.ports, spec.port) : portThatFailed();
        const remains: Remains = {
          ...{ exit: exit ?? { how: 'signal', signal: 'SIGKILL' }, processes, survivors },
          ...(nested && { nested }),
          ...(port && { port }),
        };
        stdin?.destroy();
        if (survivors.length === 0) guarding.end();
        void Promise.all(streams.map((stream) => stream.drained())).then(() => listener.exited(remains));
      },
    },
  );
  const leader = { pid: child.pid, started: tree.started ?? leaderGone };
  const guarding = guardLife(stage.guardian, spec, { ...known, ...leader, cgroup: cgroup?.directory ?? '' });
  const inside = (pid: number) => {
    guarding.learn({ inside: { pid, started: tree.leadBy(pid) ?? leaderGone } });
    listener.started?.(pid);
    program.know(pid);
  };
  const inTty = hasTerminal(stage.stdio, spec);
  const errors = inTty && stderr ? readPid(stderr, inside) : stderr;
  // Not before: the start of the program is told before its output.
  program.whenKnown(() => {
    streams.push(readLines(stage, spec.id, 'stdout', stdout, listener.output));
    streams.push(readLines(stage, spec.id, 'stderr', errors, listener.output));
  });
  if (!inTty) program.know(child.pid);
  onExit({ child, words: stderr, program, clock: stage.clock }, (how) => {
    exit = how;
    tree.leaderExited();
  });
  // EPERM: it became another user's, and a signal to it alone cannot be sent.
  child.on('error', () => {});
  // EPIPE: it closed its stdin, or ended.
  stdin?.on('error', () => {});
  const notePort = () => {
    portWasTaken ??= isPublic() ? stage.ports.isTaken(spec.port) : undefined;
  };
  return childOf({ mark, program, tree, guarding, stdin, outputs: [stdout, errors], notePort });
}

interface Handles {
  readonly mark: string;
  readonly program: Program;
  readonly tree: PlantedTree;
  readonly guarding: Guarding;
  readonly stdin: Writable | null;
  readonly outputs: readonly (Readable | null)[];
  /** Before anything is asked to end. */
  notePort(): void;
}

function childOf({ mark, program, tree, guarding, stdin, outputs, notePort }: Handles): Child {
  return {
    ...{ mark, abandon: tree.abandon, pids: tree.pids },
    get pid() {
      return program.pid;
    },
    endInput: () => void stdin?.end(),
    entrust: (terms) => guarding.learn({ terms }),
    tap: (listener) => {
      let isWanted = true;
      program.whenKnown(() => {
        for (const stream of isWanted ? outputs : []) stream?.on('data', listener);
      });
      return () => {
        isWanted = false;
        for (const stream of outputs) stream?.off('data', listener);
      };
    },
    send: (text) => {
      if (!stdin?.writable || stdin.writableLength + text.length > mostUnread) return false;
      stdin.write(text);
      return true;
    },
    pass(signal) {
      notePort();
      let isHeard = true;
      program.whenKnown(() => {
        isHeard = tree.pass(signal);
      });
      return isHeard;
    },
    signal(signal, to = 'tree') {
      notePort();
      program.whenKnown(() => tree.signal(signal, to));
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
