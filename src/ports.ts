/**
 * What the core asks of the world, and what the world may ask of the core. The supervisor knows these
 * interfaces and nothing behind them, so it runs in a test without a process or a clock.
 */
import type {
  InstanceId,
  InstanceSpec,
  Millis,
  Output,
  Plan,
  ProcletEvent,
  Remains,
  Request,
  Snapshot,
  StopPolicy,
  Tag,
  Targets,
} from './model.js';

export interface Clock {
  /** Milliseconds on a clock that never goes back and goes on while the machine sleeps. */
  now(): Millis;
  /** Milliseconds since 1970, for what people read. */
  wall(): number;
  /** Calls `wake` once, at or after `at`. Returns the cancel. `Infinity` is never. */
  wakeAt(at: Millis, wake: () => void): () => void;
}

/** What is still to be done to end a life, for whoever takes over from proclet. */
export interface StopTerms {
  readonly signal: NodeJS.Signals;
  /** Who is still to get the signal: the leader, and then the rest; the rest; all at once; or nobody. */
  readonly to: StopPolicy | 'rest' | 'nobody';
  /** Between the signal and SIGKILL. */
  readonly grace: Millis;
}

/** One life of an instance: its process tree. */
export interface Child {
  /** 0 when nothing could be started, or while that of the program is not known yet. */
  readonly pid: number;
  /** Signals the leader alone. Returns false when the leader ignores that signal. */
  pass(signal: NodeJS.Signals): boolean;
  /** Signals every process of the tree, or all but the leader. Never throws for one that is already gone. */
  signal(signal: NodeJS.Signals, to?: 'tree' | 'rest'): void;
  /** SIGKILL to everything, again and again, until nothing is left. */
  kill(): void;
  /** Tells the guardian how this life is to be ended, should proclet be gone. */
  entrust(terms: StopTerms): void;
  /** Stop waiting: report what is left as survivors. */
  abandon(): void;
  /** Every live process of the tree, now. */
  pids(): readonly number[];
  /** What the processes of the tree carry. */
  readonly mark: string;
  /** Hears the bytes of its output as they come. Answers the end of that. */
  tap(listener: (chunk: Uint8Array) => void): () => void;
  /** Writes to the leader's standard input; answers false when nobody can read it. */
  send(text: string): boolean;
  /** Ends the leader's standard input. */
  endInput(): void;
}

/** What a life reports. Each of the last two is called at most once, `exited` always and last. */
export interface ChildListener {
  /** The pid of a child that had none when it was spawned: that of the program in a terminal. Before any output. */
  started?(pid: number): void;
  output(output: Output): void;
  /** The leader is gone, processes of its tree are not. */
  orphaned(remains: Pick<Remains, 'exit' | 'processes'>): void;
  /** Nothing of the tree is left, or what is left was abandoned. */
  exited(remains: Remains): void;
}

/** One life of an instance among others: the n-th, from 1. */
export interface Life {
  readonly id: InstanceId;
  readonly generation: number;
}

export type Spawn = (spec: InstanceSpec, listener: ChildListener, generation: number) => Child;

/** What is known of a service's use. Times are of the clock. */
export interface Use {
  /** The last access; `-Infinity` when there was none. */
  readonly last: Millis;
  /** An answer is owed, or bytes are on their way. */
  readonly busy: boolean;
  /** Whether it has a port at all. */
  readonly listens: boolean;
}

/** Sees accesses. Looks when asked, so that what it answers is true now. */
export type LookForUse = (tag: Tag) => Use;

/** A life that is asked where it listens. */
export interface Listener extends Life {
  readonly spec: InstanceSpec;
  /** As of its child. */
  readonly pid: number;
  readonly mark: string;
}

/** What is seen of a life from outside. */
export interface Heard {
  /** The TCP ports on which its processes listen, and its own if it is served there. */
  readonly ports: readonly number[];
  /** Whether its own port is among them. */
  readonly isAtPort: boolean;
  /** The processor time of its processes. */
  readonly cpu: Millis;
}

/** All that the supervisor needs. */
export interface World {
  readonly clock: Clock;
  readonly spawn: Spawn;
  readonly look: LookForUse;
  /** Where these lives listen now, in their order: one reading of the machine for all of them. */
  readonly hear: (lives: readonly Listener[]) => readonly Heard[];
  /** Resolves when nobody uses a life any more, or after a time. */
  readonly drain: (life: Life, within: Millis) => Promise<void>;
  /** The first time of a schedule after this one; both in wall time. `Infinity` for never. */
  readonly next: (schedule: string, after: number) => number;
  /** Whether a service that inherits its sockets was seen to listen on a port of its own. */
  readonly listensItself: (tag: Tag) => boolean;
  /**
   * Looks once more, when every child's end was reported, for processes of the run; ends them and names them. Undefined
   * when there are none. Never rejects.
   */
  readonly sweep?: (notice: (text: string) => void) => Promise<void> | undefined;
}

export type Observer = (event: ProcletEvent) => void;

/** Back-pressure: sources stop reading while the gate is closed. */
export interface Gate {
  readonly isOpen: boolean;
  /** Calls back once, when the gate is open again. */
  whenOpen(go: () => void): void;
}

/** Where text for people goes: standard output, or a list in a test. */
export interface Sink {
  readonly isTTY: boolean;
  readonly columns: number;
  write(text: string): void;
}

/** All that commands, the socket and the page may know of the supervisor. */
export interface Supervision {
  /** Answers whom it concerned. Throws ProcletError when it cannot be done. */
  request(request: Request): readonly InstanceId[];
  /** How everything stands, now. */
  snapshot(): Snapshot;
  /** The instances that are meant. Throws ProcletError for a word that names nothing. */
  resolve(targets: Targets): readonly InstanceId[];
  /** How many of these run or wait for their next life. */
  busyOf(ids: readonly InstanceId[]): number;
  /** Hears what an instance that runs prints, as it comes; undefined when it does not run. Answers the end of that. */
  tap(id: InstanceId, listener: (chunk: Uint8Array) => void): (() => void) | undefined;
  subscribe(observer: Observer): () => void;
  /**
   * Starts a service and what it is after, unless it is up; and another life of one whose files changed, if it is to
   * be restarted by an access. Resolves when there is an instance for the access, rejects when there will be none.
   */
  wake(tag: Tag): Promise<void>;
  /** The lives of a service that serve and are up. */
  upLives(tag: Tag): readonly Life[];
  /** Every live process of a service, now. */
  pidsOf(tag: Tag): readonly number[];
  /** Says that a life is ready, if it is starting. */
  ready(life: Life): void;
  /** Watched files of a service changed: the first of them, and how many. */
  changed(tag: Tag, path: string, files: number): void;
  /** Another plan for the same project: starts what is new, ends what is gone, reloads what is another. */
  reconfigure(plan: Plan): void;
  /** The exit status, once nothing that was started is left. */
  readonly finished: Promise<number>;
}
