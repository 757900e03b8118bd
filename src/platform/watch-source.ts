/** What tells of files that changed: the kernel (`watch-tree.ts`), or one who looks again and again (`watch-poll.ts`). */
import type { Clock } from '../ports.js';

export interface SourceOptions {
  readonly clock: Clock;
  /** Absolute, directories to begin at. Paths are told as they are reached from there, through links as well. */
  readonly tops: readonly string[];
  /** Wall time: what changed since then, before it was looked at, is told. */
  readonly since: number;
  /** Whether there may be something of interest in a directory, and whether a file is of interest. */
  readonly enters: (directory: string) => boolean;
  readonly matches: (path: string) => boolean;
  /** Something is another than it was, or gone; `real` is where it lies. */
  readonly saw: (path: string, real: string) => void;
  readonly troubled: (error: unknown) => void;
  /** A file is there, told while everything is read for the first time. */
  readonly met: (path: string) => void;
}

export interface Source {
  /** Resolves when everything was told that happened before the call, or after a second. */
  caughtUp(): Promise<void>;
  close(): void;
}
