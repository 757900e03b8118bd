/**
 * Pipes for the streams of services. Node's own are sockets, which no program can open by name: `echo >/dev/stderr` and
 * nginx's `error_log /dev/stderr` would fail. Made as named pipes by mkfifo(1), a few at once, and nameless before anyone
 * else gets to see them.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
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
  /** So many pipes of one's own, or undefined where they cannot be made: without mkfifo, without room for them. */
  take(count: number): readonly PipeEnds[] | undefined;
  /** Closes what nobody took, and removes what could not be removed before. */
  close(): void;
}

const batch = 8;
/** What one service takes. */
const fewest = 3;
const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;

/** Made before anybody asked, by a process that waits for its start. */
const ahead: PipeEnds[] = [];

export function makePipesAhead(): void {
  const pipes = createPipes(batch);
  ahead.push(...(pipes.take(batch) ?? []));
}

/** `first`: how many will be taken soon. */
export function createPipes(first: number): Pipes {
  const ready = ahead.splice(0);
  let due = Math.max(first, batch);
  let most = Infinity;
  let hasMkfifo = true;
  const left = new Set<string>();

  function make(): void {
    const paths: string[] = [];
    let directory: string | undefined;
    try {
      directory = mkdtempSync(join(draftDirectory(), `proclet-pipes${draftSuffix()}.`));
      for (let n = 0; n < Math.min(due, most); n += 1) paths.push(join(directory, String(n)));
      // Whoever a service runs as may open its own output again.
      const { status, error } = spawnSync('mkfifo', ['-m', '622', ...paths], { stdio: 'ignore', env: toolEnv() });
      if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') hasMkfifo = false;
      if (status === 0) for (const path of paths) ready.push(openBoth(path));
      due = batch;
    } catch {
      // EMFILE: the descriptors that are left are for the services, so no more are taken than the next one needs.
      most = fewest;
      for (const ends of ready.splice(ready.length < fewest ? 0 : fewest)) shut(ends);
    } finally {
      if (directory !== undefined && !isRemoved(directory, paths)) left.add(directory);
    }
  }

  return {
    take(count) {
      if (ready.length < count && hasMkfifo) make();
      return ready.length < count ? undefined : ready.splice(0, count);
    },
    close() {
      for (const ends of ready.splice(0)) shut(ends);
      for (const directory of left) rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Both ends or none. */
function openBoth(path: string): PipeEnds {
  const read = openSync(path, O_RDONLY | O_NONBLOCK);
  try {
    return { read, write: openSync(path, O_WRONLY | O_NONBLOCK) };
  } catch (error) {
    closeSync(read);
    throw error;
  }
}

function shut({ read, write }: PipeEnds): void {
  closeSync(read);
  closeSync(write);
}

/** Takes no descriptor: there may be none left. */
function isRemoved(directory: string, paths: readonly string[]): boolean {
  for (const path of paths) {
    try {
      unlinkSync(path);
    } catch {
      // ENOENT: it was not made. Whatever else: then the directory cannot be removed either.
    }
  }
  try {
    rmdirSync(directory);
    return true;
  } catch {
    return false;
  }
}

/** Our end of a pipe as a stream; it closes the descriptor. */
export function streamOf(fd: number, direction: 'read' | 'write'): net.Socket {
  return new net.Socket({ fd, readable: direction === 'read', writable: direction === 'write' });
}
