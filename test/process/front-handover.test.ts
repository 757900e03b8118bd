/** What becomes of the connections to a service that is replaced: what is owed is answered, what comes next is led on. */
import { describe, expect, test } from 'vitest';
import type { Address } from '../../src/network/front.js';
import { eventually } from '../support/eventually.js';
import { FakeClock } from '../support/fake-clock.js';
import { client, front, type Peer, type Service, service } from '../support/front-peers.js';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
const ok = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** Answers each request with the name of the service and what was asked. */
const answering = (name: string) =>
  service((peer) => {
    let rest = '';
    peer.read();
    peer.socket.on('data', (chunk: Buffer) => {
      const heads = (rest + chunk.toString('latin1')).split('\r\n\r\n');
      rest = heads.pop() ?? '';
      for (const head of heads) peer.socket.write(ok(`${name} ${head.split(' ')[1]}`));
    });
    peer.socket.on('end', () => peer.socket.end());
  });

/** What the kernel has is read. */
const settles = async () => {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** A front before an old service that answers nothing by itself, and a new one that does. */
async function stage() {
  const clock = new FakeClock();
  const old = await service((peer) => peer.read());
  const fresh = await answering('new');
  let target: Address = old.address;
  const fronted = await front({ clock, target: () => target });
  const handOver = (within = 5_000) => {
    target = fresh.address;
    let isOver = false;
    const drained = fronted.drain(old.address, within).then(() => {
      isOver = true;
    });
    return {
      drained,
      get isOver() {
        return isOver;
      },
    };
  };
  const passes = async (time: number) => {
    for (let at = 0; at < time; at += 20) {
      clock.advance(20);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { clock, old, fresh, fronted, handOver, passes };
}

async function connect(fronted: { address: Address }, upstream: Service, says: string): Promise<[Peer, Peer]> {
  const near = await client(fronted.address);
  near.socket.write(Buffer.from(says, 'latin1'));
  const far = await upstream.next();
  await far.hears(says);
  return [near, far];
}

describe('at a handover', () => {
  test.each([
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', 'first', 'last'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '5\r\nfirst\r\n', '4\r\nlast\r\n0\r\n\r\n'],
    ['an interim answer', 'HTTP/1.1 103 Early Hints\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n', 'last'],
  ])('an answer with %s that pauses is not cut, and the next request goes to the new one', async (_, ...parts) => {
    const { old, fronted, handOver, passes } = await stage();
    const [near, far] = await connect(fronted, old, get('/'));
    const [head, middle, last] = parts;
    far.socket.write(head);
    await near.hears(head);
    const handover = handOver();
    await passes(1_000);
    far.socket.write(middle);
    await near.hears(middle);
    await passes(1_000);
    expect(handover.isOver).toBe(false);
    far.socket.write(last);
    await near.hears(last);
    await passes(40);
    await handover.drained;
    near.socket.write(get('/next'));
    await near.hears('new /next');
    expect(near.text).toBe(head + middle + last + ok('new /next'));
  });

  test('an answer that lasts as long as its connection is not cut', async () => {
    const { old, fronted, handOver, passes } = await stage();
    const [near, far] = await connect(fronted, old, 'GET / HTTP/1.0\r\n\r\n');
    far.socket.write('HTTP/1.0 200 OK\r\n\r\nfirst ');
    await near.hears('first ');
    const handover = handOver();
    await passes(2_000);
    expect(handover.isOver).toBe(false);
    far.socket.end('last');
    await near.ends();
    expect(near.text).toMatch(/first last$/);
  });

  test('a request that comes behind one that is not answered yet is answered by the new one, in its turn', async () => {
    const { old, fronted, handOver, passes } = await stage();
    const [near, far] = await connect(fronted, old, get('/one'));
    const handover = handOver();
    const [first = '', rest = ''] = [get('/two').slice(0, 7), get('/two').slice(7)];
    near.socket.write(first);
    await passes(200);
    near.socket.write(`${rest}${get('/three')}`);
    await passes(200);
    expect(handover.isOver).toBe(false);
    expect(far.text).toBe(get('/one'));
    far.socket.write(ok('old /one'));
    await near.hears('new /three');
    expect(near.text).toBe(ok('old /one') + ok('new /two') + ok('new /three'));
    await passes(40);
    await handover.drained;
  });

  test('a body that waits for 100 Continue goes where its head went', async () => {
    const { old, fronted, handOver, passes } = await stage();
    const head = 'PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 18\r\n\r\n';
    const [near, far] = await connect(fronted, old, head);
    const handover = handOver();
    await passes(500);
    far.socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    await near.hears('100 Continue');
    await passes(500);
    near.socket.write('GET / HTTP/1.1\r\n\r\n');
    await far.hears(`${head}GET / HTTP/1.1\r\n\r\n`);
    expect(handover.isOver).toBe(false);
    far.socket.write(ok('done'));
    await near.hears('done');
    await passes(40);
    await handover.drained;
  });

  test.each([
    ['TLS', '\x16\x03\x01\x02\0\x01', '\x16\x03\x03'],
    ['Redis', 'PING\r\n', '+PONG\r\n'],
    ['a WebSocket', 'GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ])('%s has the whole grace, and is not closed by the front then either', async (_, says, answer) => {
    const { old, fronted, handOver, passes } = await stage();
    const [near, far] = await connect(fronted, old, says);
    far.socket.write(Buffer.from(answer, 'latin1'));
    await near.hears(answer);
    const handover = handOver(5_000);
    await passes(4_980);
    expect(handover.isOver).toBe(false);
    await passes(40);
    await handover.drained;
    near.socket.write('still here');
    await far.hears('still here');
  });

  test('a client at rest stays, loses the old service at once, and is closed after a minute without a request', async () => {
    const { clock, old, fronted, handOver } = await stage();
    const [near, far] = await connect(fronted, old, get('/'));
    far.socket.write(ok('old'));
    await near.hears('old');
    const silent = await client(fronted.address);
    const unused = await old.next();
    await handOver().drained;
    await far.ends();
    unused.read();
    await unused.ends();
    expect(fronted).toMatchObject({ connections: 2, inFlight: 0 });
    silent.socket.write(get('/first'));
    await silent.hears('new /first');
    clock.advance(59_999);
    expect(near.hasEnded).toBe(false);
    clock.advance(1);
    await near.ends();
    near.socket.end();
    expect(await near.closes()).toBe('closed');
    expect(fronted.connections).toBe(1);
  });

  test('a client at rest that hangs up then is gone', async () => {
    const { old, fronted, handOver } = await stage();
    const [near, far] = await connect(fronted, old, get('/'));
    far.socket.write(ok('old'));
    await near.hears('old');
    await handOver().drained;
    near.socket.end();
    expect(await near.closes()).toBe('closed');
    await eventually(() => expect(fronted.connections).toBe(0));
  });
});

describe('where each request asks where it goes', () => {
  async function asking(names: readonly string[] = ['old', 'new']) {
    const services = await Promise.all(names.map(answering));
    let at = 0;
    const asked: (Address | undefined)[] = [];
    let failure: Error | undefined;
    let gate = Promise.resolve();
    const fronted = await front({
      asksAgain: () => true,
      target: async (current) => {
        asked.push(current);
        await gate;
        if (failure !== undefined) throw failure;
        return (services[at] as Service).address;
      },
    });
    const near = await client(fronted.address);
    const ask = async (path: string) => {
      near.socket.write(get(path));
      return await near.hears(path);
    };
    return {
      services,
      fronted,
      near,
      asked,
      ask,
      goTo: (index: number) => {
        at = index;
      },
      hold() {
        let open = () => {};
        gate = new Promise((resolve) => {
          open = resolve;
        });
        return open;
      },
      fail: (error: Error) => {
        failure = error;
      },
    };
  }

  test('the next one on a kept connection goes to the new service, in whatever pieces it comes', async () => {
    const { near, ask, goTo } = await asking();
    expect(await ask('/1')).toContain('old /1');
    goTo(1);
    const request = get('/2');
    for (const character of request) {
      near.socket.write(character);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await near.hears('new /2');
  });

  test('those that are sent at once are each answered in their turn, and ask each', async () => {
    const { near, asked, goTo, services } = await asking();
    near.socket.write(get('/1'));
    await near.hears('old /1');
    near.socket.write(['/2', '/3', '/4'].map(get).join(''));
    goTo(1);
    await near.hears('new /4');
    expect(near.text).toMatch(/old \/1[\s\S]*\/2[\s\S]*new \/3[\s\S]*new \/4$/);
    expect(asked.length).toBeGreaterThanOrEqual(4);
    expect(services[1]?.peers.length).toBe(1);
  });

  test('a hundred that are led to the same one use one connection', async () => {
    const { ask, services, fronted } = await asking();
    for (let n = 0; n < 100; n += 1) await ask(`/${n}.`);
    expect(services[0]?.peers.length).toBe(1);
    expect(fronted).toMatchObject({ connections: 1, waiting: 0, inFlight: 0 });
  });

  test('one whose service hangs up while it waits gets another connection', async () => {
    const { near, ask, services, hold, fronted } = await asking();
    await ask('/1');
    const first = await (services[0] as Service).next();
    const open = hold();
    near.socket.write(get('/2'));
    await eventually(() => expect(fronted.waiting).toBe(1));
    first.socket.destroy();
    await first.closes();
    await settles();
    open();
    await near.hears('old /2');
    expect(services[0]?.peers.length).toBe(2);
  });

  test('a client that hangs up while its next request waits is answered, and one that resets is gone', async () => {
    const { near, ask, hold, fronted } = await asking();
    await ask('/1');
    const open = hold();
    near.socket.end(get('/2'));
    await eventually(() => expect(fronted.waiting).toBe(1));
    const other = await client(fronted.address);
    other.socket.write(get('/3'));
    await eventually(() => expect(fronted.waiting).toBe(2));
    other.socket.resetAndDestroy();
    await eventually(() => expect(fronted.waiting).toBe(1));
    open();
    await near.hears('old /2');
    expect(await near.closes()).toBe('closed');
    await eventually(() => expect(fronted.connections).toBe(0));
  });

  test('one for which there is no service reads why, on the connection that it has', async () => {
    const { near, ask, fail } = await asking();
    await ask('/1');
    fail(new Error('cannot run'));
    near.socket.write(get('/2'));
    await near.hears('502 Bad Gateway');
    await near.hears('cannot run');
    await near.ends();
  });

  test('what is not HTTP/1 stays, and what its client says asks all the same', async () => {
    const heard = await service((peer) => peer.read());
    const asked: (Address | undefined)[] = [];
    const fronted = await front({
      asksAgain: () => true,
      target: async (current) => {
        asked.push(current);
        return heard.address;
      },
    });
    const near = await client(fronted.address);
    near.socket.write('PING\r\n');
    const far = await heard.next();
    await far.hears('PING');
    const before = asked.length;
    near.socket.write('PING again\r\n');
    await far.hears('PING again');
    await eventually(() => expect(asked.length).toBeGreaterThan(before));
    expect(heard.peers.length).toBe(1);
  });
});
