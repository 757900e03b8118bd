/**
 * Listens on a public address and hands over each connection before anything of it is read.
 *
 * Node lets a program choose what a socket reads into (`onread`) for the connections it makes, not for those it
 * accepts; reading into fresh buffers costs the front half its speed. So the handle of an accepted connection is
 * taken from the server's own handle, and the socket is made here, as `net.Server` does it, with `onread`. Both are
 * internals of Node (`_handle.onconnection`, the option `handle`) and used in this file alone; where they are not
 * found, the sockets of the server are used and read by their events, which is slower and otherwise the same.
 */
import net, { type Server, type Socket } from 'node:net';
import type { Address } from '../model.js';
import { bindFor, type Ids, makeWay } from './socket-file.js';

/** A connection that has come and belongs to nobody yet. */
export interface Arrival {
  /** The socket, not reading before `resume()`. `onread` as in `net.connect`: false stops reading until `resume()`. */
  open(onread: net.OnReadOpts): Socket;
  drop(): void;
}

/** With internals of Node, or only with what it documents. */
export type Means = 'fast' | 'documented';

export type Arrived = (arrival: Arrival) => void;

interface ConnectionHandle {
  setNoDelay?(on: boolean): void;
  close(): void;
}

interface Handled {
  readonly _handle?: { onconnection?: (error: number, handle: ConnectionHandle) => void } | null;
}

/** Waiting in the kernel to be accepted; it takes the least of this and net.core.somaxconn. */
const backlog = 4096;

/** Takes over a socket that listens already (`Listener.handle`). */
export function listenOn(handle: object, means: Means, arrived: Arrived): Promise<Server> {
  // It blocks, for those who inherit it; here everything waits in one loop.
  (handle as { setBlocking?: (on: boolean) => number }).setBlocking?.(false);
  return begin(means, arrived, (server) => server.listen(handle));
}

/** `ids`: whose a Unix socket is to be. */
export async function listen(address: Address, means: Means, arrived: Arrived, ids?: Ids): Promise<Server> {
  if (!('path' in address)) return begin(means, arrived, (server) => server.listen({ ...address, backlog }));
  await makeWay(address);
  const { path } = address;
  return begin(means, arrived, (server) => bindFor(address, ids, () => server.listen({ path, backlog })));
}

function begin(means: Means, arrived: Arrived, bind: (server: Server) => void): Promise<Server> {
  const server = net.createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      server.on('error', ignoreAcceptError);
      takeConnections(server, means, arrived);
      resolve(server);
    });
    bind(server);
  });
}

function takeConnections(server: Server, means: Means, arrived: Arrived): void {
  const handle = (server as unknown as Handled)._handle;
  if (means === 'documented' || typeof handle?.onconnection !== 'function' || !socketsTakeHandles()) {
    server.on('connection', (socket) => arrived(readByEvents(socket)));
    return;
  }
  handle.onconnection = (error, accepted) => {
    if (error !== 0 && error !== undefined) return; // EMFILE: libuv has closed the connection
    arrived({
      open(onread) {
        accepted.setNoDelay?.(true); // pipes have none
        return new net.Socket(socketOptions(accepted, onread));
      },
      drop: () => accepted.close(),
    });
  };
}

function socketOptions(handle: object, onread: net.OnReadOpts): net.SocketConstructorOpts {
  // Of these, the types know the last three.
  const options = { handle, pauseOnCreate: true, onread, allowHalfOpen: true, readable: true, writable: true };
  return options;
}

/** Asks with a handle that only records what is done to it whether it is used, and `onread` with it. */
function socketsTakeHandles(): boolean {
  const buffer = Buffer.alloc(1);
  let given: unknown;
  const probe = {
    useUserBuffer: (own: unknown) => {
      given = own;
    },
    readStop: () => 0,
    getAsyncId: () => 1,
    close: () => {},
  };
  try {
    new net.Socket(socketOptions(probe, { buffer, callback: () => true }));
    return given === buffer;
  } catch {
    return false; // whatever this Node does with handles, it is not what is expected
  }
}

function readByEvents(socket: Socket): Arrival {
  return {
    open({ callback }) {
      socket.on('data', (chunk: Buffer) => {
        if (!callback(chunk.length, chunk)) socket.pause();
      });
      return socket.pause();
    },
    drop: () => void socket.on('error', () => {}).destroy(),
  };
}

function ignoreAcceptError(): void {
  // EMFILE: the connection is closed, the next may fare better
}
