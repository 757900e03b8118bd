import { chmodSync, chownSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openCgroups } from '../../src/platform/cgroup.js';
import type { Leftover } from '../../src/platform/leftovers.js';
import { newRun } from '../../src/platform/mark.js';
import { eventually } from '../support/eventually.js';
import { statusOf } from '../support/launch.js';
import { childrenOf } from '../support/survivors.js';
import { guardianOf, isGuardian, recordOf, recordsIn } from '../support/traces.js';
import { type App, bin as proclet, type Workspace, workspace } from '../support/workspace.js';

/** Ends proclet and its guardian in one instant, so that what runs is left behind. */
async function abandon(app: App): Promise<void> {
  process.kill(app.pid, 'SIGSTOP');
  process.kill(guardianOf(app), 'SIGKILL');
  process.kill(app.pid, 'SIGKILL');
  await app.exited;
}

const records = (ws: Workspace) => readdirSync(join(ws.directory, '.run/proclet'));

async function leaveTwo(): Promise<Workspace> {
  const ws = workspace({ Procfile: 'web: node spawns-a-setsid-grandchild.mjs' });
  const app = ws.proclet('start');
  await app.line('ready');
  await abandon(app);
  await eventually(() => expect(ws.survivors()).toHaveLength(2));
  return ws;
}

describe('proclet reap', () => {
  test('lists what a killed proclet left, and ends it with --yes', async () => {
    const ws = await leaveTwo();
    const list = ws.proclet('reap');
    expect(await list.exited).toEqual({ how: 'code', code: 0 });
    expect(list.text).toMatch(
      new RegExp(`2 processes of ${ws.directory}, started .* ago by a proclet \\(pid \\d+\\) that is gone:`),
    );
    expect(list.text).toContain('node spawns-a-setsid-grandchild.mjs');
    expect(list.text).toContain('proclet reap --yes');
    expect(ws.survivors()).toHaveLength(2);

    const end = ws.proclet('reap', '--yes');
    expect(await end.exited).toEqual({ how: 'code', code: 0 });
    expect(end.text).toContain('All of it is gone.');
    expect(ws.survivors()).toEqual([]);
    expect(records(ws)).toEqual([]);
  });

  test('finds it also when the record is gone', async () => {
    const ws = await leaveTwo();
    rmSync(join(ws.directory, '.run'), { recursive: true });
    const end = ws.proclet('reap', '--yes', '--json');
    await end.exited;
    expect(JSON.parse(end.stdout)).toEqual(
      expect.arrayContaining([expect.objectContaining({ processes: expect.arrayContaining([expect.anything()]) })]),
    );
    await eventually(() => expect(ws.survivors()).toEqual([]));
  });

  test('does not touch what a running proclet has started', async () => {
    const ws = workspace({ Procfile: 'web: node exits-after.mjs 0 100000' });
    const app = ws.proclet('start');
    await app.line('ready');
    const reap = ws.proclet('reap', '--yes');
    await reap.exited;
    expect(reap.text).not.toContain(ws.directory);
    expect(app.child.exitCode).toBeNull();
    expect(ws.survivors().some(({ command }) => command.includes('exits-after'))).toBe(true);
  });

  test('removes the record of a run that left nothing', async () => {
    const ws = await leaveTwo();
    for (const { pid } of ws.survivors()) process.kill(pid, 'SIGKILL');
    await eventually(() => expect(ws.survivors()).toEqual([]));
    expect(records(ws).filter((name) => name.endsWith('.run'))).toHaveLength(1);
    const reap = ws.proclet('reap');
    await reap.exited;
    expect(records(ws)).toEqual([]);
  });
});

const isRoot = process.getuid?.() === 0;
const hasGroups = 'directory' in groupsHere();

function groupsHere() {
  const groups = openCgroups(newRun());
  if ('directory' in groups) groups.close();
  return groups;
}

/** Loses the mark, the environment, the parent, and, for root, the user: little still tells whose it is. */
const daemon = (closed: string) => `{ ulimit -S -w unlimited || ulimit -S -x unlimited; } 2>/dev/null
${isRoot ? 'setpriv --reuid=65534 --clear-groups ' : ''}setsid env -i sleep 601 ${closed} & echo ready`;

describe('what belongs to a run that is gone', () => {
  test.each([
    ...(hasGroups ? [['its control group knows', '>/dev/null 2>&1 9<&-', 'on']] : []),
    ['its pipes tell', '', 'off'],
  ])('is also what only %s', async (_, closed = '', groups = '') => {
    const ws = workspace({ Procfile: `web: sh daemon; exec sleep 600`, daemon: daemon(closed) });
    const app = ws.start(process.execPath, [proclet, 'start'], { env: { PROCLET_CGROUP: groups } });
    await app.line('ready');
    const record = recordOf(ws, app);
    await abandon(app);
    const list = ws.proclet('reap', '--json');
    await list.exited;
    expect(commandsIn(list.stdout, record.run)).toContain('sleep 601');
    const end = ws.proclet('reap', '--yes');
    expect(await end.exited).toEqual({ how: 'code', code: 0 });
    expect(ws.survivors()).toEqual([]);
    expect(records(ws)).toEqual([]);
    expect(record.cgroup !== '' && existsSync(record.cgroup)).toBe(false);
  });

  test('is also what runs as another user', async ({ skip }) => {
    if (!isRoot) skip('only root starts services as another user');
    const ws = workspace({
      Procfile: 'web: echo ready; exec sleep 602',
      'proclet.yml': 'services: {web: {user: nobody}}',
    });
    chmodSync(ws.directory, 0o755);
    const app = ws.start(process.execPath, [proclet, 'start'], { env: { PROCLET_CGROUP: 'off' } });
    await app.line('web.1 | ready');
    const { run } = recordOf(ws, app);
    await abandon(app);
    const doctor = ws.proclet('doctor');
    await doctor.exited;
    expect(doctor.text).toMatch(/Earlier runs left \d+ process/);
    const list = ws.proclet('reap', '--json');
    await list.exited;
    expect(commandsIn(list.stdout, run)).toEqual(['sleep 602']);
    const end = ws.proclet('reap', '--yes');
    expect(await end.exited).toEqual({ how: 'code', code: 0 });
    expect(ws.survivors()).toEqual([]);
    expect(records(ws)).toEqual([]);
  });

  test('is named when it is not ours to end, and its record stays until it is gone', async ({ skip }) => {
    if (!isRoot) skip('only root starts something as two users');
    const ws = workspace({
      Procfile: 'web: echo ready; exec sleep 603',
      'proclet.yml': 'services: {web: {user: daemon}}',
    });
    const app = ws.start(process.execPath, [proclet, 'start'], { env: { PROCLET_CGROUP: 'off' } });
    await app.line('web.1 | ready');
    const { run } = recordOf(ws, app);
    await abandon(app);
    const as = (...args: string[]) =>
      ws.start('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, proclet, ...args]);
    chmodSync(join(ws.directory, '.run'), 0o755);
    const runtime = join(ws.directory, '.run/proclet');
    for (const path of ['', ...records(ws)]) chownSync(join(runtime, path), 65534, 65534);
    chmodSync(ws.directory, 0o755);
    const end = as('reap', '--yes');
    expect(await end.exited).toEqual({ how: 'code', code: 1 });
    const [left] = ws.survivors();
    expect(end.text).toContain(`sudo kill -KILL ${left?.pid}`);
    expect(records(ws)).toContain(`${run}.run`);
    process.kill(left?.pid ?? 0, 'SIGKILL');
    await eventually(() => expect(ws.survivors()).toEqual([]));
    expect(await as('reap').exited).toEqual({ how: 'code', code: 0 });
    expect(records(ws)).toEqual([]);
  }, 20_000);

  test.each(['on', 'off'])(
    'is ended by the run that it was started in, which names it (control groups %s)',
    async (groups) => {
      const ws = workspace({
        'outer/Procfile': `outer: exec ${process.execPath} ${proclet} start -d ../inner`,
        'inner/Procfile': 'inner: sleep 604 & echo ready; wait',
      });
      const app = ws.start(process.execPath, [proclet, 'start', '-d', 'outer'], {
        env: { PROCLET_CGROUP: groups },
      });
      await app.line('inner.1 | ready');
      const nested = recordsIn(ws).find(({ root }) => root.endsWith('/inner'));
      const inner = nested?.pid ?? 0;
      process.kill(inner, 'SIGSTOP');
      for (const { pid } of childrenOf(inner)) if (isGuardian(pid)) process.kill(pid, 'SIGKILL');
      process.kill(inner, 'SIGKILL');
      await app.line(new RegExp(`outer.1: [23] processes of a proclet \\(pid ${inner}, .*/inner\\) that was killed`));
      await eventually(() => expect(app.text.match(/inner.1 \| ready/g)).toHaveLength(2));
      // The shell prints before its child has become sleep.
      await eventually(() => expect(sleepers(ws)).toEqual(['sleep 604']));
      expect(recordsIn(ws).map(({ run }) => run)).not.toContain(nested?.run);
      app.signal('SIGTERM');
      expect(await app.exited).toEqual({ how: 'code', code: 143 });
      expect(records(ws)).toEqual([]);
    },
  );
});

function commandsIn(json: string, run: string): string[] {
  const found = (JSON.parse(json) as Leftover[]).find((one) => one.run === run);
  return found?.processes.map(({ command }) => command) ?? [];
}

describe('proclet doctor', () => {
  test('names the means in use and what each would miss', async () => {
    const ws = workspace({});
    const app = ws.proclet('doctor');
    expect(await app.exited).toEqual({ how: 'code', code: 0 });
    expect(app.text).toMatch(/mark in use: the soft limit on file locks/);
    expect(app.text).toMatch(/guardian in use/);
    expect(app.text.match(/would miss:/g)?.length).toBeGreaterThanOrEqual(3);
  });

  test('says who holds a port', async () => {
    const ws = workspace({ Procfile: 'web: node holds-port.mjs' });
    const app = ws.proclet('start', '-p', String(ws.port));
    await app.line(`holding ${ws.port}`);
    const doctor = ws.proclet('doctor', String(ws.port), String(ws.port + 1));
    await doctor.exited;
    expect(doctor.text).toMatch(new RegExp(`port ${ws.port} is held by node \\(pid \\d+\\)`));
    expect(doctor.text).toContain(`port ${ws.port + 1} is free`);
  });

  test('refuses what is no port', async () => {
    const app = workspace({}).proclet('doctor', '0');
    expect(await app.exited).toEqual({ how: 'code', code: 2 });
    expect(app.stderr).toContain("'0' is not a port");
  });
});

describe('a taken port', () => {
  test('is reported before the start, with who holds it', async () => {
    const ws = workspace({ Procfile: 'web: node holds-port.mjs' });
    const first = ws.proclet('start', '-p', String(ws.port));
    await first.line(`holding ${ws.port}`);
    const second = ws.proclet('start', '-p', String(ws.port), '--name', 'second');
    await second.line(new RegExp(`port ${ws.port}, which is web\\.1's, is held by node \\(pid \\d+\\)`));
  });

  test('is free again when its service was stopped, and the obituary says so', async () => {
    const ws = workspace({ Procfile: 'web: node holds-port.mjs' });
    const app = ws.proclet('start', '-p', String(ws.port));
    await app.line(`holding ${ws.port}`);
    expect(await statusOf(ws.proclet('stop', 'web'))).toBe(0);
    await app.line(new RegExp(`web\\.1 stopped \\(1 process, TERM [^,]+, port ${ws.port} is free\\)`));
  });
});

describe('a pid file', () => {
  test('holds the pid while proclet runs, and keeps a second one away', async () => {
    const ws = workspace({ Procfile: 'web: node exits-after.mjs 0 100000' });
    const path = join(ws.directory, 'proclet.pid');
    writeFileSync(path, 'My thesis\n');
    const wrong = ws.proclet('start', '--pid-file', 'proclet.pid');
    expect(await wrong.exited).toEqual({ how: 'code', code: 1 });
    expect(wrong.stderr).toContain('is no pid file');
    expect(readFileSync(path, 'utf8')).toBe('My thesis\n');
    writeFileSync(path, '1\n'); // stale: process 1 is no proclet
    const first = ws.proclet('start', '--pid-file', 'proclet.pid');
    await first.line('ready');
    expect(readFileSync(path, 'utf8')).toBe(`${first.pid}\n`);
    const second = ws.proclet('start', '--pid-file', 'proclet.pid');
    expect(await second.exited).toEqual({ how: 'code', code: 1 });
    expect(second.stderr).toContain(`belongs to a proclet that runs (pid ${first.pid})`);
    first.signal('SIGTERM');
    await first.exited;
    expect(existsSync(path)).toBe(false);
  });
});

describe('detach', () => {
  test.each(['on', 'off'])(
    'lets a named program outlive its service, and no other (control groups %s)',
    async (groups) => {
      const ws = workspace({ Procfile: 'web: keeper 1001; loser 1002; echo ready; exec sleep 1003' });
      const bin = join(ws.directory, 'bin');
      for (const name of ['keeper', 'loser']) ws.write(`bin/${name}`, '#!/bin/sh\n(setsid sleep "$1" &)\n');
      for (const name of ['keeper', 'loser']) chmodSync(join(bin, name), 0o755);
      ws.write('proclet.yml', `services: {web: {detach: [keeper], env: {PATH: "${bin}:/usr/bin:/bin"}}}`);
      const app = ws.start(process.execPath, [proclet, 'start'], { env: { PROCLET_CGROUP: groups } });
      await app.line('web.1 | ready');
      await eventually(() => expect(sleepers(ws)).toEqual(['sleep 1001', 'sleep 1002', 'sleep 1003']));
      app.signal('SIGKILL'); // the hardest end: the guardian has to know the difference too
      await app.exited;
      await eventually(() => expect(sleepers(ws)).toEqual(['sleep 1001']));
      for (const { pid } of ws.survivors()) process.kill(pid, 'SIGKILL');
      await eventually(() => expect(ws.survivors()).toEqual([]));
    },
  );
});

const sleepers = (ws: Workspace) =>
  ws
    .survivors()
    .map(({ command }) => command)
    .filter((command) => command.startsWith('sleep'))
    .sort();
