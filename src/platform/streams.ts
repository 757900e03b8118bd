/** The streams of a service: what it is given, and our ends of it. */
import type { Readable, Writable } from 'node:stream';
import { type Pipes, streamOf } from './pipes.js';

/** Of stdin, stdout and stderr. */
export type Ends = readonly [Writable | null, Readable | null, Readable | null];

export interface Streams {
  readonly given: readonly (number | 'pipe' | 'inherit')[];
  /** Made before the child, so that there is none that cannot be heard; undefined where Node makes them with it. */
  readonly ours: Ends | undefined;
}

export const shared: Streams = { given: ['inherit', 'inherit', 'inherit'], ours: [null, null, null] };

/** Real pipes, or Node's where none can be made. Nothing comes on stdin unless it is sent, and no end while we live. */
export function pipesFor(pipes: Pipes): Streams {
  const [stdin, stdout, stderr] = pipes.take(3) ?? [];
  if (!stdin || !stdout || !stderr) {
    return { given: ['pipe', 'pipe', 'pipe'], ours: undefined };
  }
  return {
    given: [stdin.read, stdout.write, stderr.write],
    ours: [streamOf(stdin.write, 'write'), streamOf(stdout.read, 'read'), streamOf(stderr.read, 'read')],
  };
}

/**
 * The pipes of a life, as long as we hold our ends of them. A key is given again once nobody holds the pipe, and would then
 * take another's process for a member: a proclet that starts something at this moment.
 */
export function heldKeys({
  streams,
  pipes,
}: {
  readonly streams: Ends;
  readonly pipes: readonly string[];
}): Set<string> {
  const keys = new Set(pipes);
  for (const [n, key] of pipes.entries()) {
    for (const event of ['end', 'finish', 'error', 'close']) streams[n]?.once(event, () => keys.delete(key));
  }
  return keys;
}
