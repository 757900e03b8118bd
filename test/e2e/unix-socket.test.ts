import { existsSync, mkdirSync } from 'node:fs';
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
