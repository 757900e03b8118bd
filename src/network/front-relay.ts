/**
 * Moves bytes from one socket to another at the price of one copy, and holds no buffer for a connection at rest.
 *
 * Every socket of a front reads into the same buffer. That is safe because the bytes are copied on before the
 * read returns to libuv, and it is what makes large reads (few system calls) cost nothing for 10,000 idle
 * connections. The copy goes into a slab; a write that the kernel took whole, which is nearly every one, gives its
 * part of the slab back at once, so a busy front allocates nothing. Bytes that the kernel did not take keep their
 * part until they are written, and their reader is to stop meanwhile: a stalled peer costs at most one read.
 */
import type { Socket } from 'node:net';
import type { Writer, Written } from './front-write.js';

/** More takes less CPU per megabyte, and is what a stalled peer may cost: see bench/front.mjs. */
const readSize = 512 * 1024;

export class Relay {
  /** What sockets read into. */
  readonly buffer = Buffer.allocUnsafeSlow(readSize);
  #slab = Buffer.allocUnsafeSlow(readSize);
  #used = 0;
  readonly #writer: Writer;

  constructor(writer: Writer) {
    this.#writer = writer;
  }

  /**
   * Writes the first bytes of a buffer, which is free again afterwards. False when some of them are not written
   * yet: `written` is called when they are.
   */
  pass(from: Uint8Array, bytes: number, to: Socket, written: Written): boolean {
    if (this.#used + bytes > readSize) {
      this.#slab = Buffer.allocUnsafeSlow(readSize);
      this.#used = 0;
    }
    const start = this.#used;
    const copy = this.#slab.subarray(start, start + bytes);
    copy.set(from.length === bytes ? from : from.subarray(0, bytes));
    this.#used += bytes;
    if (!this.#writer.write(to, copy, written)) return false;
    this.#used = start;
    return true;
  }

  /** Whether a connection that seems to have ended was broken by the other side. */
  isBroken(socket: Socket): boolean {
    return this.#writer.isBroken(socket);
  }

  /** As `Writer.isDeaf`. */
  isDeaf(socket: Socket): boolean {
    return this.#writer.isDeaf(socket);
  }
}
