/**
 * A standard stream as a sink with back-pressure. Bytes leave in the order they came, none is lost while the
 * reader reads, and none is kept once the reader is gone. Ending the program is not its business: whoever
 * ends it awaits `close` first, because a pipe takes in only part of what is written to it.
 */
import { accessSync, constants, readlinkSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { statusOfSignal } from '../exit-status.js';
import type { Millis, Why } from '../model.js';
import type { Clock, Gate, Sink } from '../ports.js';
import type { TerminalWriter } from './terminal-writer.js';

/** Why nothing more can be written. */
export type Closed =
  /** The terminal was closed, or the reader of the pipe went away. */
  { readonly why: 'hung-up' | 'reader-gone' } | { readonly why: 'error'; readonly error: NodeJS.ErrnoException };

export interface Output {
  readonly sink: Sink;
  readonly gate: Gate;
  /**
   * Resolves when everything written was handed to the system, or never can be, or at `deadline`, with how many
   * bytes were lost because nobody read. Nothing is written afterwards.
   */
  close(clock: Clock, deadline: Millis): Promise<number>;
  /** Later writes are dropped and the gate stays open, so that nobody waits for a reader that is gone. */
  onClosed(listener: (closed: Closed) => void): void;
}

/**
 * What may wait in memory for a slow reader. More than the 16 KB that a stream calls full: a gate that
 * closed with every chunk would stop and start the reading of the services for nothing.
 */
const mostWaiting = 256 * 1024;

/** What passes a closed gate, the last words of what has ended and what proclet says itself, is kept up to this. */
const mostKept = 4 * 1024 * 1024;

/** Streams whose reader was not waited for any longer. */
const givenUp = new WeakSet<object>();

/** With a writer for a stream that is a terminal, the terminal itself is left alone. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state, and what changes it
export function createOutput(stream: NodeJS.WriteStream, writer?: TerminalWriter): Output {
  const target: Writable = writer?.stream ?? stream;
  let state: 'open' | 'full' | 'closed' = 'open';
  let closed: Closed | undefined;
  let lost = 0;
  const waiting: (() => void)[] = [];
  const listeners: ((closed: Closed) => void)[] = [];
  let onGone = () => {};

  const admit = () => {
    while (state !== 'full') {
      const go = waiting.shift();
      if (go === undefined) return;
      go();
    }
  };

  const gone = (error?: NodeJS.ErrnoException) => {
    if (closed) return;
    state = 'closed';
    closed = whyClosed(stream, error);
    onGone();
    for (const listener of listeners) listener(closed);
    admit();
  };

  const write = (text: string) => {
    if (state === 'closed') return;
    if (target.writableLength > mostKept) {
      lost += text.length;
      return;
    }
    if (!target.write(text, 'latin1') && target.writableLength > mostWaiting) state = 'full';
  };

  target.on('error', gone);
  target.on('close', () => gone());
  target.on('drain', () => {
    if (state === 'full') state = 'open';
    admit();
  });
  if (writer === undefined) stopFreezing(stream);

  const isWritten = (clock: Clock, deadline: Millis) =>
    new Promise<boolean>((resolve) => {
      const written = () => resolve(true);
      onGone = written;
      clock.wakeAt(deadline, () => resolve(false));
      if (writer) void writer.end().then(written);
      else target.write('', written);
    });

  return {
    sink: {
      write,
      isTTY: stream.isTTY === true,
      get columns() {
        return stream.columns ?? 0;
      },
    },
    gate: {
      get isOpen() {
        return state !== 'full';
      },
      whenOpen(go) {
        if (state === 'full') waiting.push(go);
        else go();
      },
    },
    async close(clock, deadline) {
      const isInTime = state === 'closed' || (await isWritten(clock, deadline));
      state = 'closed';
      if (isInTime) return lost;
      givenUp.add(stream);
      writer?.kill();
      return lost + target.writableLength;
    },
    onClosed(listener) {
      if (closed) listener(closed);
      else listeners.push(listener);
    },
  };
}

/** Resolves when everything written was handed to the system, or nobody reads it any more. */
export function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    // Even nothing is not to be written to a terminal that another job has in front. An error is told a moment later.
    if (stream.destroyed || stream.writableLength === 0 || givenUp.has(stream)) return void setImmediate(resolve);
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}

/** A terminal that was hung up gives EIO, and its writer ends of it; elsewhere that is a broken disk. */
export function whyClosed(stream: NodeJS.WriteStream, error: NodeJS.ErrnoException | undefined): Closed {
  if (stream.isTTY === true) return { why: 'hung-up' };
  if (error === undefined || goneCodes.has(error.code)) return { why: 'reader-gone' };
  return { why: 'error', error };
}

/** As a program ends that writes into a pipe that nobody reads, or whose terminal is closed. */
export function statusOfClosed({ why }: Closed): number {
  return why === 'error' ? 1 : statusOfSignal(why === 'hung-up' ? 'SIGHUP' : 'SIGPIPE');
}

export function whyOfClosed({ why }: Closed): Why {
  return { is: why === 'error' ? 'unwritable' : why === 'hung-up' ? 'hangup' : 'unread' };
}

const goneCodes: ReadonlySet<string | undefined> = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED']);

/**
 * Node writes to a terminal with blocking calls, so Ctrl-S would stop the deadlines too. Only where Node
 * could open the terminal anew: otherwise the shell shares what would be changed.
 */
function stopFreezing(stream: NodeJS.WriteStream): void {
  if (stream.isTTY !== true || process.platform !== 'linux') return;
  const { fd, _handle: handle } = stream as { fd?: number; _handle?: { setBlocking?: unknown } };
  if (typeof handle?.setBlocking !== 'function') return;
  try {
    accessSync(readlinkSync(`/proc/self/fd/${fd}`), constants.R_OK | constants.W_OK);
  } catch {
    return; // No /proc, or the terminal belongs to another user, as after su.
  }
  handle.setBlocking(false);
}
