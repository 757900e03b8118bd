/** What becomes of clients that come before their service does, or for whom there is none. */
import net from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Address } from '../../src/network/front.js';
import { eventually } from '../support/eventually.js';
import { FakeClock } from '../support/fake-clock.js';
import { client, echo, front, type Peer, service, silentClient, standsStill } from '../support/front-peers.js';

/** A service that is not there yet. */
function boot() {
  let ready: (address: Address) => void = () => {};
  let failed: (error: Error) => void = () => {};
  const target = new Promise<Address>((resolve, reject) => {
    ready = resolve;
    failed = reject;
  });
  target.catch(() => {}); // nobody may have come yet
  return { target: () => target, ready, failed };
}

async function crowd(address: Address, size: number): Promise<Peer[]> {
  const peers: Peer[] = [];
  while (peers.length < size) {
    const batch = Array.from({ length: Math.min(250, size - peers.length) }, () => client(address));
    peers.push(...(await Promise.all(batch)));
  }
  return peers;
}

test('everybody who came during the boot is answered when the service is there', async () => {
  const { target, ready } = boot();
  const fronted = await front({ target });
  const peers = await crowd(fronted.address, 1_500);
  peers.forEach((peer, index) => {
    peer.socket.write(`I am ${index}.`);
  });
  await eventually(() => expect(fronted.waiting).toBe(1_500));
  expect(fronted.inFlight).toBe(1_500);
  ready((await echo()).address);
  for (const [index, peer] of peers.entries()) await peer.hears(`I am ${index}.`);
  expect(fronted.waiting).toBe(0);
});

test('what a client says while it waits stays with it beyond a few kilobytes, and none of it is lost', async () => {
  const { target, ready } = boot();
  const fronted = await front({ target });
  const upload = Buffer.alloc(32 * 1024 * 1024, 'abcdefghijklmnop');
  const before = process.memoryUsage().arrayBuffers;
  const near = await silentClient(fronted.address);
  near.socket.end(upload);
  await standsStill(() => near.socket.writableLength);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
  const upstream = await service((peer) => peer.read());
  ready(upstream.address);
  const far = await upstream.next();
  await far.ends();
  expect(far.bytes).toBe(upload.length);
});

test('a client that hangs up while it waits is not waited for, nor connected later', async () => {
  const { target, ready } = boot();
  const fronted = await front({ target });
  const [stays, ends, breaks] = await crowd(fronted.address, 3);
  breaks?.socket.write('hello');
  await eventually(() => expect(fronted.waiting).toBe(3));
  ends?.socket.end();
  breaks?.socket.resetAndDestroy();
  await eventually(() => expect(fronted.waiting).toBe(1));
  expect(fronted.connections).toBe(1);
  const upstream = await echo();
  ready(upstream.address);
  stays?.socket.write('hello');
  await stays?.hears('hello');
  expect(upstream.peers.length).toBe(1);
});

test('a client that has asked and ended its side while it waits is answered', async () => {
  const { target, ready } = boot();
  const fronted = await front({ target });
  const near = await client(fronted.address);
  near.socket.end('question');
  ready((await echo()).address);
  await near.hears('question');
  expect(await near.closes()).toBe('closed');
});

test('one more than may wait is closed at once, and the others are served', async () => {
  const { target, ready } = boot();
  const fronted = await front({ target, waitingLimit: 10 });
  const peers = await crowd(fronted.address, 10);
  await eventually(() => expect(fronted.waiting).toBe(10));
  const late = await client(fronted.address);
  await late.ends();
  expect(fronted.waiting).toBe(10);
  ready((await echo()).address);
  for (const peer of peers) {
    peer.socket.write('served');
    await peer.hears('served');
  }
  const next = await client(fronted.address);
  next.socket.write('in');
  await next.hears('in');
});

test('closing the front ends those who wait', async () => {
  const fronted = await front({ target: boot().target });
  const peers = await crowd(fronted.address, 5);
  await eventually(() => expect(fronted.waiting).toBe(5));
  await fronted.close();
  for (const peer of peers) await peer.ends();
  expect(fronted.waiting).toBe(0);
});

/** A port that nobody listens on, though it was somebody's a moment ago. */
async function formerPort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a service that was said to be ready and refuses', () => {
  test('is tried again until it listens', async () => {
    const clock = new FakeClock();
    const address = { host: '127.0.0.1', port: await formerPort() };
    const fronted = await front({ clock, target: () => address });
    const near = await client(fronted.address);
    near.socket.write('hello');
    await eventually(() => expect(clock.waiting).toBe(1));
    expect(fronted.waiting).toBe(1);
    await echo(address);
    clock.advance(40);
    await near.hears('hello');
    expect(clock.waiting).toBe(0);
  });

  test('is given up after 200 ms, with a page', async () => {
    const clock = new FakeClock();
    const address = { host: '127.0.0.1', port: await formerPort() };
    const fronted = await front({ clock, target: () => address });
    const near = await client(fronted.address);
    near.socket.write('GET / HTTP/1.1\r\n\r\n');
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await eventually(() => expect(clock.waiting).toBe(1));
      expect(near.text).toBe('');
      clock.advance(40);
    }
    expect(await near.hears('502')).toContain('ECONNREFUSED');
    expect(clock.now()).toBe(200);
  });
});

describe('when the service could not be started', () => {
  const target = () => Promise.reject(new Error('exited with code 1'));
  const refusal = (error: unknown) => ({ title: 'web <1>', lines: [`${(error as Error).message} & "more"`, '<b>'] });

  test('an HTTP client gets a page that says why, with nothing of it taken for markup', async () => {
    const fronted = await front({ target, refusal });
    const near = await client(fronted.address);
    near.socket.write('GET /some/page HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await near.ends();
    const [head = '', body = ''] = near.text.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(head).toContain('\r\nContent-Type: text/html; charset=utf-8\r\n');
    expect(head).toContain('\r\nConnection: close');
    expect(head).toContain(`\r\nContent-Length: ${body.length}\r\n`);
    expect(body).toContain('<h1>web &lt;1&gt;</h1>');
    expect(body).toContain('exited with code 1 &amp; &quot;more&quot;\n&lt;b&gt;');
    near.socket.end();
    expect(await near.closes()).toBe('closed');
  });

  test('the page comes also when the request came in pieces, with a body that nobody reads', async () => {
    const fronted = await front({ target, refusal });
    const near = await client(fronted.address);
    near.socket.write('PO');
    near.socket.write('ST / HT');
    near.socket.write('TP/1.1\r\nContent-Length: 3000000\r\n\r\n');
    near.socket.end(Buffer.alloc(3_000_000));
    await near.hears('</html>');
    expect(await near.closes()).toBe('closed');
  });

  test('the answer to HEAD is a head', async () => {
    const fronted = await front({ target, refusal });
    const near = await client(fronted.address);
    near.socket.end('HEAD / HTTP/1.1\r\n\r\n');
    await near.ends();
    expect(near.text).toMatch(/\r\n\r\n$/);
  });

  test.each([
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['Redis', '*1\r\n$4\r\nPING\r\n'],
    ['PostgreSQL', '\0\0\0\x08\x04\xd2\x16\x2f'],
    ['TLS', '\x16\x03\x01\x02\0\x01'],
  ])('a client that speaks %s is closed without a word and without a reset', async (_, hello) => {
    const fronted = await front({ target, refusal });
    const near = await client(fronted.address);
    near.socket.write(Buffer.from(hello, 'latin1'));
    await near.ends();
    expect(near.bytes).toBe(0);
    near.socket.end('a late word');
    expect(await near.closes()).toBe('closed');
    await eventually(() => expect(fronted.connections).toBe(0));
  });

  test('a client that says nothing is closed after a quarter of a second, and cut off two seconds later', async () => {
    const clock = new FakeClock();
    const fronted = await front({ clock, target, refusal });
    const near = await client(fronted.address);
    await eventually(() => expect(fronted.waiting).toBe(0));
    clock.advance(249);
    expect(near.hasEnded).toBe(false);
    clock.advance(1);
    await near.ends();
    expect(near.bytes).toBe(0);
    clock.advance(2_000);
    await eventually(() => expect(fronted.connections).toBe(0));
    expect(clock.waiting).toBe(0);
  });

  test('a target that throws, and one that is no address, are refused alike', async () => {
    const throws = await front({
      target: () => {
        throw new Error('no such service');
      },
    });
    const wrong = await front({ target: () => ({ host: '127.0.0.1', port: 70_000 }) });
    for (const fronted of [throws, wrong]) {
      const near = await client(fronted.address);
      near.socket.write('GET / HTTP/1.1\r\n\r\n');
      await near.hears('502 Bad Gateway');
    }
  });
});
