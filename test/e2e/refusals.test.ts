import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { statusOf } from '../support/launch.js';
import { type App, bin, type Workspace, workspace } from '../support/workspace.js';

/** Prints as long as it runs: whoever prints was not hurt. */
const other = 'other: while :; do echo beat; sleep 0.1; done';
const isRoot = process.getuid?.() === 0;

/** Starts proclet behind a few words of shell. */
function startAfter(ws: Workspace, script: string, ...args: string[]): App {
  return ws.start('sh', ['-c', `${script}\nexec "$NODE" "$BIN" start "$@"`, 'sh', ...args], {
    env: { NODE: process.execPath, BIN: bin, TMPDIR: join(ws.directory, 'tmp') },
  });
}

/** The other service prints on, and TERM ends the run as always. */
async function expectNormalEnd(ws: Workspace, app: App): Promise<void> {
  const before = app.text.split('| beat').length;
  await eventually(() => expect(app.text.split('| beat').length).toBeGreaterThan(before + 2));
  app.signal('SIGTERM');
  expect(await statusOf(app)).toBe(143);
  expect(app.text).not.toContain('this is a bug');
  expect(ws.survivors()).toEqual([]);
}

const files = { 'tmp/.keep': '' };
const pipesIn = (ws: Workspace) => readdirSync(join(ws.directory, 'tmp')).filter((name) => name.includes('pipes'));

describe('a run goes on, and ends as always,', () => {
  test('without descriptors for some of its services, which are tried again', async () => {
    const many = Array.from({ length: 14 }, (_, n) => `s${n}: sleep 100`).join('\n');
    const ws = workspace({ ...files, Procfile: `${other}\n${many}\n` });
    const app = startAfter(ws, 'ulimit -n 64');
    await app.line(
      /could not be started: proclet has too many files open \(EMFILE\); raise the limit with ulimit -n, rest/,
    );
    await expectNormalEnd(ws, app);
    expect(pipesIn(ws)).toEqual([]);
  });

  test('with an environment that is too long, from the start or by HUP, until it is shorter', async () => {
    const long = `BIG=${'x'.repeat(140_000)}\n`;
    const ws = workspace({ ...files, Procfile: `${other}\n`, '.env': long });
    const app = startAfter(ws, '');
    const words = /could not be started: its environment has a variable BIG of 140004 bytes.*restarting/;
    await app.line(words);
    ws.write('.env', '');
    app.signal('SIGHUP');
    await app.line('| beat');
    ws.write('.env', long);
    app.signal('SIGHUP');
    await eventually(() => expect(app.text.match(new RegExp(words, 'g'))?.length).toBeGreaterThan(1));
    ws.write('.env', '');
    app.signal('SIGHUP');
    await expectNormalEnd(ws, app);
  });

  test('when the directories of its status file, log, pid file and temporary files are gone', async () => {
    const config = `services:\n  web:\n    status-file: gone/status\n    log: gone/log\n    restart: always\n`;
    const ws = workspace({ ...files, 'gone/a': '', Procfile: `${other}\nweb: sleep 0.3\n`, 'proclet.yml': config });
    const app = startAfter(ws, '', '--pid-file', 'gone/pid');
    await app.line('web.1 started');
    // Opened, it is not made again.
    await eventually(() => expect(existsSync(join(ws.directory, 'gone/log'))).toBe(true));
    for (const name of ['gone', 'tmp']) rmSync(join(ws.directory, name), { recursive: true });
    await app.line(/the status file .*gone\/status cannot be written.*\(ENOENT\)/);
    await app.line('web.1 exited');
    await expectNormalEnd(ws, app);
  });

  test('when its temporary directory never was', async () => {
    const ws = workspace({ Procfile: `${other}\n` });
    const app = startAfter(ws, '');
    await app.line('| beat');
    await expectNormalEnd(ws, app);
  });

  test('with a log that is no file', async () => {
    const config = 'services:\n  other:\n    log: /dev/full\n';
    const ws = workspace({ ...files, Procfile: `${other}\n`, 'proclet.yml': config });
    const app = startAfter(ws, '');
    await app.line(/\/dev\/full cannot be written, so nothing more goes there until proclet gets USR1: .*not a file/);
    await expectNormalEnd(ws, app);
    expect(existsSync('/dev/full')).toBe(true);
  });

  test.runIf(isRoot)('as a user who may have no more processes, or may not write where it is', async () => {
    const config = 'services:\n  other:\n    status-file: status\n    log: log/other\n';
    const ws = workspace({ ...files, Procfile: `${other}\nmore: sleep 100\n`, 'proclet.yml': config });
    chmodSync(ws.directory, 0o755);
    chmodSync(join(ws.directory, 'tmp'), 0o777);
    // Nobody else of this number runs anything: the limit is per user.
    const become =
      'exec setpriv --reuid 47123 --regid 47123 --clear-groups sh -c \'ulimit -u "$1" 2>/dev/null || ulimit -p "$1"; exec "$NODE" "$BIN" start\' sh';
    const app = startAfter(ws, `${become} 100`);
    await app.line(/status file .*status cannot be written.*permission denied \(EACCES\)/);
    await app.line(/log\/other cannot be written.*permission denied \(EACCES\)/);
    await expectNormalEnd(ws, app);
    const poor = startAfter(ws, `${become} 1`);
    const status = await Promise.race([statusOf(poor), poor.line('may not have more processes').then(() => 'told')]);
    poor.signal('SIGTERM');
    await statusOf(poor);
    expect(status === 'told' || poor.text !== '').toBe(true);
    expect(poor.text).not.toContain('this is a bug');
  });
});
