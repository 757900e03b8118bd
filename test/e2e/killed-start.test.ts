/** The promise: whenever a proclet is killed while it starts, `proclet reap` leaves nothing of it in any directory. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { type App, bin as proclet, type Workspace, workspace } from '../support/workspace.js';

const killer = resolve(import.meta.dirname, '../support/kill-at.cjs');

const files = {
  Procfile: 'web: echo ready; exec sleep 600\nquiet: exec sleep 600',
  'proclet.yml': 'services: {web: {status-file: web.status, detach: [tmux]}}',
};

function placesIn(ws: Workspace) {
  const at = (name: string) => join(ws.directory, name);
  return { TMPDIR: at('tmp'), XDG_STATE_HOME: at('state'), XDG_CACHE_HOME: at('cache'), XDG_CONFIG_HOME: at('config') };
}

/** Starts a proclet with all that a run may make. */
function begin(ws: Workspace, flags: string[], env: Record<string, string>): App {
  mkdirSync(placesIn(ws).TMPDIR, { recursive: true });
  const argv = [proclet, 'start', '--pid-file', 'proclet.pid', ...flags];
  return ws.start(process.execPath, argv, { env: { ...placesIn(ws), ...env } });
}

async function reap(ws: Workspace): Promise<App> {
  // Without --yes: what other tests leave behind at this moment is theirs to look at.
  const app = ws.start(process.execPath, [proclet, 'reap'], { env: placesIn(ws) });
  expect(await app.exited, app.text).toEqual({ how: 'code', code: 0 });
  return app;
}

/** What proclet made, but for the compiled code, logs that somebody may want to read, and the note where they are, if there are any. */
function leftIn(ws: Workspace): string[] {
  const made = ['.run/proclet', 'tmp', 'state', 'logs', 'config', 'cache/proclet'].flatMap((name) => {
    const directory = join(ws.directory, name);
    if (!existsSync(directory)) return [];
    return readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((path) => join(name, path));
  });
  const isLog = (path: string) => path.endsWith('.log') && statSync(join(ws.directory, path)).size > 0;
  const own = readdirSync(ws.directory).filter((name) => /^(proclet\.pid|web\.status)/.test(name));
  const isKept = made.some((path) => path.endsWith('.out') || isLog(path));
  const isNote = (path: string) =>
    (isKept && path === 'state/proclet') || /^state\/proclet\/[^/]+(\/newest\.json)?$/.test(path);
  return [...own, ...made.filter((path) => !path.endsWith('.v8') && !isLog(path) && !isNote(path))];
}

describe('a proclet that is killed while it starts leaves nothing that proclet reap does not clear', () => {
  const rows = Array.from({ length: 12 }, (_, n) => 1 + 6 * n);
  const groups = Array.from({ length: 3 }, (_, n) => rows.slice(4 * n, 4 * n + 4));

  test.each(groups)('before its calls %i, %i, %i and %i of the system', async (...calls) => {
    const killed = calls.map(async (call) => {
      const ws = workspace(files);
      const env = { KILL_AT: String(call), NODE_OPTIONS: `--require=${killer}` };
      const app = begin(ws, ['--log-dir', 'logs'], env);
      // It may make fewer calls than that.
      await Promise.race([app.exited, app.line('web.1 | ready')]);
      app.signal('SIGKILL');
      await app.exited;
      await eventually(() => expect(ws.survivors()).toEqual([]));
      await reap(ws);
      expect(leftIn(ws)).toEqual([]);
    });
    await Promise.all(killed);
  });

  test.each([12, 40])('in the process that start -D leaves behind, before call %i', async (call) => {
    const ws = workspace(files);
    const app = begin(ws, ['-D'], { KILL_IN: 'second', KILL_AT: String(call), NODE_OPTIONS: `--require=${killer}` });
    await app.exited;
    await eventually(() => expect(ws.survivors()).toEqual([]));
    await reap(ws);
    expect(leftIn(ws).filter((path) => !path.endsWith('.out'))).toEqual([]);
  });
});

test('a start clears what earlier ones left half made in the runtime directory, and beside its pid file', async () => {
  const ws = workspace(files);
  const first = begin(ws, [], { KILL_AT: '12', NODE_OPTIONS: `--require=${killer}` });
  await first.exited;
  const drafts = () => leftIn(ws).filter((path) => path.includes(`.draft-`) && path.includes(`.${first.pid}.`));
  expect(drafts()).not.toEqual([]);
  const second = begin(ws, [], {});
  await second.line('web.1 | ready');
  expect(drafts()).toEqual([]);
});

test('nothing of a run that lives is taken for stale, and no file that somebody has open', async () => {
  const ws = workspace(files);
  const app = begin(ws, ['--log-dir', 'logs'], {});
  await app.line('web.1 | ready');
  await eventually(() => expect(existsSync(join(ws.directory, 'logs/quiet.log'))).toBe(true));
  await eventually(() => {
    expect(leftIn(ws).filter((path) => path.endsWith('.log'))).toEqual(['logs/quiet.log']);
  });
  const before = leftIn(ws);
  expect(before).toEqual(expect.arrayContaining(['proclet.pid', 'web.status', 'logs/quiet.log']));
  expect((await reap(ws)).text).not.toContain(ws.directory);
  expect(leftIn(ws)).toEqual(before);
  app.signal('SIGINT');
  expect(await app.exited).toEqual({ how: 'code', code: 130 });
  expect(leftIn(ws).filter((path) => !/\.(log|ends)$|web\.status$/.test(path))).toEqual([]);
});

test('files of no run, and of makers that are gone, go; what others made stays', async () => {
  const ws = workspace({});
  const runtime = join(ws.directory, '.run/proclet');
  await reap(ws); // writes its code cache, and removes what is old there
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
  const stale = [
    '12345678901.run', // empty, as a full disk left it
    '12345678902.sock',
    'aaaaaaaaaaaaaaaa.claim',
    'x.claim.draft-00000000.1.1.1', // of another boot
    'launcher.claim',
  ];
  const kept = [`x.claim.draft-${boot}.1.1.1`, 'notes.txt', 'y.claim'];
  for (const name of [...stale, ...kept]) writeFileSync(join(runtime, name), '');
  writeFileSync(join(runtime, 'aaaaaaaaaaaaaaaa.claim'), '12345678903\n');
  const caches = [
    join(ws.directory, 'cache/proclet/v1.v8.4194303'),
    join(ws.directory, `cache/proclet/v1.v8.${process.pid}`),
  ];
  for (const path of caches) ws.write(path.slice(ws.directory.length + 1), '');
  for (const path of caches) utimesSync(path, 1, 1);
  const { text } = await reap(ws);
  for (const name of stale) expect(text).toContain(join(runtime, name));
  expect(readdirSync(runtime).sort()).toEqual([...kept].sort());
  expect(caches.map((path) => existsSync(path))).toEqual([false, true]);
});
