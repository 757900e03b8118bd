import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Relay } from '../../../src/network/front-relay.js';
import { Writer } from '../../../src/network/front-write.js';

/** Takes what is written as a socket does whose kernel buffer has room, or has none. */
class FakeSocket {
  hasRoom = true;
  writableLength = 0;
  readonly chunks: Uint8Array[] = [];
  readonly #left: (() => void)[] = [];

  write(chunk: Uint8Array, written: () => void): void {
    this.chunks.push(chunk);
    if (!this.hasRoom) {
      this.writableLength += chunk.length;
      this.#left.push(written);
    }
  }

  drain(): void {
    this.writableLength = 0;
    for (const written of this.#left.splice(0)) written();
  }
}

function stage() {
  const relay = new Relay(new Writer('none'));
  const pass = (to: FakeSocket, text: string, written = () => {}) => {
    const bytes = relay.buffer.write(text, 'latin1');
    return relay.pass(relay.buffer, bytes, to as unknown as Socket, written);
  };
  const heard = (socket: FakeSocket) => Buffer.concat(socket.chunks).toString('latin1');
  return { relay, pass, heard };
}

test('bytes that could not be written stay as they are while others pass', () => {
  const { pass, heard } = stage();
  const stalled = new FakeSocket();
  stalled.hasRoom = false;
  const others = [new FakeSocket(), new FakeSocket()];
  expect(pass(stalled, 'kept')).toBe(false);
  for (const other of others) expect(pass(other, 'passed')).toBe(true);
  expect(heard(stalled)).toBe('kept');
  for (const other of others) expect(heard(other)).toBe('passed');
});

test('what is written at once uses the same memory again and again', () => {
  const { pass } = stage();
  const socket = new FakeSocket();
  pass(socket, 'one');
  pass(socket, 'two');
  const [one, two] = socket.chunks;
  expect(one?.byteOffset).toBe(two?.byteOffset);
  expect(one?.buffer).toBe(two?.buffer);
});

test('its writer is told once the rest is written, and not for what was written at once', () => {
  const { pass } = stage();
  const socket = new FakeSocket();
  let times = 0;
  const written = () => {
    times += 1;
  };
  pass(socket, 'at once', written);
  socket.hasRoom = false;
  pass(socket, 'later', written);
  expect(times).toBe(0);
  socket.drain();
  expect(times).toBe(1);
});

test('any number of stalled sockets keep what is theirs', () => {
  const { relay, pass, heard } = stage();
  const half = relay.buffer.length / 2 + 1;
  const sockets = Array.from({ length: 9 }, () => Object.assign(new FakeSocket(), { hasRoom: false }));
  sockets.forEach((socket, index) => {
    pass(socket, String(index).repeat(half));
  });
  sockets.forEach((socket, index) => {
    expect(heard(socket) === String(index).repeat(half)).toBe(true);
  });
});
