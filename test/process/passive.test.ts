import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { reservePort } from '../../src/network/free-port.js';
import { createOwnPorts } from '../../src/network/own-ports.js';
import { type Passive, watchPassively } from '../../src/network/passive.js';
import { probeReady } from '../../src/network/ready.js';
import { createClock } from '../../src/platform/clock.js';
import { question } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { childrenOf, isRunning } from '../support/survivors.js';
import { type App, type Workspace, workspace } from '../support/workspace.js';

const ends: (() => void)[] = [];
const endAll = () => {
  for (const end of ends.splice(0).reverse()) end();
};

interface Watched {
  readonly clock: ReturnType<typeof createClock>;
  readonly passive: Passive;
  readonly own: ReturnType<typeof createOwnPorts>;
}

function watch(app: App): Watched {
  const clock = createClock();
  const own = createOwnPorts(clock);
  const passive = watchPassively({ clock, pids: () => [app.pid], isOwnPort: own.has });
  ends.push(clock.close, passive.close);
  return { clock, passive, own };
}

/** A program that listens where it wants, whatever `$PORT` says. */
const httpServer = (port: number, host = '') => `
  import { createServer } from 'node:http';
  const server = createServer((request, response) => {
    if (request.url === '/slow') process.once('SIGUSR2', () => response.end('late'));
    else if (request.url === '/big') response.end(Buffer.alloc(64 * 1024 * 1024));
    else response.end('hello');
  });
  server.keepAliveTimeout = 0;
  server.listen(${port}, ${JSON.stringify(host || undefined)}, () => console.log('ready'));
`;

async function serve(ws: Workspace, program: string): Promise<App> {
  ws.write('server.mjs', program);
  const app = ws.start(process.execPath, ['server.mjs']);
  await app.line('ready');
  return app;
}

function dial(port: number, host = '127.0.0.1'): Promise<Socket> {
  return new Promise((done, fail) => {
    const socket = connect({ port, host, noDelay: true }, () => done(socket));
    socket.on('error', fail);
    ends.push(() => socket.destroy());
  });
}

const received = (socket: Socket, wanted: string) =>
  new Promise<void>((done, fail) => {
    let text = '';
    socket.on('data', (more) => {
      text += more;
      if (text.includes(wanted)) done();
    });
    socket.once('close', () => fail(new Error(`closed without '${wanted}': ${text}`)));
  });

const closed = (socket: Socket) => new Promise<void>((done) => socket.once('close', () => done()));

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;

/**
 * Short accesses that end by the server, by the client, or before anything was said. Each answers when the last thing
 * happened that it knows of, and only after its connection is gone.
 */
const manners: ((port: number, host: string, now: () => number) => Promise<number>)[] = [
  async (port, host, now) => {
    const socket = await dial(port, host);
    const [answer, end] = [received(socket, 'hello'), closed(socket)];
    socket.write(get('/', 'Connection: close\r\n'));
    await answer;
    const at = now();
    await end;
    return at;
  },
  async (port, host, now) => {
    const socket = await dial(port, host);
    const answer = received(socket, 'hello');
    socket.write(get('/'));
    await answer;
    const at = now();
    socket.end();
    await closed(socket);
    return at;
  },
  async (port, host, now) => {
    const socket = await dial(port, host);
    const at = now();
    socket.destroy();
    await closed(socket);
    return at;
  },
];

/** REQUESTS=1000 asks as often as that; by default fewer, for the time it takes. */
const requests = Number(question('REQUESTS') ?? 100);

describe('an access', () => {
  afterEach(endAll);

  test('each of many short requests at random moments renews, whoever closes first', { timeout: 240_000 }, async () => {
    const ws = workspace({});
    const port = reservePort();
    const app = await serve(ws, httpServer(port));
    const { clock, passive } = watch(app);
    const missed: number[] = [];
    let cost = 0;
    for (let request = 0; request < requests; request += 1) {
      // Moments of closing are known to 24 ms: with more between two requests none can pass for the other.
      const gap = 25 - Math.log(Math.random()) * 4;
      await new Promise<void>((done) => void clock.wakeAt(clock.now() + gap, done));
      const host = request % 2 === 0 ? '127.0.0.1' : '::1';
      const at = await manners[request % manners.length]!(port, host, clock.now);
      const asked = clock.now();
      const isSeen = passive.look().last >= at;
      cost += clock.now() - asked;
      if (!isSeen) {
        // One in some hundreds is reset by the kernel, leaves no row behind, and is told a moment later.
        const told = () => expect(passive.look().last).toBeGreaterThanOrEqual(at);
        await eventually(told).catch(() => missed.push(request));
      }
      ends.splice(2);
    }
    console.log(
      `${requests} requests: ${requests - missed.length} renewed, a look took ${(cost / requests).toFixed(1)} ms`,
    );
    expect(missed).toEqual([]);
  });

  test('several ports, on whatever address and whenever they are opened, are all watched', async () => {
    const ws = workspace({});
    const port = reservePort();
    const [first, second, third] = [port, reservePort(), reservePort()];
    const outside = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
    const app = await serve(
      ws,
      `import { createServer } from 'node:net';
     const serve = (port, host, done) => createServer((socket) => socket.end('hello')).listen(port, host, done);
     serve(${first}, '127.0.0.1', () => serve(${second}, '::', () => console.log('ready')));
     process.once('SIGUSR2', () => serve(${third}, ${JSON.stringify(outside)} ?? '::1', () => console.log('later')));`,
    );
    const { passive, clock } = watch(app);
    const access = async (port: number, host: string) => {
      const at = clock.now();
      const socket = await dial(port, host);
      socket.resume();
      await closed(socket);
      return passive.look().last >= at;
    };
    expect(passive.look()).toEqual({ last: -Infinity, busy: false, listens: true });
    expect(passive.ports).toEqual([first, second]);
    expect(await access(first, '127.0.0.1')).toBe(true);
    expect(await access(second, '127.0.0.1')).toBe(true);
    expect(await access(second, '::1')).toBe(true);
    if (outside) expect(await access(second, outside)).toBe(true);
    app.signal('SIGUSR2');
    await app.line('later');
    expect(await access(third, outside ?? '::1')).toBe(true);
    expect(passive.ports).toEqual([first, second, third]);
  });

  test('a program that listens on nothing and calls others has no access', async () => {
    const ws = workspace({});
    const other = createServer((socket) => socket.end('hello'));
    ends.push(() => other.close());
    await new Promise<void>((done) => void other.listen(0, '127.0.0.1', done));
    const { port } = other.address() as AddressInfo;
    const app = await serve(
      ws,
      `import { connect } from 'node:net';
     connect(${port}, '127.0.0.1').on('close', () => console.log('ready')).resume();
     setInterval(() => {}, 1000);`,
    );
    const { passive } = watch(app);
    expect(passive.look()).toEqual({ last: -Infinity, busy: false, listens: false });
    expect(passive.ports).toEqual([]);
  });

  test('what a service asks of others is no access to it', async () => {
    const ws = workspace({});
    const port = reservePort();
    const other = createServer((socket) => socket.write('hello'));
    ends.push(() => other.close());
    await new Promise<void>((done) => void other.listen(0, '127.0.0.1', done));
    const { port: others } = other.address() as AddressInfo;
    const app = await serve(
      ws,
      `import { connect, createServer } from 'node:net';
     createServer().listen(${port}, () => {
       connect(${others}, '127.0.0.1').once('data', () => console.log('ready'));
     });`,
    );
    expect(watch(app).passive.look()).toEqual({ last: -Infinity, busy: false, listens: true });
  });

  test("proclet's own readiness probes are no accesses, neither open nor closed", async () => {
    const ws = workspace({});
    const port = reservePort();
    const { passive, clock, own } = watch(await serve(ws, httpServer(port)));
    let looked: unknown;
    for (const ready of [{ kind: 'tcp' }, { kind: 'http', path: '/' }] as const) {
      await new Promise<void>((done) => {
        const onAttemptPort: typeof own.hold = (port) => {
          const ended = own.hold(port);
          // The connection has begun, and its first event has not come yet.
          looked ??= passive.look();
          return ended;
        };
        probeReady({ clock, ready, port, onReady: () => done(), onAttemptPort });
      });
      expect(passive.look()).toEqual({ last: -Infinity, busy: false, listens: true });
    }
    expect(looked).toEqual({ last: -Infinity, busy: false, listens: true });
    await manners[0]!(port, '127.0.0.1', clock.now);
    expect(passive.look().last).toBeGreaterThan(0);
  });

  test('a connection that was reset at once leaves no row behind and renews all the same', async () => {
    const ws = workspace({});
    const port = reservePort();
    const { clock, passive } = watch(await serve(ws, httpServer(port)));
    passive.look();
    await eventually(async () => {
      const at = clock.now();
      const socket = await dial(port);
      socket.resetAndDestroy();
      await closed(socket);
      // The first one may come before `ss` is there to tell of it.
      await eventually(() => expect(passive.look().last).toBeGreaterThanOrEqual(at), 3_000);
    }, 20_000);
  });

  test('nothing that was started for the watch is left when it ends', async () => {
    const ws = workspace({});
    const before = childrenOf(process.pid).length;
    const { passive } = watch(await serve(ws, httpServer(reservePort())));
    passive.look();
    const listening = () => childrenOf(process.pid).filter(({ command }) => command.includes('stdbuf'));
    await eventually(() => expect(listening().flatMap(({ pid }) => childrenOf(pid))).toHaveLength(1));
    const [shell] = listening();
    const [ss] = childrenOf(shell!.pid);
    expect(ss!.command).toContain('ss -EtniHO');
    passive.close();
    await eventually(() => expect([shell!.pid, ss!.pid].filter(isRunning)).toEqual([]));
    expect(childrenOf(process.pid)).toHaveLength(before + 1);
  });
});

/** Resolves when the clock has passed a moment: the fact that is waited for is that nothing happened until then. */
const passes = ({ clock }: Watched, moment: number) => eventually(() => expect(clock.now()).toBeGreaterThan(moment));

// They wait for time to pass, so they wait beside each other.
describe.concurrent('what is no access, or goes on,', () => {
  afterAll(endAll);

  test('a short request that nobody looked for is dated to when it was made', async ({ onTestFinished }) => {
    const ws = workspace({}, onTestFinished);
    const port = reservePort();
    const watched = watch(await serve(ws, httpServer(port)));
    watched.passive.look();
    const at = await manners[0]!(port, '127.0.0.1', watched.clock.now);
    const gone = watched.clock.now();
    await passes(watched, gone + 1_000);
    const asked = watched.clock.now();
    const { last, busy } = watched.passive.look();
    expect(last).toBeGreaterThanOrEqual(at);
    expect(last).toBeLessThan(asked);
    expect(busy).toBe(false);
    await passes(watched, gone + 5_500); // a regular look was in between
    expect(watched.passive.look().last).toBeLessThan(asked);
  });

  test('a keep-alive connection renews with every request and not in between', async ({ onTestFinished }) => {
    const ws = workspace({}, onTestFinished);
    const port = reservePort();
    const watched = watch(await serve(ws, httpServer(port)));
    const { passive, clock } = watched;
    const socket = await dial(port);
    for (let request = 0; request < 2; request += 1) {
      const answer = received(socket, 'hello');
      socket.write(get('/'));
      await answer;
      const at = clock.now();
      expect(passive.look().last).toBeGreaterThanOrEqual(at - 10); // the kernel's tick
      await eventually(() => expect(passive.look().busy).toBe(false));
      const quiet = clock.now();
      await passes(watched, quiet + 1_000);
      expect(passive.look().last).toBeLessThan(quiet);
      expect(passive.look()).toMatchObject({ busy: false, listens: true });
    }
  });

  test('a download that its reader paused is busy, and not when it is done', async ({ onTestFinished }) => {
    const ws = workspace({}, onTestFinished);
    const port = reservePort();
    const watched = watch(await serve(ws, httpServer(port)));
    const { passive, clock } = watched;
    const socket = await dial(port);
    let bytes = 0;
    socket.on('data', (more: Buffer) => {
      bytes += more.length;
      if (bytes < 1_000_000) socket.pause();
    });
    socket.write(get('/big'));
    await eventually(() => expect(bytes).toBeGreaterThan(0));
    const paused = clock.now();
    await passes(watched, paused + 2_500);
    const before = bytes;
    expect(passive.look().busy).toBe(true);
    expect(passive.look().last).toBeGreaterThan(paused + 2_500);
    expect(bytes).toBe(before);
    bytes = 1_000_000;
    socket.resume();
    await eventually(() => expect(bytes - 1_000_000 + before).toBeGreaterThan(64 * 1024 * 1024));
    await eventually(() => expect(passive.look().busy).toBe(false));
  });

  test('a connection on which messages come is busy until they end', async ({ onTestFinished }) => {
    const ws = workspace({}, onTestFinished);
    const port = reservePort();
    const app = await serve(
      ws,
      `import { createServer } from 'node:net';
     createServer((socket) => {
       const timer = setInterval(() => socket.write('tick'), 300);
       socket.on('data', () => { clearInterval(timer); socket.write('enough'); });
     }).listen(${port}, () => console.log('ready'));`,
    );
    const watched = watch(app);
    const { passive, clock } = watched;
    const socket = await dial(port);
    await received(socket, 'tick');
    const end = clock.now() + 2_500;
    while (clock.now() < end) {
      const asked = clock.now();
      const { last, busy } = passive.look();
      expect(busy).toBe(true);
      expect(last).toBeGreaterThanOrEqual(asked);
      await passes(watched, asked + 100);
    }
    const enough = received(socket, 'enough');
    socket.write('stop');
    await enough;
    await eventually(() => expect(passive.look().busy).toBe(false));
    expect(socket.destroyed).toBe(false);
  });

  test('a request that is not answered yet is busy, however long no byte moves', async ({ onTestFinished }) => {
    const ws = workspace({}, onTestFinished);
    const port = reservePort();
    const app = await serve(ws, httpServer(port));
    const watched = watch(app);
    const { passive, clock } = watched;
    const socket = await dial(port);
    const answer = received(socket, 'late');
    socket.write(get('/slow'));
    await eventually(() => expect(passive.look().busy).toBe(true));
    await passes(watched, clock.now() + 2_500);
    expect(passive.look().busy).toBe(true);
    app.signal('SIGUSR2');
    await answer;
    await eventually(() => expect(passive.look().busy).toBe(false));
  });

  test('the end of an idle connection does not renew', async ({ onTestFinished }) => {
    const ws = workspace({}, onTestFinished);
    const port = reservePort();
    const watched = watch(await serve(ws, httpServer(port)));
    const { clock, passive } = watched;
    const socket = await dial(port);
    const answer = received(socket, 'hello');
    socket.write(get('/'));
    await answer;
    await eventually(() => expect(passive.look().busy).toBe(false));
    const quiet = clock.now();
    await passes(watched, quiet + 500);
    expect(passive.look().last).toBeLessThan(quiet);
    socket.end();
    await closed(socket);
    await passes(watched, clock.now() + 500);
    expect(passive.look().last).toBeLessThan(quiet);
  });

  test('a connection on which nothing was ever said does not hold', async ({ onTestFinished }) => {
    const ws = workspace({}, onTestFinished);
    const port = reservePort();
    const watched = watch(await serve(ws, httpServer(port)));
    const { passive, clock } = watched;
    const at = clock.now();
    await dial(port);
    const { last, busy } = passive.look();
    expect(last).toBeGreaterThanOrEqual(at);
    expect(busy).toBe(false);
    const quiet = clock.now();
    await passes(watched, quiet + 1_000);
    expect(passive.look().last).toBeLessThan(quiet);
    expect(passive.look()).toMatchObject({ busy: false, listens: true });
  });
});
