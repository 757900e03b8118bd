/**
 * The vocabulary's part about what happens in a run. Types only. Everybody
 * imports it through model.ts.
 */
import type {
  Bytes,
  Exit,
  Forced,
  InstanceId,
  Listens,
  Millis,
  Remains,
  Role,
  StopCause,
  Survivor,
  Tag,
  Why,
} from './model.js';

/** What follows the end of a life. */
export type Next =
  | { readonly is: 'restart'; readonly delay: Millis; readonly failures: number }
  | { readonly is: 'done' }
  /** `awaitsChange`: a change of a watched file will start it again. */
  | { readonly is: 'failed'; readonly failures: number; readonly awaitsChange?: true }
  | { readonly is: 'down' };

/**
 * A stretch of a service's output that starts where a line starts.
 * `text` holds whole lines (`end: 'line'`), or one unfinished line: `open` is a prompt that may go on and
 * will then be repeated from its start; `cut` is a piece of a line too long to keep, which will go on
 * with `continued: true`. `shown` is how many bytes of `text` an earlier `open` already carried.
 */
export interface Output {
  readonly id: InstanceId;
  readonly stream: 'stdout' | 'stderr';
  readonly text: Bytes;
  readonly shown: number;
  readonly continued: boolean;
  readonly end: 'line' | 'open' | 'cut';
}

/** What happened. `at` is wall time in milliseconds since 1970. */
export type ProcletEvent = { readonly at: number } & Happening;

export type Happening =
  | {
      readonly type: 'spawned';
      readonly id: InstanceId;
      readonly pid: number;
      readonly port: number;
      /** Counts the lives of the instance, from 1. */
      readonly generation: number;
      /** Whether it is to take over from one that serves. */
      readonly coming: boolean;
    }
  /** `probed`: it showed that it is ready; otherwise it just lived long enough. */
  | {
      readonly type: 'up';
      readonly id: InstanceId;
      readonly generation: number;
      readonly after: Millis;
      readonly probed: boolean;
    }
  /** It is known where a life listens that was given a port; `ports` are those of its processes. */
  | {
      readonly type: 'listening';
      readonly id: InstanceId;
      readonly generation: number;
      readonly listens: Exclude<Listens, 'pending'>;
      readonly ports: readonly number[];
      readonly after: Millis;
    }
  /** `generation`: the life that printed it; absent where another program tells of it. */
  | ({ readonly type: 'output'; readonly generation?: number } & Output)
  | {
      readonly type: 'stopping';
      readonly id: InstanceId;
      readonly generation: number;
      readonly cause: StopCause;
      readonly signal: NodeJS.Signals;
      readonly grace: Millis;
    }
  /** The program ended by itself and left processes behind, which are being ended. */
  | { readonly type: 'orphaned'; readonly id: InstanceId; readonly exit: Exit; readonly processes: number }
  /** The grace is over and SIGKILL was sent. */
  | { readonly type: 'killed'; readonly id: InstanceId; readonly signal: NodeJS.Signals; readonly after: Millis }
  /** A life is over: the tree is empty, or what would not go is named in `survivors`. */
  | {
      readonly type: 'exited';
      readonly id: InstanceId;
      readonly generation: number;
      readonly role: Role;
      readonly exit: Exit;
      /** It has ended by itself, and its status, which is not 0, is one that counts as success. */
      readonly expected?: true;
      readonly ran: Millis;
      /** proclet ended it, because it was not ready in this time. */
      readonly unready?: true;
      /** Absent when the program ended by itself. */
      readonly cause?: StopCause;
      /** How long the stop took, when there was one. */
      readonly took?: Millis;
      /** Absent when it ended without SIGKILL of ours. */
      readonly forced?: Forced;
      readonly signal: NodeJS.Signals;
      readonly processes: number;
      readonly survivors: readonly Survivor[];
      readonly nested?: Remains['nested'];
      readonly port?: Remains['port'];
      readonly next: Next;
    }
  /** It was not ready in time, and is being ended to be started again. */
  | {
      readonly type: 'unready';
      readonly id: InstanceId;
      readonly generation: number;
      /** It was to take over from one that serves. */
      readonly coming?: true;
      readonly after: Millis;
      readonly waiting: readonly Tag[];
    }
  /** A service waits for others before it starts. */
  | { readonly type: 'waiting'; readonly tag: Tag; readonly for: readonly Tag[] }
  /** What a service waits for will not come. */
  | { readonly type: 'stranded'; readonly tag: Tag; readonly for: Tag }
  /** Watched files changed: the first of them, and how many. */
  | { readonly type: 'changed'; readonly tag: Tag; readonly path: string; readonly files: number }
  /** A new generation took over. */
  | { readonly type: 'handed-over'; readonly id: InstanceId; readonly generation: number; readonly from: number }
  /** A new generation failed; the old one goes on. */
  | { readonly type: 'kept'; readonly id: InstanceId; readonly generation: number; readonly failed: number }
  /** The configuration was read again. */
  | {
      readonly type: 'reconfigured';
      readonly added: readonly Tag[];
      readonly removed: readonly Tag[];
      readonly changed: readonly Tag[];
      /** Of those that changed, the ones that have another number of instances and are otherwise as before. */
      readonly scaled: readonly { readonly tag: Tag; readonly instances: number }[];
    }
  /** It runs at its times from now on, and so soon for the first time. */
  | { readonly type: 'scheduled'; readonly tag: Tag; readonly every: string; readonly in: Millis }
  /** Its time came while it ran, so that it was left out. */
  | { readonly type: 'skipped'; readonly tag: Tag }
  /** An access wakes a service. */
  | { readonly type: 'woken'; readonly tag: Tag }
  | { readonly type: 'expiring'; readonly tag: Tag; readonly reason: 'ttl' | 'idle'; readonly in: Millis }
  /** `code`: which part of proclet says it, where somebody decides by that. */
  | { readonly type: 'notice'; readonly text: string; readonly code?: 'on-event' }
  /** The end of the run begins, because somebody or something asked for it. `ids`: what is stopped. */
  | { readonly type: 'ending'; readonly why: Why; readonly ids: readonly InstanceId[] }
  /** The run is over. */
  | { readonly type: 'stopped'; readonly status: number };
