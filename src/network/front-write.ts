/**
 * Writes bytes to a socket and tells at once whether the kernel took them all.
 *
 * A small message through `socket.write` costs about as much in streams, request objects and ticks as in the kernel,
 * and a front writes each message once more. So here bytes go to the socket's handle, as `net` itself passes them on,
 * and one request object serves all writes that are done when they return, which nearly all are. The class of that
 * object is learnt from the first write. A stream that is ended still waits for such bytes: libuv does.
 *
 * All of this is internal to Node, used in this file alone, and only with the versions it was tried with: whether a
 * request is in use is asked of the request, for using it twice would abort the process. Otherwise bytes go through
 * `socket.write`.
 */
import type { Socket } from 'node:net';

/** Called when bytes that were left are written, with an error if they never will be. */
export type Written = (error?: Error | null) => void;

/** Major versions of Node. */
const triedWith: readonly string[] = ['20', '22', '24'];

/** What a request answers that is not in use. */
const unused = -1;

interface Request {
  getAsyncId?(): number;
  oncomplete?: (status: number) => void;
  /** Kept alive while the kernel has not taken it. */
  buffer?: Uint8Array;
}

interface Handle {
  writeBuffer?(request: Request, bytes: Uint8Array): number;
  /** Bytes that libuv has left to write. */
  readonly writeQueueSize?: number;
  /** Of TCP only. */
  setNoDelay?(on: boolean): void;
}

const nothing = new Uint8Array(0);

type Handled = { readonly _handle?: Handle | null };

export class Writer {
  readonly #mayLearn: boolean;
  #Request: (new () => Request) | undefined;
  #spare: Request | undefined;

  /** With another version of Node than those it was tried with, it uses `socket.write` alone. */
  constructor(node: string) {
    this.#mayLearn = triedWith.includes(node.split('.')[0] ?? '');
  }

  /** Whether all is written. If not, `written` is called when it is, not before this returns. */
  write(to: Socket, bytes: Uint8Array, written: Written): boolean {
    const handle = (to as unknown as Handled)._handle;
    const request = this.#spare;
    if (typeof handle?.writeBuffer !== 'function') return writeToStream(to, bytes, written);
    if (request === undefined) {
      if (this.#mayLearn && this.#Request === undefined) this.#learn(handle, handle.writeBuffer);
      return writeToStream(to, bytes, written);
    }
    // What the stream has queued goes first, and a stream that has ended knows its errors.
    if (to.writableLength > 0 || to.writableEnded || to.connecting) return writeToStream(to, bytes, written);
    const error = handle.writeBuffer(request, bytes);
    if (error === 0 && !isInUse(request)) return true;
    this.#spare = this.#Request && new this.#Request();
    request.buffer = bytes;
    request.oncomplete = (status) => {
      const failure = status < 0 ? failureOf(status) : null;
      if (failure !== null) to.destroy(failure);
      written(failure);
    };
    if (error !== 0) to.destroy(failureOf(error));
    return false;
  }

  /**
   * Whether the other side has broken a connection that seems to have ended. libuv tells of an end when a reset comes
   * right after bytes that were not read yet; writing nothing at all tells them apart, for the kernel answers with
   * the error of the connection. Not so for a unix socket, where an orderly end of both sides is an error too.
   */
  isBroken(socket: Socket): boolean {
    return (socket as unknown as Handled)._handle?.setNoDelay !== undefined && this.isDeaf(socket);
  }

  /**
   * Whether nothing can be written any more: the other side has broken the connection, or closed a unix socket. Where
   * only the stream can be asked, the answer is no, and the stream fails in a moment.
   */
  isDeaf(socket: Socket): boolean {
    const handle = (socket as unknown as Handled)._handle;
    if (typeof handle?.writeBuffer !== 'function' || handle.writeQueueSize !== 0) return false;
    if (socket.writableLength > 0 || socket.writableEnded || socket.connecting) return false;
    const request = this.#spare;
    if (request === undefined) {
      if (this.#mayLearn && this.#Request === undefined) this.#learn(handle, handle.writeBuffer);
      socket.write(nothing);
      return false;
    }
    const error = handle.writeBuffer(request, nothing);
    if (isInUse(request)) this.#spare = this.#Request && new this.#Request();
    return error !== 0;
  }

  /** Looks at the request that `net` makes for the next write to this handle. */
  #learn(handle: Handle, writeBuffer: NonNullable<Handle['writeBuffer']>): void {
    if (typeof handle.writeQueueSize !== 'number' || Object.hasOwn(handle, 'writeBuffer')) return;
    handle.writeBuffer = (request, bytes) => {
      delete handle.writeBuffer; // it hid the one that all handles share
      if (request.constructor !== Object) this.#adopt(request.constructor as new () => Request);
      return writeBuffer.call(handle, request, bytes);
    };
  }

  #adopt(Request: new () => Request): void {
    const request = new Request();
    if (isInUse(request)) return;
    this.#Request = Request;
    this.#spare = request;
  }
}

/** EPIPE or ECONNRESET, mostly: the other side is gone. */
function failureOf(status: number): Error {
  return new Error(`write failed (${status})`);
}

/** Asked of the request, not of the queue: libuv may write all that is left while it queues the request. */
function isInUse(request: Request): boolean {
  return request.getAsyncId?.() !== unused;
}

function writeToStream(to: Socket, bytes: Uint8Array, written: Written): boolean {
  let isLeft = false;
  to.write(bytes, (error) => {
    if (isLeft) written(error);
  });
  isLeft = to.writableLength > 0;
  return !isLeft;
}
