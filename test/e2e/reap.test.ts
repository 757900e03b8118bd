import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { childrenOf } from '../support/survivors.js';
import { type App, bin as proclet, type Workspace, workspace } from '../support/workspace.js';

/** Ends proclet and its guardian in one instant, so that what runs is left behind. */
async function abandon(app: App): Promise<void> {
  process.kill(app.pid, 'SIGSTOP');
  for (const { pid, command } of childrenOf(app.pid))
    if (command.includes('proclet-guardian')) process.kill(pid, 'SIGKILL');
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
    const app = ws.proclet('start', '-p', String(ws.port), '--ttl', '2s');
    await app.line(`holding ${ws.port}`);
    await app.line(new RegExp(`web\\.1 expired after 2s \\(1 process, TERM [^,]+, port ${ws.port} is free\\)`));
  });
});

describe('a pid file', () => {
  test('holds the pid while proclet runs, and keeps a second one away', async () => {
    const ws = workspace({ Procfile: 'web: node exits-after.mjs 0 100000' });
    const path = join(ws.directory, 'proclet.pid');
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
