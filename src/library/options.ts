/** What the library is told. Types only; durations, schedules and addresses are written as in `proclet.yml`. */
import type { OnExit, ProcletEvent, RestartPolicy, Tag } from '../model.js';

/** `'30m'`, `'1h30m'`, `'500ms'`; a number is seconds, as `alarm(2)` has it. */
export type Duration = string | number;

/** What a service runs: a line for the shell, a program with its arguments, or a function. */
export type Code = string | readonly [string, ...string[]] | (() => unknown);

/** One line of a service's output, without its end. */
export interface LogLine {
  readonly tag: Tag;
  /** `web.1` */
  readonly id: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface ProcletOptions {
  /** Colours in the output; by default where it goes to a terminal. */
  readonly color?: boolean;
  /** The time before each line; it is there by default. */
  readonly timestamp?: boolean;
  /** Gets each line instead of the standard output. */
  readonly logger?: (line: LogLine) => void;
  /** Before the first attempt to start again what crashed, 1 s by default; it doubles from there up to 30 s. */
  readonly errRespawnInterval?: Duration;
  /** The longest life of each service that says nothing itself. */
  readonly ttl?: Duration;
  /** The longest life without use of each service that says nothing itself. */
  readonly idle?: Duration;
  /** Between the stop signal and SIGKILL, 5 s by default. */
  readonly grace?: Duration;
  /** What follows when a service ends by itself. */
  readonly onExit?: OnExit;
  /** The base port, 5000 by default: +100 for each service, +1 for each worker. */
  readonly port?: number;
  /** The directory of the project, the working directory by default. */
  readonly root?: string;
  /** The name of the run, for `proclet ps --name`. */
  readonly name?: string;
  /** A directory that gets a file for each service. */
  readonly logDir?: string;
  /** The environment of the services instead of this process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The keys of a service in `proclet.yml`, and what it runs. */
export interface ServiceOptions {
  readonly code: Code;
  /** `[A-Za-z0-9_-]+`; its number by default. */
  readonly tag?: Tag;
  /** How many of it, 1 by default. */
  readonly worker?: number;
  /** Times to run at, as in crontab(5), instead of continuously. */
  readonly every?: string;
  readonly ttl?: Duration;
  readonly idle?: Duration;
  readonly idleOn?: 'access' | 'output' | 'none';
  readonly start?: 'always' | 'on-access' | 'manual';
  readonly after?: readonly Tag[];
  readonly listen?: ListenAddress | readonly ListenAddress[];
  /** Says in the PROXY protocol who connects. */
  readonly proxyProtocol?: boolean;
  /** `false`: it gets none. */
  readonly port?: number | false;
  readonly ready?: ReadyOptions;
  readonly restart?: RestartPolicy;
  /** Starts in a row that may end before it is up, 5 by default; then it has failed. 0 is no limit. */
  readonly startAttempts?: number;
  /** Exit statuses that count as success besides 0. */
  readonly successExitStatus?: number | readonly number[];
  readonly watch?: string | readonly string[];
  readonly watchPoll?: Duration | boolean;
  readonly reload?: 'restart' | 'handover' | 'shotgun';
  readonly reloadSignal?: string;
  readonly reloadEvery?: Duration;
  readonly killOldDelay?: Duration;
  readonly statusFile?: string;
  readonly stopSignal?: string;
  readonly stop?: 'leader' | 'tree';
  readonly grace?: Duration;
  readonly settle?: Duration;
  readonly env?: Readonly<Record<string, string | number | boolean>>;
  /** A directory of variables, a file for each, read again for each life. */
  readonly envDir?: string;
  readonly directory?: string;
  readonly user?: string;
  readonly umask?: string;
  readonly tty?: boolean;
  /** Names of programs that may outlive it. */
  readonly detach?: readonly string[];
  readonly log?: string | LogOptions;
}

export interface LogOptions {
  readonly file: string;
  readonly 'max-size'?: string | number;
  readonly backups?: number;
  readonly colors?: boolean;
}

export type ReadyOptions = { readonly timeout?: Duration } & (
  | { readonly tcp: true }
  | { readonly http: string }
  | { readonly log: string }
  | { readonly command: string }
);

export type EventType = ProcletEvent['type'];
/** What happened. The text of an `output` is one whole line or more, or, with `end: 'cut'`, a piece of one. */
export type EventOf<T extends EventType> = Extract<ProcletEvent, { type: T }>;

/** A port, `host:port`, the path of a Unix socket, or that with who may connect: `mode` in octal digits, `owner` as `user:group`. */
export type ListenAddress =
  | number
  | string
  | { readonly path: string; readonly mode?: string; readonly owner?: string };
