import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openListeners } from '../../src/network/listener.js';
import { environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { claimPorts } from '../support/port-blocks.js';

function ask(where: { host: string; port: number } | { path: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(where);
    let text = '';
    socket.setEncoding('utf8').on('data', (more) => {
      text += more;
    });
    socket.on('error', reject).on('close', () => resolve(text));
  });
}

/** A program that accepts from descriptor 3 and says its name. */
function serve(name: string, fd: number) {
  const script = `require('net').createServer((s) => s.end(${JSON.stringify(name)})).listen({ fd: 3 }); process.on('SIGTERM', () => process.exit())`;
  return spawn(process.execPath, ['-e', script], {
    stdio: ['ignore', 'inherit', 'inherit', fd],
    env: environment(),
  });
}

test('a socket listens although nobody accepts; who connects waits for the next that inherits it', async () => {
  const address = { host: '127.0.0.1', port: claimPorts() };
  const [listener] = openListeners([address]);
  if (listener === undefined) throw new Error('no listener');
  const early = ask(address);
  const first = serve('first', listener.fd);
  expect(await early).toBe('first');
  first.kill();
  await new Promise((done) => first.once('exit', done));
  const between = ask(address);
  const second = serve('second', listener.fd);
  expect(await between).toBe('second');
  second.kill();
  await new Promise((done) => second.once('exit', done));
  listener.close();
  await expect(ask(address)).rejects.toThrow('ECONNREFUSED');
});

test('it blocks, as a plain accept expects, until somebody wants it otherwise', () => {
  const [listener] = openListeners([{ host: '127.0.0.1', port: claimPorts() }]);
  const flags = spawnSync('sh', ['-c', 'sed -n s/flags:.//p /proc/self/fdinfo/3'], {
    stdio: ['ignore', 'pipe', 'inherit', listener?.fd ?? 0],
    env: environment(),
  });
  expect(Number.parseInt(String(flags.stdout).trim(), 8) & 0o4000).toBe(0);
  listener?.close();
});

test('addresses of every kind, or none when one cannot be had', async () => {
  const port = claimPorts();
  const directory = mkdtempSync(join(tmpdir(), 'proclet-listener-'));
  const path = join(directory, 'app.sock');
  const all = [{ host: '127.0.0.1', port }, { host: '::1', port: port + 1 }, { path }];
  const listeners = openListeners(all);
  expect(listeners.map(({ name }) => name)).toEqual([`127.0.0.1:${port}`, `[::1]:${port + 1}`, path]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  for (const listener of listeners) listener.close();
  await eventually(() => expect(existsSync(path)).toBe(false));
  const other = createServer();
  await new Promise<void>((done) => other.listen(port + 1, '::1', done));
  expect(() => openListeners(all)).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }));
  await expect(ask({ host: '127.0.0.1', port })).rejects.toThrow('ECONNREFUSED');
  other.close();
  rmSync(directory, { recursive: true, force: true });
});
