/**
 * Pipes for the streams of services. Node's own are sockets, which no program can open by name: `echo >/dev/stderr` and
 * nginx's `error_log /dev/stderr` would fail. Made as named pipes by mkfifo(1), a few at once, and nameless before anyone
 * else gets to see them.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';

import { toolEnv } from '../tools.js';
import { draftSuffix } from './maker.js';
import { draftDirectory } from './runtime-dir.js';

/** Both ends, as descriptors. Neither blocks the program that opened them; the child's end is made to when it is inherited. */
export interface PipeEnds {
  readonly read: number;
  readonly write: number;
}

export interface Pipes {
  /** A pipe of one's own, or undefined where there is no mkfifo. */
  take(): PipeEnds | undefined;
  /** Closes what nobody took. */
  close(): void;
}

const batch = 8;
const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;

/** Made before anybody asked, by a process that waits for its start. */
const ahead: PipeEnds[] = [];

export function makePipesAhead(): void {
  const pipes = createPipes(batch);
  for (let n = 0; n < batch; n += 1) ahead.push(...[pipes.take()].flatMap((ends) => ends ?? []));
}

/** `first`: how many will be taken soon. */
export function createPipes(first: number): Pipes {
  const ready = ahead.splice(0);
  let due = Math.max(first, batch);
  let isAble = true;

  function make(): void {
    const directory = mkdtempSync(join(draftDirectory(), `proclet-pipes${draftSuffix()}.`));
    try {
      const paths = Array.from({ length: due }, (_, n) => join(directory, String(n)));
      // Whoever a service runs as may open its own output again.
      isAble = spawnSync('mkfifo', ['-m', '622', ...paths], { stdio: 'ignore', env: toolEnv() }).status === 0;
      if (!isAble) return;
      for (const path of paths) {
        const read = openSync(path, O_RDONLY | O_NONBLOCK);
        ready.push({ read, write: openSync(path, O_WRONLY | O_NONBLOCK) });
      }
      due = batch;
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  return {
    take() {
      if (ready.length === 0 && isAble) make();
      return ready.pop();
    },
    close() {
      for (const { read, write } of ready.splice(0)) {
        closeSync(read);
        closeSync(write);
      }
    },
  };
}

/** Our end of a pipe as a stream; it closes the descriptor. */
export function streamOf(fd: number, direction: 'read' | 'write'): net.Socket {
  return new net.Socket({ fd, readable: direction === 'read', writable: direction === 'write' });
}
