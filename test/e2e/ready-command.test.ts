/** The promise: a command says when a service is ready, and leaves nothing behind, however its service ends. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { linesOf, statusOf } from '../support/launch.js';
import { workspace } from '../support/workspace.js';

test('what is after a service starts when its command exits with 0, and of its attempts nothing is shown or left', async () => {
  const ws = workspace({
    Procfile: 'db: exec sleep 600\nweb: exec sleep 600',
    'proclet.yml': `services:
  db:
    directory: data
    env: {NAME: up}
    ready: {command: 'sleep 600 & echo "$PS $PORT" >>../tried; echo not shown; test -e $NAME'}
  web: {after: [db]}
`,
    'data/none': '',
  });
  const app = ws.proclet('start', '-p', String(ws.port));
  const tried = () => readFileSync(join(ws.directory, 'tried'), 'utf8').trim().split('\n');
  await eventually(() => expect(tried().length).toBeGreaterThan(2));
  expect(app.text).not.toContain('web.1 started');
  ws.write('data/up', '');
  await app.line('db.1 is ready');
  await app.line('web.1 started');
  expect(new Set(tried())).toEqual(new Set([`db.1 ${ws.port}`]));
  expect(app.text).not.toContain('not shown');
  const sleeping = () => ws.survivors().filter(({ command }) => command.startsWith('sleep'));
  await eventually(() => expect(sleeping()).toHaveLength(2));
  app.signal('SIGINT');
  expect(await statusOf(app)).toBe(130);
  expect(ws.survivors()).toEqual([]);
});

test('a service that never gets ready ends with its command, and what that said is told once', async () => {
  const ws = workspace({
    Procfile: 'db: exec sleep 600',
    'proclet.yml': 'services: {db: {restart: never, ready: {command: "echo no response; sleep 600", timeout: 500ms}}}',
  });
  const app = ws.proclet('start');
  expect(await statusOf(app)).toBe(143);
  const said = linesOf(app, 'proclet').join('\n');
  expect(said).toMatch(
    /db\.1 is not ready after [\d.]+m?s; ending it\ndb\.1: 'echo no response; sleep 600' was run once/,
  );
  expect(said.match(/db\.1: no response/g)).toHaveLength(1);
  expect(ws.survivors()).toEqual([]);
});

test('a proclet that is killed leaves nothing of a command that is under way', async () => {
  const ws = workspace({
    Procfile: 'db: exec sleep 600',
    'proclet.yml': 'services: {db: {ready: {command: "touch tried; trap \'\' TERM; sleep 600 & wait; sleep 600"}}}',
  });
  const app = ws.proclet('start');
  await eventually(() => expect(existsSync(join(ws.directory, 'tried'))).toBe(true));
  app.signal('SIGKILL');
  await eventually(() => expect(ws.survivors()).toEqual([]));
});
