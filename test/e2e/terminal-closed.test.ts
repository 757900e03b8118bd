/** The promise: a terminal that is closed ends what runs in it as a stop does, with nothing said to nobody. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { has } from '../support/terminal.js';
import { bin, type Workspace, workspace } from '../support/workspace.js';

const testHere = test.skipIf(!has('python3'));

const files = {
  Procfile: 'own: node ends-in-its-time.mjs own.txt\nusual: node ends-in-its-time.mjs usual.txt',
  'proclet.yml': 'services: {own: {stop-signal: USR1}}',
};

/** A command in a terminal that is closed once it shows the pattern. */
function closedUnder(ws: Workspace, how: 'eio' | 'hup', pattern: string, ...args: string[]) {
  return ws.start('python3', ['hangs-up.py', how, pattern, process.execPath, bin, ...args]);
}

describe.each(['eio', 'hup'] as const)('a terminal that is closed, noticed by %s', (how) => {
  testHere('gives each service its own stop signal and time, and proclet ends with 129', async () => {
    const ws = workspace(files);
    // What has not printed yet may not have its handlers yet.
    const both = '(?=[\\s\\S]*own.1[^\n]*tick)(?=[\\s\\S]*usual.1[^\n]*tick)';
    const app = closedUnder(ws, how, both, 'start', '--pid-file', 'pid', '-t', '1m');
    await app.line('status 129', 30_000);
    expect(ws.read('own.txt')).toBe('SIGUSR1\nin its time\n');
    expect(ws.read('usual.txt')).toBe('SIGTERM\nin its time\n');
    expect(existsSync(join(ws.directory, 'pid'))).toBe(false);
  });
});

testHere('a terminal that is closed ends proclet run with 129, its program in its own time', async () => {
  const ws = workspace(files);
  const app = closedUnder(ws, 'hup', 'tick', 'run', 'own', '-t', '1m');
  await app.line('status 129', 30_000);
  expect(ws.read('own.txt')).toBe('SIGUSR1\nin its time\n');
});

describe('a terminal that is closed without a signal ends', () => {
  testHere.each([
    ['logs -f', ['logs', '-f']],
    ['events -f', ['events', '-f']],
    ['attach', ['attach']],
    ['ps --watch', ['ps', '--watch']],
    ['attach SERVICE', ['attach', 'own']],
  ])('%s, and not what it looks at', async (_, args) => {
    const ws = workspace(files);
    const app = ws.proclet('start');
    await app.line('own.1 | tick');
    const looking = closedUnder(ws, 'eio', 'own', ...args);
    await looking.line('status 129');
    app.signal('SIGTERM');
    await app.exited;
  });
});

testHere('a terminal that is closed ends the launcher, once', async () => {
  const ws = workspace({});
  const app = closedUnder(ws, 'hup', 'launcher is at', 'launcher', '--port', String(ws.port));
  await app.line('status 129', 30_000);
});

testHere('a reader that goes away ends logs -f', async () => {
  const ws = workspace(files);
  const app = ws.proclet('start');
  await app.line('own.1 | tick');
  const looking = ws.start('sh', ['-c', '"$0" "$1" logs -f | grep -m 1 tick', process.execPath, bin]);
  await looking.line('tick');
  expect(await looking.exited).toEqual({ how: 'code', code: 0 });
  app.signal('SIGTERM');
  await app.exited;
  await eventually(() => expect(ws.survivors()).toEqual([]));
});
