import { existsSync, lstatSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../src/control/client.js';
import { openControl } from '../../src/control/server.js';
import { listen } from '../../src/network/front-listen.js';
import { openListeners } from '../../src/network/listener.js';
import { makeWay } from '../../src/network/socket-file.js';
import { createClock } from '../../src/platform/clock.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'proclet-socket-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const isRoot = process.getuid?.() === 0;
/** nobody, and the group of the same number. */
const stranger = { uid: 65_534, gid: 65_534 };

/** A server that listens, as another program's. */
async function served(path: string): Promise<net.Server> {
  const server = net.createServer();
  await new Promise<void>((done) => server.listen(path, done));
  return server;
}

/** What a program that was killed has left. */
async function leave(path: string): Promise<void> {
  const server = await served(`${path}.2`);
  const { linkSync } = await import('node:fs');
  linkSync(`${path}.2`, path);
  await new Promise<void>((done) => void server.close(() => done()));
}

const dropped = (arrival: { drop(): void }) => arrival.drop();

describe.each([
  [
    'of a front',
    (path: string, mode?: number) => listen({ path, ...(mode !== undefined && { mode }) }, 'fast', dropped),
  ],
  [
    'that is inherited',
    async (path: string, mode?: number) => {
      const address = { path, ...(mode !== undefined && { mode }) };
      await makeWay(address);
      const [one] = openListeners([address]);
      return { close: () => one?.close() };
    },
  ],
])('a Unix socket %s', (_kind, open) => {
  test('takes the place of one on which nobody listens, and has the mode that it is to have', async () => {
    const path = join(directory, 'app.sock');
    await leave(path);
    const first = await open(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    first.close();
    await expect.poll(() => existsSync(path)).toBe(false);
    const second = await open(path, 0o660);
    expect(statSync(path).mode & 0o777).toBe(0o660);
    second.close();
  });

  test('never takes that of a program that listens, nor of a file that is no socket', async () => {
    const path = join(directory, 'app.sock');
    const other = await served(path);
    await expect(open(path)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(other.listening && lstatSync(path).isSocket()).toBe(true);
    other.close();
    const file = join(directory, 'text');
    writeFileSync(file, 'mine');
    await expect(open(file)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(statSync(file).size).toBe(4);
  });

  test('is refused where the system would cut its name, which stands nowhere then', async () => {
    const path = join(directory, 'x'.repeat(120));
    await expect(open(path)).rejects.toThrow(`and ${path} has ${path.length}`);
    expect(existsSync(path.slice(0, 107))).toBe(false);
  });
});

test.skipIf(!isRoot)('a Unix socket is given to another user', async () => {
  const path = join(directory, 'app.sock');
  const front = await listen({ path, mode: 0o620 }, 'fast', dropped, stranger);
  expect(statSync(path)).toMatchObject(stranger);
  expect(statSync(path).mode & 0o777).toBe(0o620);
  front.close();
  const [one] = openListeners([{ path }], [stranger]);
  expect(statSync(path)).toMatchObject(stranger);
  one?.close();
});

test('the socket of a run has no cut name either, for who opens it and who connects', async () => {
  const path = join(directory, 'x'.repeat(120));
  const clock = createClock();
  await expect(openControl(path, clock, () => Promise.reject(new Error()))).rejects.toThrow('XDG_RUNTIME_DIR');
  await expect(connect(path)).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  clock.close();
});
