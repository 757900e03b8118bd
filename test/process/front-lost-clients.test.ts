/** Clients that are gone while nobody reads from them, and hostile ones: nothing of them is left. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Address } from '../../src/network/front.js';
import { fateOf } from '../../src/network/front-lost-clients.js';
import type { SocketRow } from '../../src/network/sockets.js';
import { environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { FakeClock } from '../support/fake-clock.js';
import { client, front, loopback, type Service, service, silentClient, standsStill } from '../support/front-peers.js';

const children: ChildProcess[] = [];
const directories: string[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

const post = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n';
const upgrade = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const flood = Buffer.alloc(16 * 1024 * 1024, 'x');

const descriptors = () => readdirSync('/proc/self/fd').length;

/** A client in a process of its own that uploads until it is killed. */
async function uploader(address: Address): Promise<ChildProcess> {
  const program = `const socket = require('net').connect(JSON.parse(process.argv[1]), () => {
    socket.write(${JSON.stringify(post)});
    const more = () => { while (socket.write(Buffer.alloc(65536))); };
    socket.on('drain', more);
    more();
    console.log('connected');
  });`;
  const child = spawn(process.execPath, ['-e', program, JSON.stringify(address)], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child;
}

/** Time passes until the front has given up all its connections; returns how much. */
async function passesUntilGone(clock: FakeClock, fronted: { readonly connections: number }): Promise<number> {
  const start = clock.now();
  await eventually(() => {
    if (fronted.connections === 0) return;
    clock.advance(1_000);
    throw new Error(`${fronted.connections} are left`);
  });
  return clock.now() - start;
}

async function stage(listen: Address = loopback, upstream?: Service) {
  const clock = new FakeClock();
  const there = upstream ?? (await service()); // it reads nothing
  const fronted = await front({ clock, listen, target: () => there.address });
  return { clock, fronted, upstream: there };
}

async function stalls(near: { socket: { bytesWritten: number; writableLength: number } }): Promise<void> {
  await standsStill(() => near.socket.bytesWritten - near.socket.writableLength);
}

describe('a client whose upload nobody reads', () => {
  test('is gone within two seconds after it reset the connection', async () => {
    const { clock, fronted } = await stage();
    const near = await silentClient(fronted.address);
    near.socket.write(post);
    near.socket.write(flood);
    await stalls(near);
    expect(fronted.inFlight).toBe(1);
    near.socket.resetAndDestroy();
    await near.closes();
    expect(await passesUntilGone(clock, fronted)).toBeLessThanOrEqual(2_000);
  });

  test.skipIf(process.platform !== 'linux')('is gone within 14 seconds after it was killed', async () => {
    const { clock, fronted, upstream } = await stage();
    const child = await uploader(fronted.address);
    await upstream.next();
    await eventually(() => expect(fronted.inFlight).toBe(1));
    const killed = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await killed;
    const took = await passesUntilGone(clock, fronted);
    expect(took).toBeLessThanOrEqual(14_000);
  });

  test.skipIf(process.platform !== 'linux')('is gone also when it came by a unix socket', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'proclet-front-'));
    directories.push(directory);
    const { clock, fronted, upstream } = await stage({ path: join(directory, 'socket') });
    const child = await uploader(fronted.address);
    await upstream.next();
    await eventually(() => expect(fronted.inFlight).toBe(1));
    const killed = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await killed;
    expect(await passesUntilGone(clock, fronted)).toBeLessThanOrEqual(14_000);
  });

  test('stays as long as it lives', async () => {
    const { clock, fronted, upstream } = await stage();
    const near = await silentClient(fronted.address);
    near.socket.write(post);
    near.socket.write(flood);
    await stalls(near);
    for (let second = 0; second < 30; second += 1) clock.advance(1_000);
    expect(fronted.inFlight).toBe(1);
    const far = await upstream.next();
    far.read();
    await eventually(() => expect(far.bytes).toBe(post.length + flood.length));
  });

  test('stays while its bytes still move, though it has hung up', async () => {
    const { clock, fronted, upstream } = await stage();
    const near = await silentClient(fronted.address);
    near.socket.write(post);
    near.socket.end(flood);
    const far = await upstream.next();
    await stalls(near);
    for (let second = 0; second < 30; second += 1) clock.advance(1_000);
    far.read();
    await far.ends();
    expect(far.bytes).toBe(post.length + flood.length);
  });
});

test.skipIf(process.platform !== 'linux')(
  'a client that was killed is not waited for, though all it said has reached the service',
  async () => {
    const { clock, fronted, upstream } = await stage();
    const program = `require('net').connect(JSON.parse(process.argv[1])).write('GET / HTTP/1.1\\r\\n\\r\\n')`;
    const child = spawn(process.execPath, ['-e', program, JSON.stringify(fronted.address)], { env: environment() });
    children.push(child);
    const far = await upstream.next();
    far.read();
    await far.hears('GET / HTTP/1.1\r\n\r\n');
    child.kill('SIGKILL');
    await far.ends();
    expect(fronted.inFlight).toBe(1);
    expect(await passesUntilGone(clock, fronted)).toBeLessThanOrEqual(14_000);
    far.socket.end();
    expect(await far.closes()).toBe('closed');
  },
);

test('a client that has asked and ended its side is waited for', async () => {
  const { clock, fronted, upstream } = await stage();
  const near = await client(fronted.address);
  near.socket.end('GET / HTTP/1.1\r\n\r\n');
  const far = await upstream.next();
  far.read();
  await far.ends();
  for (let second = 0; second < 60; second += 1) clock.advance(1_000);
  far.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate');
  await near.hears('late');
});

test('a client that resets the connection while it waits with more than it may say is gone within two seconds', async () => {
  const clock = new FakeClock();
  const fronted = await front({ clock, target: () => new Promise<Address>(() => {}) });
  const near = await silentClient(fronted.address);
  near.socket.write(flood);
  await stalls(near);
  near.socket.resetAndDestroy();
  await near.closes();
  expect(await passesUntilGone(clock, fronted)).toBeLessThanOrEqual(2_000);
  expect(fronted.waiting).toBe(0);
});

describe.each(['fast', 'documented'] as const)('with %s means', (means) => {
  test('nothing is left of 200 hostile clients, neither descriptors nor use', async () => {
    const clock = new FakeClock();
    const talker = await service((peer) => {
      peer.socket.once('data', () =>
        peer.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'),
      );
      peer.socket.resume();
    });
    const deaf = await service();
    let target = talker.address;
    const fronted = await front({ clock, means, target: async () => target });
    const before = descriptors();
    for (let round = 0; round < 20; round += 1) {
      target = round % 2 === 0 ? talker.address : deaf.address;
      const peers = await Promise.all(Array.from({ length: 10 }, () => silentClient(fronted.address)));
      for (const [at, { socket }] of peers.entries()) {
        const kinds = [upgrade, `${upgrade}more`, post, 'GET / HTTP/1.1\r\n', '\x16\x03\x01', ''];
        socket.write(kinds[(at + round) % kinds.length] ?? '');
        if (at % 3 === 0) socket.write(flood.subarray(0, at * 700_000));
        if (at % 2 === 0) setImmediate(() => socket.resetAndDestroy());
        else socket.resetAndDestroy();
      }
      await Promise.all(peers.map((peer) => peer.closes()));
    }
    await passesUntilGone(clock, fronted);
    expect(fronted).toMatchObject({ waiting: 0, inFlight: 0 });
    for (const { peers } of [talker, deaf]) for (const { socket } of peers) socket.destroy();
    await eventually(() => expect(descriptors()).toBe(before));
    clock.advance(2_200);
    expect(clock.waiting).toBe(0);
  });
});

test('clients that have gone already do not reach the service, so that the next one does at once', async () => {
  const upstream = await service((peer) => {
    peer.read();
    peer.socket.on('data', () => peer.socket.write('here'));
  });
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const fronted = await front({ target: () => gate.then(() => upstream.address) });
  const gone = await Promise.all(Array.from({ length: 300 }, () => silentClient(fronted.address)));
  for (const [at, { socket }] of gone.entries()) {
    if (at % 2 === 0) socket.write('hello');
    socket.resetAndDestroy();
  }
  await Promise.all(gone.map((peer) => peer.closes()));
  open();
  const near = await client(fronted.address);
  near.socket.write('hello');
  await near.hears('here');
  await eventually(() => expect(fronted.connections).toBe(1));
  expect(upstream.peers.length).toBeLessThan(30);
});

describe('by the tables of the kernel', () => {
  const ends = {
    localAddress: '::ffff:127.0.0.1',
    localPort: 80,
    remoteAddress: '::ffff:127.0.0.1',
    remotePort: 40_000,
  };
  const row = (from: number, to: number, inode: string): SocketRow => ({
    family: 4,
    local: { address: '127.0.0.1', port: from },
    remote: { address: '127.0.0.1', port: to },
    state: 'established',
    inode,
    uid: 0,
    unsent: 0,
    unread: 0,
  });

  test.each([
    ['alive', [row(80, 40_000, '7'), row(40_000, 80, '8')]],
    ['left-behind', [row(80, 40_000, '7')]],
    ['left-behind', [row(80, 40_000, '7'), row(40_000, 80, '0')]],
    ['missing', [row(80, 40_001, '7'), row(40_001, 80, '0')]],
    ['missing', [row(40_000, 80, '8')]],
  ] as const)('a connection is %s', (fate, rows) => {
    expect(fateOf(ends, rows)).toBe(fate);
  });

  test('a client of another machine is alive as long as our end is', () => {
    const away = { ...ends, remoteAddress: '10.0.0.9' };
    const ours = { ...row(80, 40_000, '7'), remote: { address: '10.0.0.9', port: 40_000 } };
    expect(fateOf(away, [ours])).toBe('alive');
    expect(fateOf(away, [])).toBe('missing');
  });
});
