/**
 * What goes over a run's socket: JSON lines, version 1. docs/control-protocol.md says it for people. A client sends
 * requests, each a line; the server answers each with one last line, before which there may be lines with items.
 */
import type { ErrorCode, ErrorReason } from '../errors.js';
import type {
  Forced,
  InstanceId,
  InstanceSnapshot,
  Millis,
  Role,
  ServiceSnapshot,
  Snapshot,
  StopCause,
  StopPolicy,
  Usage,
} from '../model.js';

export const protocolVersion = 1;

/** The longest line that a server reads, in characters. */
export const longestRequest = 64 * 1024;

/** The longest line that a client reads. */
export const longestReply = 16 * 1024 * 1024;

/** Who it is that answers. */
export interface RunInfo {
  readonly protocol: typeof protocolVersion;
  readonly version: string;
  readonly run: string;
  readonly pid: number;
  readonly name: string;
  readonly root: string;
  readonly command: 'start' | 'run';
  /** The path of the socket. */
  readonly socket: string;
  /** Wall time in milliseconds since 1970. */
  readonly since: number;
}

/** The answer to `ps`: how the run stands, with what the machine says of its processes if that was asked for. */
export interface Status extends RunInfo, Snapshot {
  readonly services: readonly (Omit<ServiceSnapshot, 'instances'> & {
    readonly instances: readonly (InstanceSnapshot & { readonly usage?: Usage })[];
  })[];
}

/** The answer to `wait`. */
export interface Waited {
  readonly ids: readonly InstanceId[];
  /** Of those the ones that are up and listen nowhere, although they were given a port; older runs do not say. */
  readonly silent?: readonly InstanceId[];
}

/** How an instance that was stopped ended. */
export interface Ended {
  readonly id: InstanceId;
  readonly role: Role;
  readonly how: string;
  readonly processes: number;
  readonly took: Millis;
  readonly cause?: StopCause;
  /** SIGKILL was needed: the grace after `signal` was over, or somebody asked for the end once more. */
  readonly forced?: Forced;
  readonly signal: NodeJS.Signals;
  readonly survivors: readonly number[];
}

/** What became of a slot whose service was asked for a new generation. */
export interface Reloaded {
  readonly id: InstanceId;
  /** `kept`: the new one failed, or was not tried because another one had failed, and the old one goes on. */
  readonly is: 'handed-over' | 'restarted' | 'kept' | 'failed' | 'stopped';
  /** The one that serves, or is tried again. */
  readonly generation?: number;
  /** It is up and listens nowhere, although it was given a port. */
  readonly silent?: true;
  /** The one from which it took over. */
  readonly from?: number;
  /** The one that failed while the old one goes on. */
  readonly failed?: number;
  /** How the one that failed ended, in words that follow its name. */
  readonly how?: string;
  /** What that one printed last. */
  readonly lastWords?: readonly string[];
}

/** Which process would get which signal. */
export interface WouldEnd {
  readonly id: InstanceId;
  readonly signal: NodeJS.Signals;
  /** Whether the first of the processes gets the signal before the others do. */
  readonly to: StopPolicy;
  readonly grace: Millis | null;
  readonly processes: readonly { readonly pid: number; readonly command: string }[];
}

export type RequestId = string | number | null;

/** What a server sends. */
export type Reply =
  | { readonly id: RequestId; readonly event: Readonly<Record<string, unknown>> }
  /** What of the texts that follow is a secret of the services. */
  | { readonly id: RequestId; readonly secrets: readonly string[] }
  /** Events that were left out because they were not read in time. */
  | { readonly id: RequestId; readonly skipped: number }
  /** Bytes of a terminal, in base64. */
  | { readonly id: RequestId; readonly data: string }
  | { readonly id: RequestId; readonly ok: true; readonly result: unknown }
  | { readonly id: RequestId; readonly ok: false; readonly error: WireError };

export interface WireError {
  readonly code: ErrorCode | 'PROTOCOL' | 'BUSY';
  readonly message: string;
  readonly hint?: string;
  readonly reason?: ErrorReason;
}
