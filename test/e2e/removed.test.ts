/** The promise: a run is found by the other commands as long as it lives, whoever tidies up the files that they find it by. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { statusOf } from '../support/launch.js';
import { isRunning } from '../support/survivors.js';
import { guardianOf } from '../support/traces.js';
import { type App, type Workspace, workspace } from '../support/workspace.js';

const place = (ws: Workspace) => join(ws.directory, '.run', 'proclet');
const modeOf = (path: string) => statSync(path).mode & 0o777;

async function started(files: Record<string, string> = {}, command = ['start']): Promise<{ ws: Workspace; app: App }> {
  const ws = workspace({ Procfile: 'web: echo ready; exec sleep 600', ...files });
  const app = ws.proclet(...command);
  await app.line('ready');
  return { ws, app };
}

async function stopped(ws: Workspace, app: App): Promise<void> {
  expect(await statusOf(ws.proclet('stop'))).toBe(0);
  await app.exited;
  expect(ws.survivors()).toEqual([]);
}

const again = (text: string) => text.match(/and is there again/g) ?? [];

describe('what others find a run by comes back', () => {
  test.each<[string, (ws: Workspace) => void]>([
    ['the directory of the user', (ws) => rmSync(join(ws.directory, '.run'), { recursive: true })],
    ['the directory of proclet', (ws) => rmSync(place(ws), { recursive: true })],
    ...['.run', '.sock', '.claim'].map((kind): [string, (ws: Workspace) => void] => [
      `the file ${kind}`,
      (ws) => {
        const found = readdirSync(place(ws)).filter((name) => name.endsWith(kind));
        expect(found).toHaveLength(1);
        for (const name of found) rmSync(join(place(ws), name));
      },
    ]),
  ])('when %s is removed', async (_, remove) => {
    const { ws, app } = await started();
    const before = readdirSync(place(ws)).sort();
    remove(ws);
    // At once: what a second start is refused by is not there, or tells of nobody.
    const second = ws.proclet('start');
    await eventually(() => expect(again(app.text)).toHaveLength(1));
    expect(await statusOf(second)).not.toBe(0);
    expect(second.text).toContain('already');
    expect(readdirSync(place(ws)).sort()).toEqual(before);
    expect(modeOf(place(ws))).toBe(0o700);
    for (const name of before) expect(modeOf(join(place(ws), name))).toBe(0o600);
    const ps = ws.proclet('ps');
    expect(await statusOf(ps)).toBe(0);
    expect(ps.text).toContain('web.1');
    await stopped(ws, app);
    expect(readdirSync(place(ws))).toEqual([]);
  });

  test('as often as it is removed, also of proclet run', async () => {
    const { ws, app } = await started({}, ['run', 'web']);
    for (const times of [1, 2, 3]) {
      rmSync(place(ws), { recursive: true });
      await eventually(() => expect(again(app.text)).toHaveLength(times));
    }
    await stopped(ws, app);
  });

  test('with the scripts that let a program outlive its service', async () => {
    const { ws, app } = await started({ 'proclet.yml': 'services: {web: {detach: [tmux]}}' });
    rmSync(place(ws), { recursive: true });
    await eventually(() => expect(again(app.text)).toHaveLength(1));
    const [scripts = ''] = readdirSync(place(ws)).filter((name) => name.endsWith('.detach'));
    expect(modeOf(join(place(ws), scripts, 'tmux', 'tmux'))).toBe(0o700);
    await stopped(ws, app);
  });

  test('and what others are to know is what the last HUP brought', async () => {
    const { ws, app } = await started();
    ws.save('Procfile', 'web: echo ready; exec sleep 600\nnew: echo newer; exec sleep 600\n');
    app.signal('SIGHUP');
    await app.line('newer');
    const ports = () => {
      const [name = ''] = readdirSync(place(ws)).filter((each) => each.endsWith('.run'));
      return (JSON.parse(ws.read(join('.run/proclet', name))) as { ports: number[] }).ports;
    };
    expect(ports()).toHaveLength(2);
    rmSync(place(ws), { recursive: true });
    await eventually(() => expect(again(app.text)).toHaveLength(1));
    expect(ports()).toHaveLength(2);
    await stopped(ws, app);
  });
});

test('where it cannot be made again that is said once, with what still ends the run', async () => {
  const { ws, app } = await started();
  const guardian = guardianOf(app);
  rmSync(join(ws.directory, '.run'), { recursive: true });
  ws.write('.run', 'no directory');
  await app.line(`kill -TERM ${app.pid} ends it`);
  app.signal('SIGTERM');
  expect(await statusOf(app)).toBe(143);
  expect(app.text.match(/kill -TERM/g)).toHaveLength(1);
  expect(app.text).not.toContain('bug');
  await eventually(() => expect(isRunning(guardian)).toBe(false));
  await eventually(() => expect(ws.survivors()).toEqual([]));
});

test('a kill -9 right after it was removed leaves nothing either', async () => {
  const { ws, app } = await started();
  const guardian = guardianOf(app);
  rmSync(join(ws.directory, '.run'), { recursive: true });
  app.signal('SIGKILL');
  await app.exited;
  await eventually(() => expect(isRunning(guardian)).toBe(false));
  expect(ws.survivors()).toEqual([]);
});
