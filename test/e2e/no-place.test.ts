/** The promise: where a place of proclet's own cannot be, it says what is missing, what still works, and how to end a run. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { procletWith, shell, statusOf } from '../support/launch.js';
import { workspace } from '../support/workspace.js';

test.skipIf(process.platform !== 'linux')(
  'a home that cannot be made keeps nothing busy, and start works',
  async () => {
    const ws = workspace({ Procfile: 'web: echo hi' });
    const none = { HOME: '/proc/proclet-none', XDG_CACHE_HOME: undefined, XDG_STATE_HOME: undefined };
    const started = procletWith(ws, none, 'start');
    expect([await statusOf(started), started.text]).toEqual([0, expect.stringContaining('web.1 | hi')]);
    const detached = procletWith(ws, none, 'start', '-D');
    expect(await statusOf(detached)).toBe(1);
    expect(detached.text).toContain('the output of a run in the background has no place');
    expect(detached.text).toContain('Set XDG_STATE_HOME');
    expect(ws.survivors()).toEqual([]);
  },
);

test('a run whose socket would have too long a path is ended by its pid, as every command says', async () => {
  const ws = workspace({ Procfile: 'web: sleep 1000' });
  const places = { XDG_RUNTIME_DIR: join(ws.directory, 'r'.repeat(110)), XDG_STATE_HOME: join(ws.directory, 'state') };
  mkdirSync(places.XDG_RUNTIME_DIR, { mode: 0o700 });
  const begun = procletWith(ws, places, 'start', '-D');
  await statusOf(begun);
  const pid = Number(/\(pid (\d+)\), and no other command reaches it/.exec(begun.text)?.[1]);
  expect(begun.text).toContain(`kill ${pid} ends it and its services`);
  for (const command of ['ps', 'stop', 'restart', 'logs', 'wait']) {
    const asked = procletWith(ws, places, command);
    expect(await statusOf(asked)).not.toBe(0);
    expect(asked.text).toContain('has no socket, so that no other command reaches it');
    expect(asked.text).toContain(`kill ${pid} ends it and its services`);
  }
  process.kill(pid, 'SIGTERM');
  await eventually(() => expect(ws.survivors()).toEqual([]));
});

test('in a directory that was removed it says what to do, and what needs no directory works', async () => {
  const ws = workspace({ Procfile: 'web: sleep 1000' });
  const gone = shell(ws, 'mkdir gone; cd gone; rmdir ../gone; proclet project list && proclet start');
  expect([await statusOf(gone), gone.stderr]).toEqual([
    2,
    'proclet: the directory that this was called in has been removed\n' +
      '  Go to one that is there with cd, also if there is one of the same name again.\n',
  ]);
  expect(gone.stdout).toContain('No project is registered');
  expect(ws.survivors()).toEqual([]);
});
