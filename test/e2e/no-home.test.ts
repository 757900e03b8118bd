/** The promise: proclet works for a user who has no HOME, also for one whom the system does not know. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { environment } from '../support/environment.js';
import { statusOf } from '../support/launch.js';
import { bin, type Workspace, workspace } from '../support/workspace.js';

/** A bare number, as of `docker run --user`. */
const stranger = ['--reuid', '54321', '--regid', '54321', '--clear-groups', '--', process.execPath, bin];
const canBeStranger = spawnSync('setpriv', [...stranger.slice(0, -2), 'test', '-r', bin], { env: environment() });

const users: Record<string, (ws: Workspace, args: string[]) => [string, string[]]> = {
  'the user who runs the tests': (_, args) => [process.execPath, [bin, ...args]],
  'a user without a name': (_, args) => ['setpriv', [...stranger, ...args]],
};

describe.each(Object.entries(users))('%s, without HOME', (user, programFor) => {
  test.skipIf(user === 'a user without a name' && canBeStranger.status !== 0).each([
    ['start', 'web.1 | hi'],
    ['start --help', 'proclet start'],
    ['version', 'proclet/'],
    ['project add . --name here', 'here'],
    ['project list', ''],
    ['doctor', ''],
    ['ps', 'no proclet runs for'],
  ])('can call proclet %s', async (command, says) => {
    const ws = workspace({ Procfile: 'web: echo hi' });
    const own = { TMPDIR: join(ws.directory, 'tmp'), XDG_CONFIG_HOME: join(ws.directory, 'tmp/config') };
    mkdirSync(own.TMPDIR);
    for (const path of [ws.directory, own.TMPDIR]) chmodSync(path, 0o777);
    const [program, args] = programFor(ws, command.split(' '));
    const app = ws.start(program, args, {
      env: { ...own, HOME: undefined, SHELL: undefined, XDG_RUNTIME_DIR: undefined, XDG_CACHE_HOME: undefined },
    });
    const status = await statusOf(app);
    expect(app.text).not.toMatch(/ at .*:\d+:\d+|bug/);
    expect([status, app.text]).toEqual([
      says.startsWith('no ') ? 3 : expect.any(Number),
      expect.stringContaining(says),
    ]);
    expect(ws.survivors()).toEqual([]);
  });
});
