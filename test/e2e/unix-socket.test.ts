import { existsSync, mkdirSync, statSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { statusOf } from '../support/launch.js';
import { bin, workspace } from '../support/workspace.js';

test('what a project’s files name is in its root, wherever it is started, and no kill leaves a socket', async () => {
  const ws = workspace({
    'p/Procfile': 'web: exec node ../serves.mjs',
    'p/proclet.yml':
      'services: {web: {listen: ./app.sock}}\ndefaults: {log-dir: logs, pid-file: run.pid, env: own.env}',
    'p/own.env': 'ONE=1\n',
    'own.env': 'nonsense without an equals sign\n',
  });
  mkdirSync(join(ws.directory, 'elsewhere'));
  const start = () =>
    ws.start('sh', [
      '-c',
      'cd elsewhere && exec "$0" "$@"',
      process.execPath,
      bin,
      'start',
      '-d',
      '../p',
      '-p',
      String(ws.port),
    ]);
  for (const signal of ['SIGKILL', 'SIGINT'] as const) {
    const app = start();
    await app.line(/web\.1 .*(?:started|\|)/);
    const files = ['app.sock', 'run.pid', 'logs/web.log'].map((name) => join(ws.directory, 'p', name));
    await eventually(() => expect(files.map(existsSync)).toEqual([true, true, true]));
    app.signal(signal);
    if (signal === 'SIGINT') expect(await statusOf(app)).toBe(130);
    await eventually(() => expect(existsSync(files[0] ?? '')).toBe(false));
    await eventually(() => expect(ws.survivors()).toEqual([]));
  }
});

test('whom a socket lets in is changed by HUP while a life listens on it', async () => {
  const config = (mode: string) => `services: {web: {listen: {path: ./app.sock, mode: "${mode}"}}}\n`;
  const ws = workspace({ Procfile: 'web: exec node serves.mjs', 'proclet.yml': config('0600') });
  const path = join(ws.directory, 'app.sock');
  const answers = () =>
    new Promise((resolve, reject) => {
      http.get({ socketPath: path, path: '/' }, (answer) => resolve(answer.resume().statusCode)).on('error', reject);
    });
  const app = ws.proclet('start', '-p', String(ws.port));
  await eventually(async () => expect(await answers()).toBe(200));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  ws.write('proclet.yml', config('0660'));
  app.signal('SIGHUP');
  await app.line('the configuration was read again; changed: web');
  await eventually(() => expect(statSync(path).mode & 0o777).toBe(0o660));
  await eventually(async () => expect(await answers()).toBe(200));
  expect(app.text).not.toContain('cannot be reached');
  app.signal('SIGINT');
  expect(await statusOf(app)).toBe(130);
  expect(ws.survivors()).toEqual([]);
});
