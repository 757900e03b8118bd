import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { statusOf } from '../support/launch.js';
import { type App, type Workspace, workspace } from '../support/workspace.js';

/** Takes its time to end, as a server does that finishes its work. */
const slow = 'sh -c \'trap "sleep 0.6; exit 0" TERM; echo "serving $$ on $PORT"; while :; do sleep 0.05; done\'';

async function start(): Promise<{ ws: Workspace; app: App; proclet: (...args: string[]) => Promise<unknown> }> {
  const ws = workspace({ Procfile: `a: ${slow}` });
  const app = ws.proclet('start', '-p', String(ws.port));
  await app.line(`serving`);
  const proclet = async (...args: string[]) => statusOf(ws.proclet(...args));
  return { ws, app, proclet };
}

async function rows(ws: Workspace): Promise<{ id: string; phase: string; pid?: number }[]> {
  const ps = ws.proclet('ps', '--json');
  await ps.exited;
  const text = JSON.parse(ps.stdout) as { services: { instances: { id: string; phase: string; pid?: number }[] }[] }[];
  return [text].flat().flatMap(({ services }) => services.flatMap(({ instances }) => instances));
}

/** What runs at a slot's port, as the program itself says. */
const pidsOn = (app: App, port: number) =>
  [...app.text.matchAll(/serving (\d+) on (\d+)/g)]
    .filter(([, , on]) => Number(on) === port)
    .map(([, pid]) => Number(pid));

describe('a slot that comes back while its last life is being ended', () => {
  test('by scale has its next life after that one, which ps shows and the end of the run ends', async () => {
    const { ws, app, proclet } = await start();
    expect(await proclet('scale', 'a=2')).toBe(0);
    await eventually(() => expect(pidsOn(app, ws.port + 1)).toHaveLength(1));
    expect(await proclet('scale', 'a=1')).toBe(0);
    expect(await proclet('scale', 'a=2')).toBe(0);
    await eventually(() => expect(pidsOn(app, ws.port + 1)).toHaveLength(2));
    const [, pid] = /a\.2 stopped [^\n]*\n.* a\.2 started \(pid (\d+)/.exec(app.text) ?? [];
    await eventually(async () =>
      expect(await rows(ws)).toContainEqual(expect.objectContaining({ id: 'a.2', phase: 'up', pid: Number(pid) })),
    );
    app.signal('SIGTERM');
    expect(await statusOf(app)).toBe(143);
    expect(ws.survivors()).toEqual([]);
  });

  test('by TTIN and TTOU in quick succession has each of them counted', async () => {
    const { ws, app } = await start();
    app.signal('SIGTTIN');
    await eventually(() => expect(pidsOn(app, ws.port + 1)).toHaveLength(1));
    for (const signal of ['SIGTTOU', 'SIGTTIN', 'SIGTTOU', 'SIGTTIN', 'SIGTTIN'] as const) {
      const before = app.text.split(/a has \d+ instance/).length;
      app.signal(signal);
      // The signal was taken, the slot has not ended yet.
      await eventually(() => expect(app.text.split(/a has \d+ instance/).length).toBe(before + 1));
    }
    await eventually(() => expect(pidsOn(app, ws.port + 2)).toHaveLength(1));
    await eventually(() => expect(pidsOn(app, ws.port + 1).length).toBeGreaterThan(1));
    app.signal('SIGTERM');
    expect(await statusOf(app)).toBe(143);
    expect(ws.survivors()).toEqual([]);
  });
});

test('a number of instances that cannot be is refused, and later configurations do not stumble over it', async () => {
  const { app, proclet } = await start();
  expect(await proclet('scale', 'a=101')).not.toBe(0);
  app.signal('SIGHUP');
  await app.line('the configuration was read again');
  expect(app.text).not.toContain('was not read again');
  app.signal('SIGTERM');
  expect(await statusOf(app)).toBe(143);
});
