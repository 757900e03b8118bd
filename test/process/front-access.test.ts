/** What counts as an access, when it was, and who is in flight. The clock is a fake: no time passes by itself. */
import { expect, test } from 'vitest';
import type { Address } from '../../src/network/front.js';
import { eventually } from '../support/eventually.js';
import { FakeClock } from '../support/fake-clock.js';
import { client, front, type Service, service, silentClient, standsStill } from '../support/front-peers.js';

async function stage(upstream?: Service) {
  const clock = new FakeClock();
  const there = upstream ?? (await service((peer) => peer.read()));
  const fronted = await front({ clock, target: () => there.address });
  return { clock, upstream: there, fronted };
}

test('before the first connection there was no access', async () => {
  const { fronted, clock } = await stage();
  clock.advance(1_000);
  expect(fronted).toMatchObject({ lastAccess: -Infinity, connections: 0, waiting: 0, inFlight: 0 });
});

test('a connection, each word and each answer are accesses, at the moment they come', async () => {
  const { fronted, clock, upstream } = await stage();
  clock.advance(1_000);
  const near = await client(fronted.address);
  const far = await upstream.next();
  await eventually(() => expect(fronted.waiting).toBe(0));
  expect(fronted.lastAccess).toBe(1_000);
  expect(fronted.inFlight).toBe(0);
  clock.advance(1_000);
  near.socket.write('question');
  await far.hears('question');
  expect(fronted.lastAccess).toBe(2_000);
  clock.advance(1_000);
  far.socket.write('answer');
  await near.hears('answer');
  expect(fronted.lastAccess).toBe(3_000);
});

const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n';

test('a request is in flight until it is answered; a kept-alive connection is not, and its end is no access', async () => {
  const { fronted, clock, upstream } = await stage();
  const near = await client(fronted.address);
  near.socket.write(get);
  const far = await upstream.next();
  await far.hears(get);
  expect(fronted.inFlight).toBe(1);
  far.socket.write(ok);
  await near.hears(ok);
  clock.advance(3_600_000);
  expect(fronted.inFlight).toBe(1);
  far.socket.write('hello');
  await near.hears('hello');
  expect(fronted.inFlight).toBe(0);
  expect(fronted.connections).toBe(1);
  const answered = clock.now();
  clock.advance(60_000);
  near.socket.end();
  far.socket.end();
  await eventually(() => expect(fronted.connections).toBe(0));
  expect(fronted.lastAccess).toBe(answered);
});

test.each([
  ['TLS', '\x16\x03\x01\x02\0\x01', '\x17\x03\x03'],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\0\0\x04\x08'],
  ['a WebSocket', 'GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n', 'HTTP/1.1 101 Switching Protocols\r\n\r\n\x89\0'],
])('%s is in flight for two minutes after its client spoke, whatever came back', async (_, said, back) => {
  const { fronted, clock, upstream } = await stage();
  const near = await client(fronted.address);
  near.socket.write(Buffer.from(said, 'latin1'));
  const far = await upstream.next();
  await far.hears(said);
  clock.advance(60_000);
  far.socket.write(Buffer.from(back, 'latin1'));
  await near.hears(back);
  clock.advance(59_999);
  expect(fronted.inFlight).toBe(1);
  clock.advance(1);
  expect(fronted.inFlight).toBe(0);
  near.socket.write('again');
  await far.hears('again');
  clock.advance(15 * 60_000 - 1);
  expect(fronted.inFlight).toBe(1);
  clock.advance(1);
  expect(fronted.inFlight).toBe(0);
});

test('a service that hangs up instead of answering ends what was in flight, at that moment', async () => {
  const { fronted, clock, upstream } = await stage();
  const near = await client(fronted.address);
  near.socket.write('question');
  const far = await upstream.next();
  await far.hears('question');
  clock.advance(5_000);
  far.socket.end();
  await near.ends();
  expect(fronted.inFlight).toBe(0);
  expect(fronted.lastAccess).toBe(5_000);
});

test.each(['client', 'service'] as const)(
  'a %s that breaks off what was in flight ends it, at that moment',
  async (who) => {
    const { fronted, clock, upstream } = await stage();
    const near = await client(fronted.address);
    near.socket.write('question');
    const far = await upstream.next();
    await far.hears('question');
    clock.advance(5_000);
    (who === 'client' ? near : far).socket.resetAndDestroy();
    await eventually(() => expect(fronted.connections).toBe(0));
    expect(fronted.lastAccess).toBe(5_000);
  },
);

test('a download is in flight while its reader is slow, though the service has long hung up, until the last byte left', async () => {
  const size = 32 * 1024 * 1024;
  const upstream = await service((peer) => {
    peer.read();
    peer.socket.end(Buffer.alloc(size));
  });
  const { fronted, clock } = await stage(upstream);
  const near = await silentClient(fronted.address);
  near.socket.write('GET');
  const far = await upstream.next();
  await far.hears('GET');
  await standsStill(() => far.socket.bytesWritten - far.socket.writableLength);
  clock.advance(60_000);
  expect(fronted.inFlight).toBe(1);
  near.read();
  await near.ends();
  expect(near.bytes).toBe(size);
  expect(fronted.inFlight).toBe(0);
  expect(fronted.lastAccess).toBe(60_000);
});

test('a connection that waits is in flight, and its going is an access', async () => {
  const clock = new FakeClock();
  const fronted = await front({ clock, target: () => new Promise<Address>(() => {}) });
  const near = await client(fronted.address);
  await eventually(() => expect(fronted.inFlight).toBe(1));
  clock.advance(7_000);
  expect(fronted.lastAccess).toBe(0);
  near.socket.resetAndDestroy();
  await eventually(() => expect(fronted.inFlight).toBe(0));
  expect(fronted.lastAccess).toBe(7_000);
});

test('a thousand short connections at a thousand moments renew the last access a thousand times', async () => {
  const upstream = await service((peer) => {
    peer.read();
    peer.socket.once('data', () => peer.socket.end('.'));
  });
  const { fronted, clock } = await stage(upstream);
  for (let i = 1; i <= 1_000; i += 1) {
    clock.advance(60_000);
    const near = await client(fronted.address);
    near.socket.end('x');
    await new Promise((resolve) => near.socket.once('close', resolve));
    expect(fronted.lastAccess).toBe(i * 60_000);
  }
  await eventually(() => expect(fronted.connections).toBe(0));
  expect(fronted.inFlight).toBe(0);
});
