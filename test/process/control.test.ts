import { statSync } from 'node:fs';
import net from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { connect } from '../../src/control/client.js';
import { controlled, talk } from '../support/control.js';
import { question } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { code } from '../support/fake-children.js';
import { planOf } from '../support/plans.js';

const frames = Number(question('FRAMES') ?? 3_000);
const plan = planOf({ web: { count: 2, ttl: 60_000 }, worker: {} });

/** That the run answers, whatever else is going on. */
async function isWell(path: string): Promise<void> {
  const client = await connect(path);
  const { services } = await client.request<{ services: { tag: string }[] }>({ verb: 'ps' });
  client.close();
  expect(services.map(({ tag }) => tag)).toEqual(['web', 'worker']);
}

describe('the socket of a run', () => {
  test('is for its user alone', async () => {
    const { path } = await controlled(plan);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('answers many that wait at once without a warning of Node', async () => {
    const warnings: Error[] = [];
    const heard = (warning: Error) => void warnings.push(warning);
    process.on('warning', heard);
    const { path } = await controlled(plan);
    const one = talk(path);
    for (let id = 0; id < 40; id += 1) one.say({ v: 1, id, verb: 'events', follow: true });
    one.say({ v: 1, id: 'last', verb: 'hello' });
    await eventually(() => expect(one.replies.some((reply) => reply['id'] === 'last')).toBe(true));
    one.socket.destroy();
    process.off('warning', heard);
    expect(warnings).toEqual([]);
  });

  test('answers a line with a line, and says which one it answers', async () => {
    const { path } = await controlled(plan);
    const one = talk(path);
    one.say({ v: 1, id: 'a', verb: 'hello' });
    one.say({ v: 1, id: 2, verb: 'extend', targets: ['web'], by: 60_000 });
    await eventually(() => expect(one.replies).toHaveLength(2));
    expect(one.replies[0]).toMatchObject({ id: 'a', ok: true, result: { protocol: 1 } });
    expect(one.replies[1]).toMatchObject({ id: 2, ok: true, result: { services: [{ lease: { ttl: 120_000 } }] } });
    one.socket.end();
    await one.closed;
  });

  test('says that a service is stopped when it is, though another one only waited for its next life', async () => {
    const { path, children } = await controlled(planOf({ broken: {}, web: {} }));
    children.exit('broken.1', code(1));
    const one = talk(path);
    one.say({ v: 1, id: 'a', verb: 'stop', targets: ['*'] });
    await eventually(() => expect(children.log.at(-1)).toBe('web.1 SIGTERM'));
    one.say({ v: 1, id: 'b', verb: 'hello' });
    await eventually(() => expect(one.replies.map(({ id }) => id)).toEqual(['b']));
    children.exit('web.1', code(0));
    await eventually(() => expect(one.replies.map(({ id }) => id)).toEqual(['b', 'a']));
    expect(one.replies[1]).toMatchObject({ ok: true, result: { ended: [{ id: 'broken.1' }, { id: 'web.1' }] } });
    one.socket.destroy();
  });

  test.each([
    ['nonsense\n', 'that line is not JSON'],
    ['{"v":2,"verb":"ps"}\n', 'v: must be 1'],
    ['{"v":1,"id":9,"verb":"dance"}\n', 'Invalid'],
    ['{"v":1,"verb":"extend","targets":"web","by":1}\n', 'targets: must be a list'],
    ['[]\n', 'expected object'],
  ])('says what is wrong with %s', async (line, message) => {
    const { path } = await controlled(plan);
    const one = talk(path);
    one.say(line);
    await eventually(() => expect(one.replies).toHaveLength(1));
    expect(one.replies[0]).toMatchObject({
      ok: false,
      error: { code: 'PROTOCOL', message: expect.stringContaining(message) },
    });
    one.say({ v: 1, id: 1, verb: 'hello' });
    await eventually(() => expect(one.replies).toHaveLength(2));
    one.socket.destroy();
    await isWell(path);
  });

  test('refuses what makes no sense, with the reason', async () => {
    const { path } = await controlled(plan);
    const client = await connect(path);
    await expect(client.request({ verb: 'stop', targets: ['wbe'] })).rejects.toThrow(
      'there is no service wbe; these run here: web, worker',
    );
    await expect(client.request({ verb: 'stop', targets: ['web.3'] })).rejects.toThrow(
      'there is no instance web.3: web has 2 instances',
    );
    await expect(client.request({ verb: 'extend', targets: ['worker'], by: 1 })).rejects.toThrow(
      'worker has no ttl and no idle window',
    );
    client.close();
  });

  test('rejects what a client asks after its connection was closed for another one', async () => {
    const { path } = await controlled(plan);
    const first = await connect(path);
    await first.request({ verb: 'hello' });
    const others = Array.from({ length: 256 }, () => talk(path));
    await eventually(() => expect(first.request({ verb: 'hello' })).rejects.toMatchObject({ code: 'NOT_RUNNING' }));
    for (const one of others) one.socket.destroy();
    await isWell(path);
  });

  test('cuts off a client whose line has no end', async () => {
    const { path } = await controlled(plan);
    const one = talk(path);
    one.say('x'.repeat(70_000));
    await eventually(() => expect(one.socket.readableEnded).toBe(true));
    one.socket.destroy();
    expect(one.replies).toMatchObject([
      { ok: false, error: { code: 'PROTOCOL', message: 'a line is longer than 65536 characters' } },
    ]);
    await isWell(path);
  });

  test('answers a request that comes in pieces, and one whose sender has nothing more to say', async () => {
    const { path } = await controlled(plan);
    const one = talk(path);
    for (const piece of '{"v":1,"id":1,"ve') one.say(piece);
    one.say('rb":"hello"}\n');
    one.socket.end();
    await one.closed;
    expect(one.replies).toMatchObject([{ id: 1, ok: true }]);
  });

  test('leaves events out for a client that does not read them, and tells it how many', async () => {
    const { path, children } = await controlled(plan);
    const one = talk(path);
    one.say({ v: 1, id: 1, verb: 'events', follow: true });
    await eventually(() => expect(one.replies.length).toBeGreaterThan(2));
    one.socket.pause();
    for (let n = 0; n < 400; n += 1) children.print('web.1', `${'y'.repeat(10_000)}\n`);
    await isWell(path);
    one.socket.resume();
    await eventually(() => expect(one.replies.length).toBeGreaterThan(50));
    children.print('web.1', 'the last\n');
    await eventually(() => expect(one.replies.at(-1)).toMatchObject({ event: { text: 'the last' } }));
    const skipped = one.replies
      .filter((reply) => 'skipped' in reply)
      .reduce((sum, reply) => sum + Number(reply['skipped']), 0);
    const shown = one.replies.filter((reply) =>
      (reply['event'] as { text?: string } | undefined)?.text?.startsWith('yyy'),
    ).length;
    expect(skipped).toBeGreaterThan(0);
    expect(shown + skipped).toBe(400);
    one.socket.destroy();
  });

  test('answers while ten thousand connections are opened that say nothing', async () => {
    const { path } = await controlled(plan);
    let refused = 0;
    const open = () =>
      new Promise<void>((resolve) => {
        const socket = net.connect(path);
        socket.on('data', () => {
          refused += 1;
        });
        socket.on('error', () => resolve());
        socket.once('connect', () => resolve());
        socket.once('close', () => sockets.delete(socket));
        sockets.add(socket);
      });
    const sockets = new Set<net.Socket>();
    for (let batch = 0; batch < 50; batch += 1) {
      await Promise.all(Array.from({ length: 200 }, open));
      if (batch % 10 === 0) await isWell(path);
    }
    await isWell(path);
    expect(refused).toBeGreaterThan(0);
    expect(sockets.size).toBeLessThan(2_000);
    for (const socket of sockets) socket.destroy();
  }, 60_000);

  test(`survives ${frames} random frames`, async () => {
    const { path } = await controlled(plan);
    const verbs = [
      'ps',
      'hello',
      'stop',
      'restart',
      'scale',
      'signal',
      'extend',
      'expire',
      'touch',
      'keep',
      'send',
      'events',
      'wait',
      'attach',
      'resize',
    ];
    const value = fc.oneof(
      fc.json({ maxDepth: 2 }),
      fc.string({ maxLength: 40 }),
      fc.constantFrom('["web"]', '[]', '"web"', '0', '-1', '1e309', 'null'),
    );
    const field = fc.constantFrom(
      'targets',
      'target',
      'by',
      'counts',
      'signal',
      'timeout',
      'text',
      'follow',
      'last',
      'since',
      'columns',
      'id',
      'v',
      '__proto__',
    );
    const frame = fc.oneof(
      {
        weight: 5,
        arbitrary: fc
          .tuple(fc.constantFrom(...verbs), fc.array(fc.tuple(field, value), { maxLength: 4 }))
          .map(
            ([verb, fields]) =>
              `{"v":1,"verb":"${verb}"${fields.map(([name, text]) => `,"${name}":${text}`).join('')}}\n`,
          ),
      },
      { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')) },
    );
    const all = fc.sample(frame, { numRuns: frames, seed: 20_261_123 });
    for (let at = 0; at < all.length; at += 50) {
      const one = talk(path);
      for (const text of all.slice(at, at + 50)) one.socket.write(text, 'latin1');
      one.socket.write('\n');
      one.say({ v: 1, id: 'last', verb: 'hello' });
      // Events that are followed never end by themselves, so the client goes.
      await eventually(() =>
        expect(one.socket.destroyed || one.replies.some(({ id }) => id === 'last') || one.socket.readableEnded).toBe(
          true,
        ),
      );
      one.socket.destroy();
      await one.closed;
    }
    await isWell(path);
  }, 600_000);
});
