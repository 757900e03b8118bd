/**
 * A second descriptor of a socket that listens: what comes to it waits while the first one, from which this process
 * accepts, is closed. Node has no dup(2), but a process that is sent a socket has one of its own, and may send it back.
 */
import { spawn } from 'node:child_process';
import { linkSync, renameSync, rmSync } from 'node:fs';
import type { Address, Millis } from '../model.js';

/** A handle of Node. */
export interface SharedSocket {
  readonly fd: number;
  setBlocking?(on: boolean): number;
  close(): void;
}

const script = "process.once('message', (m, handle) => process.send(m, handle, () => process.disconnect()))";

/** A helper that has not answered by then will not. */
const within: Millis = 10_000;

/** Rejects where no process can be had. */
export function shareSocket(handle: object): Promise<SharedSocket> {
  const helper = spawn(process.execPath, ['-e', script], {
    ...{ stdio: ['ignore', 'ignore', 'ignore', 'ipc'], env: {}, timeout: within, killSignal: 'SIGKILL' },
  });
  return new Promise((resolve, reject) => {
    helper.once('message', (_, shared) => resolve(shared as unknown as SharedSocket));
    helper.once('error', reject);
    helper.once('exit', () =>
      reject(new Error('its socket cannot be shared: the process that was to do it has ended')),
    );
    // Node sends its own handles as they are, which its types do not say.
    helper.send({}, handle as never, (error) => void (error && reject(error)));
  });
}

/** Closes a socket that is held elsewhere. libuv removes a name that it has made, so it is given back in the same turn. */
export function closeShared(address: Address, close: () => void): void {
  if (!('path' in address)) {
    close();
    return;
  }
  const spare = `${address.path}.${process.pid}`;
  linkSync(address.path, spare);
  close();
  renameSync(spare, address.path);
  // Where libuv had not made the name, both are still there: then rename(2) does nothing.
  rmSync(spare, { force: true });
}
