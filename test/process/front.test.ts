/** What goes through the front: bytes, ends and breaks, either way, for any protocol. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Address } from '../../src/network/front.js';
import { environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { client, echo, front, loopback, service, silentClient, standsStill } from '../support/front-peers.js';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function pathNamed(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'proclet-front-'));
  directories.push(directory);
  return join(directory, name);
}

/** What a program that was killed leaves behind. */
function leaveStaleSocket(path: string): void {
  const program = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', program, path], { env: environment() });
}

const portOf = (address: Address): number => ('port' in address ? address.port : 0);

describe.each(['fast', 'documented'] as const)('with %s means', (means) => {
  const open = (options: Parameters<typeof front>[0]) => front({ means, ...options });

  test('a hundred requests go over one kept-alive connection, to one connection of the service', async () => {
    let connections = 0;
    const server = http.createServer((request, response) => response.end(`you asked ${request.url}`));
    server.on('connection', () => {
      connections += 1;
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const target = { host: '127.0.0.1', port: (server.address() as net.AddressInfo).port };
    const { address } = await open({ target: () => target });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 100; i += 1) {
      const body = await new Promise((resolve, reject) => {
        http
          .get({ host: '127.0.0.1', port: portOf(address), path: `/${i}`, agent }, (response) => {
            let text = '';
            response.on('data', (chunk) => {
              text += chunk;
            });
            response.on('end', () => resolve(text));
          })
          .on('error', reject);
      });
      expect(body).toBe(`you asked /${i}`);
    }
    expect(connections).toBe(1);
    agent.destroy();
    server.close();
  });

  test('an upgraded connection carries any bytes both ways, whoever speaks first', async () => {
    const upstream = await service();
    const { address } = await open({ target: () => upstream.address });
    const browser = await client(address);
    browser.socket.write('GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n');
    const server = await upstream.next();
    server.read();
    await server.hears('websocket\r\n\r\n');
    server.socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    await browser.hears('101');
    const frames = randomBytes(70_000);
    server.socket.write(frames);
    browser.socket.write(frames);
    await eventually(() => expect(browser.heard.subarray(-70_000).equals(frames)).toBe(true));
    await eventually(() => expect(server.heard.subarray(-70_000).equals(frames)).toBe(true));
  });

  test('a service that speaks first is heard by a client that says nothing', async () => {
    const upstream = await service((peer) => peer.socket.write('220 ready\r\n'));
    const { address } = await open({ target: () => upstream.address });
    await (await client(address)).hears('220 ready');
  });

  test('a client that ends its side still reads what the service has to say', async () => {
    const upstream = await service((peer) => {
      peer.read();
      peer.socket.on('end', () => {
        peer.socket.write(`heard ${peer.text}`);
        peer.socket.write(', and '.repeat(10_000));
        peer.socket.end('goodbye');
      });
    });
    const { address } = await open({ target: () => upstream.address });
    const asker = await client(address);
    asker.socket.end('everything');
    await asker.ends();
    expect(asker.text.slice(0, 16)).toBe('heard everything');
    expect(asker.text.slice(-7)).toBe('goodbye');
    expect(await asker.closes()).toBe('closed');
  });

  test('a service that ends its side still hears the client', async () => {
    const upstream = await service();
    const fronted = await open({ target: () => upstream.address });
    const talker = await client(fronted.address);
    talker.socket.write('first');
    const server = await upstream.next();
    server.read();
    server.socket.end();
    await talker.ends();
    talker.socket.end(', second');
    await server.hears('first, second');
    expect(await server.closes()).toBe('closed');
    await eventually(() => expect(fronted.connections).toBe(0));
  });

  describe('a peer that does not read', () => {
    const size = 64 * 1024 * 1024;
    const block = randomBytes(1024 * 1024);

    function pour(socket: net.Socket): void {
      let left = size / block.length;
      const more = () => {
        for (; left > 0; left -= 1) {
          if (!socket.write(block)) {
            left -= 1;
            socket.once('drain', more);
            return;
          }
        }
        socket.end();
      };
      more();
    }

    test.each(['client', 'service'] as const)(
      'a %s that stalls stops the other side, and gets all of it later',
      async (stalls) => {
        const upstream = await service();
        const fronted = await open({ target: () => upstream.address });
        const near = await silentClient(fronted.address);
        near.socket.write('?');
        const far = await upstream.next();
        const [from, to] = stalls === 'client' ? [far, near] : [near, far];
        const before = process.memoryUsage().arrayBuffers;
        pour(from.socket);
        // Nothing moves any more: what was written is in the kernel, in the front's one read, or with its writer.
        await standsStill(() => from.socket.bytesWritten - from.socket.writableLength);
        expect(from.socket.bytesWritten).toBeLessThan(size);
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
        expect(fronted.inFlight).toBe(1);
        to.read();
        const extra = stalls === 'service' ? 1 : 0;
        await eventually(() => expect(to.bytes).toBe(size + extra), 30_000);
        await to.ends();
      },
    );
  });

  test.each(['client', 'service'] as const)(
    'a %s that resets its connection resets its peer, and no other',
    async (breaks) => {
      const upstream = await service((peer) => peer.read());
      const fronted = await open({ target: () => upstream.address });
      const pairs = [];
      for (const name of ['one', 'two', 'three']) {
        const near = await client(fronted.address);
        near.socket.write(name);
        const far = await upstream.next();
        await far.hears(name);
        pairs.push({ near, far });
      }
      const [one, broken, three] = pairs;
      if (!one || !broken || !three) throw new Error('three were made');
      (breaks === 'client' ? broken.near : broken.far).socket.resetAndDestroy();
      expect(await (breaks === 'client' ? broken.far : broken.near).closes()).toBe('ECONNRESET');
      for (const { near, far } of [one, three]) {
        far.socket.write('still here');
        await near.hears('still here');
      }
      await eventually(() => expect(fronted.connections).toBe(2));
    },
  );

  test('a client that resets while bytes for it are held back is gone, and so is its connection to the service', async () => {
    const upstream = await service((peer) => peer.socket.write(Buffer.alloc(64 * 1024 * 1024)));
    const fronted = await open({ target: () => upstream.address });
    const near = await silentClient(fronted.address);
    const far = await upstream.next();
    far.socket.resume();
    await standsStill(() => far.socket.bytesWritten - far.socket.writableLength);
    expect(fronted.inFlight).toBe(1);
    near.socket.resetAndDestroy();
    expect(await far.closes()).toMatch(/^(ECONNRESET|EPIPE)$/);
    await eventually(() => expect(fronted).toMatchObject({ connections: 0, inFlight: 0 }));
  });

  test('a service that dies with a message half written breaks its own connections only', async () => {
    const dying = await service((peer) => {
      peer.read();
      peer.socket.once('data', () => peer.socket.write('half a mess', () => peer.socket.resetAndDestroy()));
    });
    const healthy = await echo();
    const targets = [dying.address, healthy.address];
    const fronted = await open({ target: () => targets.shift() ?? healthy.address });
    const unlucky = await client(fronted.address);
    const lucky = await client(fronted.address);
    unlucky.socket.write('x');
    lucky.socket.write('hello');
    await lucky.hears('hello');
    // A reset right after unread bytes looks like an end to Node; the next write tells.
    await eventually(() => expect(unlucky.hasEnded || unlucky.closedBy !== undefined).toBe(true));
    await eventually(() => {
      unlucky.socket.write('are you there?');
      expect(unlucky.closedBy).toMatch(/^(ECONNRESET|EPIPE)$/);
    });
    lucky.socket.write(' again');
    await lucky.hears('hello again');
  });

  test('the front says which ports are its own, also after they were closed', async () => {
    const upstream = await service((peer) => peer.read());
    const fronted = await open({ target: () => upstream.address });
    const near = await client(fronted.address);
    near.socket.write('x');
    const { remotePort = 0 } = (await upstream.next()).socket;
    expect(fronted.isOwnPort(remotePort)).toBe(true);
    expect(fronted.isOwnPort(near.socket.localPort ?? 0)).toBe(false);
    near.socket.resetAndDestroy();
    await eventually(() => expect(fronted.connections).toBe(0));
    expect(fronted.isOwnPort(remotePort)).toBe(true);
  });

  test('when it stops listening, nobody new gets in and open connections go on', async () => {
    const upstream = await echo();
    const fronted = await open({ target: () => upstream.address });
    const inside = await client(fronted.address);
    inside.socket.write('a');
    await inside.hears('a');
    await fronted.stopListening();
    await expect(client(fronted.address)).rejects.toThrow('ECONNREFUSED');
    inside.socket.write('b');
    await inside.hears('ab');
    await fronted.close();
    await inside.ends();
    await eventually(() => expect(fronted.connections).toBe(0));
  });

  test('an address that is in use is an error of opening', async () => {
    const { address } = await echo();
    await expect(open({ listen: address, target: () => address })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('it listens on IPv6 and reaches services there', async () => {
    const upstream = await echo({ host: '::1', port: 0 });
    const fronted = await open({ listen: { host: '::1', port: 0 }, target: () => upstream.address });
    const near = await client(fronted.address);
    near.socket.write('hello');
    await near.hears('hello');
  });

  describe('a path', () => {
    test('is a public address for the same user alone, and an address of services', async () => {
      const path = pathNamed('public.sock');
      const upstream = await echo({ path: `${path}.service` });
      const fronted = await open({ listen: { path }, target: () => upstream.address });
      expect(fronted.address).toEqual({ path });
      expect(lstatSync(path).mode & 0o777).toBe(0o600);
      const near = await client({ path });
      near.socket.end('hello');
      await near.hears('hello');
      expect(await near.closes()).toBe('closed');
      await fronted.close();
      expect(lstatSync(path, { throwIfNoEntry: false })).toBeUndefined();
    });

    test('is replaced when nobody listens on it, and kept when somebody does', async () => {
      const path = pathNamed('public.sock');
      const upstream = await echo();
      const first = await open({ listen: { path }, target: () => upstream.address });
      await expect(open({ listen: { path }, target: () => upstream.address })).rejects.toMatchObject({
        code: 'EADDRINUSE',
      });
      await first.close();
      leaveStaleSocket(path);
      expect(lstatSync(path).isSocket()).toBe(true);
      await open({ listen: { path }, target: () => upstream.address });
      const near = await client({ path });
      near.socket.write('hello');
      await near.hears('hello');
    });

    test('that is a file of something else is left alone', async () => {
      const path = pathNamed('notes.txt');
      writeFileSync(path, 'mine');
      await expect(open({ listen: { path }, target: () => loopback })).rejects.toMatchObject({ code: 'EADDRINUSE' });
      expect(lstatSync(path).isFile()).toBe(true);
    });
  });
});
