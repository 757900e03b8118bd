import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import { reservePort } from '../../src/network/free-port.js';
import { probeReady, type Ready } from '../../src/network/ready.js';
import { createClock } from '../../src/platform/clock.js';
import type { Clock } from '../../src/ports.js';
import { eventually } from '../support/eventually.js';
import { workspace } from '../support/workspace.js';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

/** The real clock, which also tells how many waits are armed. */
function countingClock(): Clock & { readonly waiting: number } {
  const clock = createClock();
  ends.push(clock.close);
  let waiting = 0;
  return {
    ...clock,
    wakeAt(at, wake) {
      waiting += 1;
      let isArmed = true;
      const disarm = () => {
        if (isArmed) waiting -= 1;
        isArmed = false;
      };
      const cancel = clock.wakeAt(at, () => {
        disarm();
        wake();
      });
      return () => {
        disarm();
        cancel();
      };
    },
    get waiting() {
      return waiting;
    },
  };
}

async function listen<T extends Server>(server: T, host = '127.0.0.1', port = 0): Promise<number> {
  ends.push(() => server.close());
  server.listen(port, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function probe(ready: Ready, port: number, host?: string, settle = 0) {
  const clock = countingClock();
  const state = { clock, ready: 0, held: 0, ports: [] as number[] };
  const options = { clock, ready, port, settle, ...(host !== undefined && { host }) };
  const one = probeReady({
    ...options,
    onReady: () => {
      state.ready += 1;
    },
    onAttemptPort(local) {
      state.ports.push(local);
      state.held += 1;
      return () => {
        state.held -= 1;
      };
    },
  });
  ends.push(one.cancel);
  return Object.assign(state, { probe: one });
}

/** The sockets and timers that keep this process alive. */
const resources = () =>
  process.getActiveResourcesInfo().filter((name) => name.startsWith('TCPSocket') || name === 'TCPConnectWrap').length;

test('a program that listens late becomes ready when it does, and is told so once', async () => {
  const ws = workspace({});
  const port = reservePort();
  const waiting = probe({ kind: 'tcp' }, port);
  await eventually(() => expect(waiting.ports.length).toBeGreaterThan(5));
  expect(waiting.ready).toBe(0);
  expect(waiting.probe.heard).toBe('refused');
  ws.write('late.mjs', `import { createServer } from 'node:net'; createServer().listen(${port}, '::1');`);
  ws.start(process.execPath, ['late.mjs']);
  await eventually(() => expect(waiting.ready).toBe(1));
  await eventually(() => expect(waiting.held).toBe(0));
  expect(waiting.clock.waiting).toBe(0);
  expect(resources()).toBe(0);
});

test('a program that listens and leaves its connections to the kernel is ready when it takes one', async () => {
  const ws = workspace({});
  const port = reservePort();
  ws.write(
    'boots.mjs',
    `import { createServer } from 'node:net';
import { existsSync } from 'node:fs';
createServer((socket) => socket.on('error', () => {})).listen(${port}, '127.0.0.1', () => {
  console.log('listening');
  while (!existsSync('booted')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
});`,
  );
  const app = ws.start(process.execPath, ['boots.mjs']);
  await app.line('listening');
  const waiting = probe({ kind: 'tcp' }, port);
  await eventually(() => expect(waiting.ports.length).toBe(1));
  const begun = performance.now();
  await eventually(() => expect(performance.now() - begun).toBeGreaterThan(300));
  expect(waiting.ready).toBe(0);
  ws.write('booted', '');
  await eventually(() => expect(waiting.ready).toBe(1));
  await eventually(() => expect(resources()).toBe(0));
  app.signal('SIGKILL');
  await app.exited;
});

test('what closes at once has taken the connection, and who is to be watched longer is ready later', async () => {
  const port = await listen(createServer((socket) => socket.destroy()));
  const settling = probe({ kind: 'tcp' }, port, undefined, 300);
  const begun = performance.now();
  await eventually(() => expect(settling.ready).toBe(1));
  expect(performance.now() - begun).toBeGreaterThanOrEqual(299);
  const cancelled = probe({ kind: 'tcp' }, port, undefined, 100_000);
  await eventually(() => expect(cancelled.probe.heard).toBe('connected'));
  cancelled.probe.cancel();
  expect(cancelled.clock.waiting).toBe(0);
});

const outside = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

test.runIf(outside)('a program that listens on no loopback address is found where it listens', async () => {
  const port = await listen(createServer(), outside);
  const found = probe({ kind: 'tcp' }, port);
  await eventually(() => expect(found.ready).toBe(1));
});

test('a host that is asked for is the only one that is asked', async () => {
  const port = await listen(createServer(), '::1');
  const wrong = probe({ kind: 'tcp' }, port, '127.0.0.1');
  await eventually(() => expect(wrong.ports.length).toBeGreaterThan(20));
  expect(wrong.ready).toBe(0);
  const right = probe({ kind: 'tcp' }, port, '::1');
  await eventually(() => expect(right.ready).toBe(1));
});

test('http is ready with the first status from 200 to 399, and says what it met before', async () => {
  const statuses = [503, 404];
  const heard = new Set<string>();
  const asked: (string | undefined)[] = [];
  const server = createHttpServer((request, response) => {
    asked.push(request.url, request.headers.host);
    // Until it was heard of, however fast it is asked.
    response.statusCode = statuses.shift() ?? (heard.has('HTTP 500') ? 302 : 500);
    response.end('x'.repeat(100_000));
  });
  const port = await listen(server);
  const waiting = probe({ kind: 'http', path: '/health?of=ä' }, port);
  await eventually(() => {
    heard.add(waiting.probe.heard);
    expect(waiting.ready).toBe(1);
  });
  expect(statuses).toEqual([]);
  expect(asked.slice(0, 2)).toEqual(['/health?of=%C3%A4', `localhost:${port}`]);
  expect([...heard]).toContain('HTTP 500');
  await eventually(() => expect(waiting.held).toBe(0));
  expect(waiting.clock.waiting).toBe(0);
});

test('what is said before the answer is not the answer', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\nHTTP/1.');
    socket.once('data', () => socket.end('1 204 No Content\r\n\r\n'));
  });
  const early = probe({ kind: 'http', path: '/' }, await listen(server));
  await eventually(() => expect(early.ready).toBe(1));
});

test('a program that speaks something else is never ready over http, and one that closes at once is not either', async () => {
  const talks = await listen(
    createServer((socket) =>
      socket
        .on('error', () => {})
        .resume()
        .write('SSH-2.0-OpenSSH_9.2\r\n'),
    ),
  );
  const closes = await listen(createServer((socket) => socket.destroy()));
  const [talking, closing] = [talks, closes].map((port) => probe({ kind: 'http', path: '/' }, port));
  await eventually(() => expect(talking!.probe.heard).toBe('no HTTP answer'));
  await eventually(() => expect(closing!.probe.heard).toBe('connected, but no answer'));
  await eventually(() => expect(talking!.ports.length).toBeGreaterThan(3));
  expect([talking!.ready, closing!.ready]).toEqual([0, 0]);
});

test('a cancelled probe leaves no socket and no timer, whatever it was doing', async () => {
  const silent = await listen(createServer((socket) => socket.on('error', () => {}).resume()));
  const doing = [
    probe({ kind: 'http', path: '/' }, silent), // waits for an answer
    probe({ kind: 'tcp' }, reservePort()), // tries again and again
    probe({ kind: 'tcp' }, silent), // has not begun
    probe({ kind: 'tcp' }, 81, '192.0.2.1'), // waits for a connection: nobody is at this address
  ];
  doing[2]!.probe.cancel();
  await eventually(() => expect(doing[0]!.ports.length).toBe(1));
  await eventually(() => expect(doing[1]!.ports.length).toBeGreaterThan(2));
  for (const one of doing) one.probe.cancel();
  for (const one of doing) {
    expect(one.clock.waiting).toBe(0);
    await eventually(() => expect(one.held).toBe(0));
    expect(one.ready).toBe(0);
  }
  await eventually(() => expect(resources()).toBe(0));
});
