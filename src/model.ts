/**
 * The vocabulary: every type that crosses a folder. Types only; what happens and what may be asked is in
 * events.ts and comes through here.
 *
 * Text becomes entries, entries and settings become a plan, the plan becomes instances, instances become
 * events. Read this file first: the words here are the words everywhere.
 */

export type * from './events.js';

/** A duration or a point on the runner's own clock, in milliseconds. `Infinity` means never. */
export type Millis = number;

/** A service's name in the Procfile: `[A-Za-z0-9_-]+`. */
export type Tag = string;

/** One supervised slot: `web.1`. */
export type InstanceId = string;

/** Bytes as a string with one character per byte (latin1), so that output passes through unharmed. */
export type Bytes = string;

export type Env = Readonly<Record<string, string | undefined>>;

// ---------------------------------------------------------------- text

/** One `tag: command` line. */
export interface Entry {
  readonly tag: Tag;
  readonly command: string;
  /** 1-based. */
  readonly line: number;
}

export interface Procfile {
  readonly path: string;
  readonly entries: readonly Entry[];
}

/** One thing wrong with a text, and where. */
export interface Problem {
  readonly path: string;
  /** 1-based; absent when the whole file is meant. */
  readonly line?: number;
  readonly message: string;
  readonly hint?: string;
}

/** What a parser answers: the value, or everything that is wrong with the text. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A public address: TCP, or the path of a Unix socket. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

/** What counts as use of a service: accesses to its ports, its output, or nothing. */
export type IdleOn = 'access' | 'output' | 'none';

/** When a service starts: with the run, at the first access, or when it is named or needed. */
export type StartPolicy = 'always' | 'on-access' | 'manual';

/** How a service shows that it is ready, and how long it may take. */
export type Ready = { readonly timeout: Millis } & (
  | { readonly kind: 'tcp' }
  | { readonly kind: 'http'; readonly path: string }
  /** A regular expression for a line of its output. */
  | { readonly kind: 'log'; readonly pattern: string }
);

export type RestartPolicy = 'always' | 'on-failure' | 'never';

/** What `proclet.yml` says about one service; durations are parsed, everything else is as written. */
export interface ServiceConfig {
  readonly ttl?: Millis;
  readonly restart?: RestartPolicy;
  readonly 'stop-signal'?: NodeJS.Signals;
  readonly grace?: Millis;
  readonly env?: Readonly<Record<string, string>>;
  readonly 'env-file'?: string;
  readonly directory?: string;
  readonly umask?: string;
  readonly user?: string;
  readonly instances?: number;
  readonly port?: number;
  readonly detach?: readonly string[];
  readonly idle?: Millis;
  readonly 'idle-on'?: IdleOn;
  readonly start?: StartPolicy;
  readonly listen?: Address;
  readonly 'proxy-protocol'?: boolean;
  readonly ready?: Ready;
  readonly after?: readonly Tag[];
}

export interface Config {
  readonly path: string;
  /** Long flag names and their texts, as if typed. */
  readonly defaults: Readonly<Record<string, Given>>;
  readonly services: Readonly<Record<Tag, ServiceConfig>>;
  /** The line of each service's key, for messages about it. */
  readonly lines: Readonly<Record<Tag, number>>;
}

// ---------------------------------------------------------------- settings

/** A setting's text and where it came from: `--ttl`, `PROCLET_TTL`, `proclet.yml:3`, `.foreman:2`. */
export interface Given {
  readonly text: string;
  readonly origin: string;
}

export type OnExit = 'restart' | 'stop' | 'ignore';

/** A value for every service, with exceptions by tag. */
export interface PerTag<T> {
  /** Asked for this run: wins over what `proclet.yml` says about a service. */
  readonly all?: T;
  /** A default of a file: for services that say nothing themselves. */
  readonly otherwise?: T;
  readonly tags: Readonly<Record<Tag, T>>;
}

/** What the user asked for: typed, precedence resolved, defaults filled in. */
export interface Settings {
  /** Tags to run; empty means every service. */
  readonly tags: readonly Tag[];
  readonly formation: PerTag<number>;
  /** The base port, when one was asked for by flag, environment variable of proclet, or file. */
  readonly port?: number | 'auto';
  readonly ttl: PerTag<Millis>;
  readonly idle: PerTag<Millis>;
  readonly onExit: OnExit;
  readonly grace: PerTag<Millis>;
  readonly expireStatus: number;
  readonly shell: string;
  readonly quiet: readonly Tag[];
  readonly color: 'auto' | 'always' | 'never';
  readonly timestamp: boolean;
  readonly logFormat: 'text' | 'json';
  readonly pidFile?: string;
}

// ---------------------------------------------------------------- plan

/** Delays between lives: `first` doubling up to `max`; forgiven after a life of `forgiveAfter`. */
export interface Backoff {
  readonly first: Millis;
  readonly max: Millis;
  readonly forgiveAfter: Millis;
  /** After this many lives in a row that never came up, the instance is `failed`. */
  readonly giveUpAfter: number;
}

export interface InstanceSpec {
  readonly id: InstanceId;
  readonly tag: Tag;
  /** Program and arguments; a Procfile's command is `[shell, '-c', command]`. */
  readonly argv: readonly [string, ...string[]];
  /** The complete environment of the service, but for what depends on where its output goes. */
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  /** Absolute. */
  readonly directory: string;
  readonly umask?: string;
  readonly user?: string;
  /** Names of programs that may outlive the service. */
  readonly detach: readonly string[];
  readonly restart: RestartPolicy;
  readonly backoff: Backoff;
  /** Alive this long after the spawn counts as up, unless `ready` decides. */
  readonly settle: Millis;
  readonly ready?: Ready;
  readonly stopSignal: NodeJS.Signals;
  /** Between the stop signal and SIGKILL; `Infinity` never kills. */
  readonly grace: Millis;
}

export interface ServiceSpec {
  readonly tag: Tag;
  readonly command: string;
  /** Position among the Procfile's entries: decides port block and colour. */
  readonly position: number;
  /** Longest life since the service was started; `Infinity` for ever. */
  readonly ttl: Millis;
  /** Longest life without use; `Infinity` for ever. */
  readonly idle: Millis;
  readonly idleOn: IdleOn;
  readonly start: StartPolicy;
  /** Services that must be up before this one starts, and end after it. */
  readonly after: readonly Tag[];
  readonly fronts: readonly FrontSpec[];
  readonly instances: readonly InstanceSpec[];
}

/** A public address that proclet holds for instances of a service. */
export interface FrontSpec {
  readonly listen: Address;
  readonly instances: readonly InstanceId[];
  /** Held from the start of the run; otherwise as soon as an instance listens where it was told to. */
  readonly eager: boolean;
  /** The instances get ports of their own as $PORT, because the public one is taken by the front. */
  readonly hidesPort: boolean;
  readonly proxyProtocol: boolean;
}

/** Everything decided before anything starts. Frozen. */
export interface Plan {
  readonly root: string;
  readonly procfile: string;
  readonly services: readonly ServiceSpec[];
  readonly onExit: OnExit;
  /** Exit status of a run that ended because every lease did. */
  readonly expireStatus: number;
}

// ---------------------------------------------------------------- life

export type Exit =
  | { readonly how: 'code'; readonly code: number }
  | { readonly how: 'signal'; readonly signal: NodeJS.Signals }
  | { readonly how: 'spawn-error'; readonly message: string };

/** Why proclet ended something. */
export type StopCause =
  | { readonly reason: 'requested' | 'changed' | 'replaced' | 'shutdown' }
  | { readonly reason: 'ttl'; readonly window: Millis }
  /** `since`: how long ago the last use was; absent when there was none. */
  | { readonly reason: 'idle'; readonly window: Millis; readonly since?: Millis };

export type StopReason = StopCause['reason'];

/** Data that is only meaningful in one phase lives in that phase. */
export type Phase =
  | { readonly is: 'down'; readonly lastExit?: Exit; readonly cause?: StopCause }
  | { readonly is: 'starting'; readonly since: Millis; readonly settlesAt: Millis; readonly givesUpAt: Millis }
  | { readonly is: 'up'; readonly since: Millis; readonly startedAt: Millis }
  | {
      readonly is: 'stopping';
      /** When this life began. */
      readonly since: Millis;
      readonly wasUp: boolean;
      /** Absent when the program ended by itself and only its left-over processes are being ended. */
      readonly cause?: StopCause;
      readonly stoppedAt: Millis;
      readonly killAt: Millis;
      readonly abandonAt: Millis;
    }
  | { readonly is: 'backoff'; readonly retryAt: Millis; readonly lastExit: Exit }
  | { readonly is: 'failed'; readonly lastExit: Exit };

export type PhaseName = Phase['is'];

export interface Instance {
  readonly spec: InstanceSpec;
  /** What is wanted; `phase` is what is. */
  readonly goal: 'up' | 'down';
  /** Crashes since the last forgiven life: decides the next delay. */
  readonly failures: number;
  /** Lives in a row that never came up: decides when to give up. */
  readonly stillborn: number;
  readonly phase: Phase;
}

/** A process that would not go, as the kernel shows it. */
export interface Survivor {
  readonly pid: number;
  /** One letter, as in `ps`: D is uninterruptible. */
  readonly state: string;
  readonly command: string;
}

/** What ended when a tree became empty (or was given up). */
export interface Remains {
  readonly exit: Exit;
  /** Processes seen in the tree while it was being ended, the leader included. */
  readonly processes: number;
  readonly survivors: readonly Survivor[];
  /** What became of the port, if it was taken when the end began: who holds it now, or nobody. */
  readonly port?: { readonly number: number; readonly holder?: string };
}
