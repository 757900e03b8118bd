/**
 * The vocabulary's last part: what may be asked of a run, and how it stands. Types only. Everybody imports it through
 * model.ts.
 */
import type {
  Address,
  Exit,
  Forced,
  InstanceId,
  Listens,
  Millis,
  PhaseName,
  ReloadPolicy,
  Role,
  StartPolicy,
  StopCause,
  Tag,
  Why,
} from './model.js';

/** Services and instances by name: `web`, `web.2`, `w*`; none is all of them. */
export type Targets = readonly string[];

/** What anyone may ask of a running proclet. */
export type Request =
  /**
   * End everything, then the run. `status` is the run's exit status; without it, that of what ended. A second
   * one kills at once, unless it belongs to the same gesture; a `patient` one never kills, nor does one that is
   * `unasked`: the terminal was closed, nobody reads the output, what the run is bound to has ended.
   */
  | {
      readonly type: 'shutdown';
      readonly status?: number;
      readonly patient: boolean;
      readonly unasked?: boolean;
      readonly why: Why;
    }
  /** Sends a signal to what runs, without ending anything: to the leaders alone, or to their whole trees. */
  | {
      readonly type: 'signal';
      readonly signal: NodeJS.Signals;
      readonly to: 'leader' | 'tree';
      readonly targets?: Targets;
    }
  /** Ends them and keeps them down; starts them, after ending those that run. */
  | { readonly type: 'stop' | 'restart'; readonly targets: Targets; readonly why?: Why }
  /** A new generation of what runs, now, by the service's own policy. What is down stays down. */
  | { readonly type: 'reload'; readonly targets: Targets; readonly why?: Why }
  /** Moves the end of their leases. */
  | { readonly type: 'extend'; readonly targets: Targets; readonly by: Millis }
  /** Ends their leases now; takes the end from them. */
  | { readonly type: 'expire'; readonly targets: Targets; readonly why?: Why }
  | { readonly type: 'keep'; readonly targets: Targets }
  /** Counts as an access. */
  | { readonly type: 'touch'; readonly targets: Targets }
  /** Writes to their standard input. */
  | { readonly type: 'send'; readonly targets: Targets; readonly text: string };

/** How a run stands. Durations are of this moment. */
export interface Snapshot {
  readonly services: readonly ServiceSnapshot[];
}

export interface ServiceSnapshot {
  readonly tag: Tag;
  readonly command: string;
  readonly position: number;
  readonly start: StartPolicy;
  /** How it begins a new generation; absent when that is to stop and start. */
  readonly reload?: Exclude<ReloadPolicy, 'restart'>;
  /** Public addresses that proclet holds for it. */
  readonly listen: readonly Address[];
  /** What is left of its lease; absent while none runs. */
  readonly lease?: LeaseSnapshot;
  /** How long ago the last access, or what counts as one, was; absent when none is known. */
  readonly usedAgo?: Millis;
  /** Until its next run, when it runs on a schedule. */
  readonly nextIn?: Millis;
  readonly instances: readonly InstanceSnapshot[];
}

export interface LeaseSnapshot {
  /** Until the ttl ends; absent when there is none. */
  readonly ttl?: Millis;
  /** Until the idle window ends, if nobody uses it; absent when there is none. */
  readonly idle?: Millis;
  /** Somebody took the end away. */
  readonly kept: boolean;
}

export interface LastExit {
  readonly exit: Exit;
  readonly ago: Millis;
  /** Absent when it ended by itself. */
  readonly cause?: StopCause;
  readonly forced?: Forced;
  /** It was ended because it was not ready in time. */
  readonly unready?: true;
}

export interface InstanceSnapshot {
  readonly id: InstanceId;
  readonly phase: PhaseName;
  readonly role: Role;
  readonly generation: number;
  /** The port that it was told; 0 for none. */
  readonly port: number;
  /** The leader; absent when nothing runs. */
  readonly pid?: number;
  /** What the processes of its tree carry: see platform/mark.ts. */
  readonly mark?: string;
  /** Absent where something else shows that it is ready, or nothing runs. */
  readonly listens?: Listens;
  /** How long ago this life began. */
  readonly age?: Millis;
  /** Until it is started again. */
  readonly retryIn?: Millis;
  /** Why it was put down, or is being. */
  readonly cause?: StopCause;
  /** How its last life ended, and how long ago. */
  readonly last?: LastExit;
}

/** What the machine says about the processes of an instance. */
export interface Usage {
  readonly pids: readonly number[];
  /** Resident memory of all of them in bytes; pages that they share count for each. */
  readonly memory: number;
  /** Processor time of all of them that live. */
  readonly cpu: Millis;
  /** TCP ports that they listen on. */
  readonly ports: readonly number[];
}
