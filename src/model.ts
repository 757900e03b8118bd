/**
 * The vocabulary: every type that crosses a folder. Types only; what a user writes is in texts.ts, what happens in
 * events.ts, what may be asked in requests.ts, and all come through here.
 *
 * Text becomes entries, entries and settings become a plan, the plan becomes instances, instances become
 * events. Read this file first: the words here are the words everywhere.
 */

import type {
  Address,
  IdleOn,
  LogConfig,
  OnExit,
  Ready,
  ReloadPolicy,
  RestartPolicy,
  StartPolicy,
  StopPolicy,
} from './texts.js';

export type * from './events.js';
export type * from './requests.js';
export type * from './texts.js';

/** A duration or a point on the runner's own clock, in milliseconds. `Infinity` means never. */
export type Millis = number;

/** A service's name in the Procfile: `[A-Za-z0-9_-]+`. */
export type Tag = string;

/** One supervised slot: `web.1`. */
export type InstanceId = string;

/** Bytes as a string with one character per byte (latin1), so that output passes through unharmed. */
export type Bytes = string;

export type Env = Readonly<Record<string, string | undefined>>;

// ---------------------------------------------------------------- plan

/** Delays between lives: `first` doubling up to `max`; forgiven after a life of `forgiveAfter`. */
export interface Backoff {
  readonly first: Millis;
  readonly max: Millis;
  readonly forgiveAfter: Millis;
  /** After this many lives in a row that never came up, the instance is `failed`; `Infinity`: never. */
  readonly giveUpAfter: number;
}

export interface InstanceSpec {
  readonly id: InstanceId;
  readonly tag: Tag;
  /** Program and arguments; a Procfile's command is `[shell, '-c', command]`. */
  readonly argv: readonly [string, ...string[]];
  /** The complete environment of the service, but for what depends on where its output goes. */
  readonly env: Readonly<Record<string, string>>;
  /** 0: it has none. */
  readonly port: number;
  /** Absolute. */
  readonly directory: string;
  /** It has a terminal of its own. */
  readonly tty: boolean;
  readonly umask?: string;
  readonly user?: string;
  /** Names of programs that may outlive the service. */
  readonly detach: readonly string[];
  readonly restart: RestartPolicy;
  /** Exit statuses, as a shell reports them, that count as success besides 0. */
  readonly expected?: readonly number[];
  readonly backoff: Backoff;
  /** Alive this long after the spawn counts as up, unless `ready` decides. */
  readonly settle: Millis;
  readonly ready?: Ready;
  /** It was given a port to listen on, and shows by nothing else that it is ready. */
  readonly isToListen?: true;
  /** Program and arguments that exit with 0 when it is ready. */
  readonly readyProgram?: readonly [string, ...string[]];
  readonly stopSignal: NodeJS.Signals;
  /** Whom the stop signal goes to first. */
  readonly stop: StopPolicy;
  /** Asks an old generation to end. */
  readonly reloadSignal: NodeJS.Signals;
  /** A directory of variables, a file for each, read again for each life. Absolute. */
  readonly envDirectory?: string;
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
  /** It runs at the times of this schedule instead of continuously. */
  readonly every?: string;
  /** Services that must be up before this one starts, and end after it. */
  readonly after: readonly Tag[];
  /** Patterns of files whose change means a reload; empty when nothing is watched. */
  readonly watch: readonly string[];
  /** They are looked at so often; absent: the kernel tells, where it can. */
  readonly watchPoll?: Millis;
  readonly reload: ReloadPolicy;
  /** Two generations may run side by side, because the port is not one that the program insists on. */
  readonly overlaps: boolean;
  /** A reload without a change, so often; `Infinity` never. */
  readonly reloadEvery: Millis;
  /** Between a new generation being up and the stop signal to the old one. */
  readonly killOldDelay: Millis;
  /** Where its output is kept besides. The file is absolute. */
  readonly log?: LogConfig;
  /** Holds `generation:pid` of each life, a line each. Absolute. */
  readonly statusFile?: string;
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
  /** The instances inherit the listening socket; only if they listen on their own $PORT is there a proxy before them. */
  readonly inherited: boolean;
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
  /** What held its terminal was killed; what became of the program itself is not known. */
  | { readonly how: 'hangup'; readonly signal: NodeJS.Signals }
  | { readonly how: 'spawn-error'; readonly message: string };

/** Why proclet ended something. `why`: who or what asked for it, where that is known. */
export type StopCause = { readonly why?: Why } & (
  | { readonly reason: 'requested' | 'expired' | 'changed' | 'replaced' | 'reconfigured' | 'shutdown' }
  | { readonly reason: 'ttl'; readonly window: Millis }
  /** `since`: how long ago the last use was; absent when there was none. */
  | { readonly reason: 'idle'; readonly window: Millis; readonly since?: Millis }
);

/** Who or what asked for an end. */
export type Why =
  /** `inFront`: proclet stood in front of its terminal, whose keys send INT and QUIT. */
  | { readonly is: 'signal'; readonly signal: NodeJS.Signals; readonly inFront?: true }
  /** A request on the control socket, with the pid that the client says it has. */
  | { readonly is: 'control'; readonly verb: string; readonly from: 'command' | 'launcher'; readonly pid?: number }
  | { readonly is: 'key'; readonly key: string }
  /**
   * The terminal was closed; the output has no reader, or cannot be written; what the run is bound to has ended;
   * the program that uses the library; an exception that nobody expected.
   */
  | {
      readonly is: 'hangup' | 'unread' | 'unwritable' | 'until' | 'until-exit' | 'stdin-quit' | 'library' | 'bug';
    }
  /** `--on-exit stop`: the instance that ended. */
  | { readonly is: 'on-exit'; readonly id: InstanceId }
  /** It was started only for this service, which has ended. */
  | { readonly is: 'unneeded'; readonly tag: Tag };

export type StopReason = StopCause['reason'];

/** Why SIGKILL ended a life that was being stopped: its grace was over, or somebody asked for the end once more. */
export type Forced = 'grace' | 'request';

/** Data that is only meaningful in one phase lives in that phase. */
export type Phase =
  | { readonly is: 'down'; readonly lastExit?: Exit; readonly cause?: StopCause }
  | {
      readonly is: 'starting';
      readonly since: Millis;
      readonly settlesAt: Millis;
      readonly givesUpAt: Millis;
      /** Begun by a change: if it fails, the next change is waited for. */
      readonly changed: boolean;
    }
  | { readonly is: 'up'; readonly since: Millis; readonly startedAt: Millis }
  | {
      readonly is: 'stopping';
      /** When this life began. */
      readonly since: Millis;
      readonly wasUp: boolean;
      readonly changed: boolean;
      /** It was not ready in time: however it ends now, it has crashed. */
      readonly unready?: true;
      /** Absent when the program ended by itself and only its left-over processes are being ended. */
      readonly cause?: StopCause;
      readonly stoppedAt: Millis;
      /** Only the leader has the stop signal so far; the rest gets it when the leader is gone, at the latest now. */
      readonly spreadsAt?: Millis;
      readonly killAt: Millis;
      readonly abandonAt: Millis;
      /** SIGKILL was sent. */
      readonly forced?: Forced;
    }
  | { readonly is: 'backoff'; readonly retryAt: Millis; readonly lastExit: Exit }
  | { readonly is: 'failed'; readonly lastExit: Exit };

export type PhaseName = Phase['is'];

/** What one of the lives of a slot is to the others: during a handover there are two or three. */
export type Role = 'serving' | 'coming' | 'going';

export interface Instance {
  readonly spec: InstanceSpec;
  /** Unlike that of any other instance of the run, those that are gone included. */
  readonly key: string;
  readonly role: Role;
  /** The number of its life among all that the slot had in this run, from 1; 0 before the first. Never given twice. */
  readonly generation: number;
  /** What is wanted; `phase` is what is. */
  readonly goal: 'up' | 'down';
  /** Crashes since the last forgiven life: decides the next delay. */
  readonly failures: number;
  /** Lives in a row that never came up: decides when to give up. */
  readonly stillborn: number;
  readonly phase: Phase;
}

/**
 * Where a life listens that was given a port: there, at other ports only, nowhere although it could have begun by now, or
 * nowhere yet (`pending`).
 */
export type Listens = 'pending' | 'port' | 'elsewhere' | 'nowhere';

/** A process that would not go, as the kernel shows it. */
export interface Survivor {
  readonly pid: number;
  /** One letter, as in `ps`: D is uninterruptible. */
  readonly state: string;
  readonly command: string;
  /** It is another user's, so that proclet may not end it. */
  readonly denied?: true;
}

/** What was left of a proclet that ran within a service, and was ended with that: it and its guardian had been killed. */
export interface Nested {
  readonly processes: number;
  /** Of that proclet, and its project's directory; absent when its record was gone. */
  readonly pid?: number;
  readonly root?: string;
}

/** What ended when a tree became empty (or was given up). */
export interface Remains {
  readonly exit: Exit;
  /** Processes seen in the tree while it was being ended, the leader included. */
  readonly processes: number;
  readonly survivors: readonly Survivor[];
  /** Absent when there was nothing of the kind. */
  readonly nested?: readonly Nested[];
  /** What became of the port, if it was taken when the end began: who holds it now, or nobody. */
  readonly port?: { readonly number: number; readonly holder?: string };
}
