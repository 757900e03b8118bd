/** What is known of a launch from outside. Types only. */
import type { Tag } from '../model.js';
import type { LaunchLine } from './lines.js';

/** What becomes of a launch. The port answers on this host. */
export type LaunchState =
  | { readonly is: 'booting' }
  | { readonly is: 'ready'; readonly host: string; readonly port: number }
  /** It is up, and there is nothing to go to: it listens on none of these ports, or on more than one that it was not told. */
  | { readonly is: 'running'; readonly ports: readonly number[] }
  | { readonly is: 'failed'; readonly reason: string };

export interface Launch {
  readonly id: number;
  readonly project: string;
  readonly tag: Tag;
  readonly state: LaunchState;
  /** The last ones that the service, and those it is after, printed since the launch began. */
  readonly lines: readonly LaunchLine[];
  /** How many there have been. */
  readonly printed: number;
  /** Called for each line, and for the end of it with nothing. */
  subscribe(told: (line?: LaunchLine) => void): () => void;
  /** Resolves when it is not booting any more. */
  readonly finished: Promise<LaunchState>;
}

export interface Arrived {
  readonly run: string;
  /** The processes that had been started as the service by then. */
  readonly pids: readonly number[];
  readonly host: string;
  readonly port: number;
}

/** Of runs that have ended, since a wall time: what a service printed, and the last that was said of its end. */
export type Past = (
  root: string,
  tag: Tag,
  since: number,
) => { readonly lines: readonly LaunchLine[]; readonly end?: string };
