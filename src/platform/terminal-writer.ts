/**
 * Writes to a terminal without ever touching it: a process in a session of its own does, for which there is no job
 * control and which nobody's signals to a group or tree concern. A terminal that was stopped with Ctrl-S, or that sends
 * SIGTTOU to what writes from the background, is then a pipe that takes nothing, or something, like any other.
 */
import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { toolEnv } from '../tools.js';

export interface TerminalWriter {
  readonly stream: Writable;
  /** Resolves when everything was written, or cannot be. Nothing can be written afterwards. */
  end(): Promise<void>;
  /** Ends the process with what it has not written yet. */
  kill(): void;
}

const script = "trap '' HUP INT QUIT TERM USR1 USR2 TSTP TTIN TTOU; exec cat";

/** For a stream that is a terminal; undefined for any other, and where the process cannot be started. */
export function writerFor(stream: NodeJS.WriteStream & { readonly fd?: number }): TerminalWriter | undefined {
  if (stream.isTTY !== true || stream.fd === undefined) return undefined;
  const child = spawn('/bin/sh', ['-c', script], {
    cwd: '/',
    env: toolEnv(),
    detached: true,
    stdio: ['pipe', stream.fd, 'ignore'],
  });
  child.on('error', () => {}); // it has no pid then
  const { stdin } = child;
  if (child.pid === undefined || stdin === null) return undefined;
  child.unref();
  const exited = new Promise<void>((resolve) => void child.once('exit', () => resolve()));
  return {
    stream: stdin,
    async end() {
      child.ref();
      stdin.end();
      await exited;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
