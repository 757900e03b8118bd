/**
 * Standard output as a sink with back-pressure. Bytes leave in the order they came, none is lost while the
 * reader lives, and none is kept once the reader is gone. Ending the program is not its business: whoever
 * ends it awaits `flush` first, because a pipe takes in only part of what is written to it.
 */
import { accessSync, constants, readlinkSync } from 'node:fs';
import type { Gate, Sink } from '../ports.js';

/** Called once, when nothing more can be written. The error is absent when the reader went away. */
type ClosedListener = (error?: NodeJS.ErrnoException) => void;

export interface Output {
  readonly sink: Sink;
  readonly gate: Gate;
  /** Resolves when everything written was handed to the system, or never can be. */
  flush(): Promise<void>;
  /** Later writes are dropped and the gate stays open, so that nobody waits for a reader that is gone. */
  onClosed(listener: ClosedListener): void;
}

/**
 * What may wait in memory for a slow reader. More than the 16 KB that a stream calls full: a gate that
 * closed with every chunk would stop and start the reading of the services for nothing.
 */
const mostWaiting = 256 * 1024;

export function createOutput(stream: NodeJS.WriteStream): Output {
  let state: 'open' | 'full' | 'closed' = 'open';
  let failure: NodeJS.ErrnoException | undefined;
  const waiting: (() => void)[] = [];
  const listeners: ClosedListener[] = [];
  const flushes = new Set<() => void>();

  const admit = () => {
    while (state !== 'full') {
      const go = waiting.shift();
      if (go === undefined) return;
      go();
    }
  };

  const close = (error?: NodeJS.ErrnoException) => {
    if (state === 'closed') return;
    state = 'closed';
    failure = error !== undefined && isReaderGone(error) ? undefined : error;
    for (const resolve of flushes) resolve();
    for (const listener of listeners) listener(failure);
    admit();
  };

  const write = (text: string) => {
    if (state === 'closed') return;
    if (!stream.write(text, 'latin1') && stream.writableLength > mostWaiting) state = 'full';
  };

  stream.on('error', close);
  stream.on('close', () => close());
  stream.on('drain', () => {
    if (state === 'full') state = 'open';
    admit();
  });
  stopFreezing(stream);

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
    flush: () =>
      new Promise((resolve) => {
        if (state === 'closed') return resolve();
        flushes.add(resolve);
        stream.write('', () => {
          flushes.delete(resolve);
          resolve();
        });
      }),
    onClosed(listener) {
      if (state === 'closed') listener(failure);
      else listeners.push(listener);
    },
  };
}

function isReaderGone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_DESTROYED';
}

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
