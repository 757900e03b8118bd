/** Whose the other end of a connection is, with real sockets. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createPeerUsers, type PeerUser } from '../../src/network/peer-user.js';
import { environment } from '../support/environment.js';

const isLinux = process.platform === 'linux';
const own = process.getuid?.() ?? -1;

interface Listening {
  readonly port: number;
  /** The next connection, at our end. */
  accepted(): Promise<net.Socket>;
}

async function listening(host: string): Promise<Listening> {
  const waiting: ((socket: net.Socket) => void)[] = [];
  const arrived: net.Socket[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    const next = waiting.shift();
    if (next) next(socket);
    else arrived.push(socket);
  });
  await new Promise<void>((go) => void server.listen(0, host, go));
  onTestFinished(() => void server.close());
  return {
    port: (server.address() as net.AddressInfo).port,
    accepted: () =>
      new Promise((go) => {
        const first = arrived.shift();
        if (first) go(first);
        else waiting.push(go);
      }),
  };
}

async function connected(host: string, to = host): Promise<{ client: net.Socket; socket: net.Socket }> {
  const { port, accepted } = await listening(host);
  const client = net.connect({ port, host: to });
  client.on('error', () => {});
  const socket = await accepted();
  onTestFinished(() => {
    client.destroy();
    socket.destroy();
  });
  return { client, socket };
}

describe.skipIf(!isLinux)('the user at the other end', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    // A program that opens IPv6 sockets for everything.
    ['127.0.0.1', '::ffff:127.0.0.1'],
  ])('of a connection to %s by %s is ours', async (host, to) => {
    const { socket } = await connected(host, to);
    expect(await createPeerUsers()(socket)).toEqual({ is: 'user', uid: own });
  });

  test('is still told when it has said all that it will, but not once it is closed', async () => {
    const { client, socket } = await connected('127.0.0.1');
    client.end();
    await new Promise((go) => socket.resume().once('end', go));
    expect(await createPeerUsers()(socket)).toEqual({ is: 'user', uid: own });
    // The kernel keeps what is closed for a while, as root's.
    const closed = await connected('127.0.0.1');
    closed.client.destroy();
    await new Promise((go) => closed.socket.resume().once('end', go));
    expect(await createPeerUsers()(closed.socket)).toEqual({ is: 'unseen' });
  });

  test.skipIf(own !== 0)('is another one when another one connects', async () => {
    const { port, accepted } = await listening('127.0.0.1');
    const program = `require('node:net').connect(${port}, '127.0.0.1').resume()`;
    const child = spawn(process.execPath, ['-e', program], { uid: 65_534, gid: 65_534, env: environment() });
    const exited = new Promise((go) => child.once('exit', go));
    const socket = await accepted();
    expect(await createPeerUsers()(socket)).toEqual({ is: 'user', uid: 65_534 });
    socket.destroy();
    await exited;
  });

  test('of many connections at once is read for all of them together', async () => {
    let readings = 0;
    const peerOf = createPeerUsers((family) => {
      readings += 1;
      return readFile(family === 4 ? '/proc/net/tcp' : '/proc/net/tcp6', 'latin1');
    });
    const { port, accepted } = await listening('127.0.0.1');
    const asked: Promise<PeerUser>[] = [];
    for (let n = 0; n < 50; n += 1) {
      const client = net.connect(port, '127.0.0.1');
      const socket = await accepted();
      onTestFinished(() => void client.destroy());
      onTestFinished(() => void socket.destroy());
      asked.push(peerOf(socket));
    }
    expect(new Set((await Promise.all(asked)).map((peer) => JSON.stringify(peer)))).toEqual(
      new Set([JSON.stringify({ is: 'user', uid: own })]),
    );
    expect(readings).toBeLessThan(50);
  });
});

test('where the system has no table nothing is told, and other machines are elsewhere', async () => {
  const ends = { localAddress: '127.0.0.1', localPort: 2000, remoteAddress: '127.0.0.1', remotePort: 5 };
  expect(await createPeerUsers(async () => undefined)(ends)).toEqual({ is: 'untold' });
  expect(await createPeerUsers(async () => '')(ends)).toEqual({ is: 'unseen' });
  expect(await createPeerUsers(async () => '')({ ...ends, remoteAddress: '192.0.2.7' })).toEqual({ is: 'elsewhere' });
});
