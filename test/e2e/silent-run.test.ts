import { describe, expect, test } from 'vitest';
import { talk } from '../support/control.js';
import { eventually } from '../support/eventually.js';
import { launcherOf, projectIn } from '../support/launching.js';
import { type Workspace, workspace } from '../support/workspace.js';

const service = 'web: node ../serves.mjs\n';

/** A run that is stopped, as by Ctrl-Z. */
async function stoppedRun(ws: Workspace) {
  const root = projectIn(ws, 'stopped', { Procfile: service });
  const app = ws.start(process.execPath, [bin, 'start', '-d', root, '-p', String(ws.port + 1)]);
  await app.line(/serves|listening|web\.1/);
  const ps = ws.proclet('ps', '-d', root, '--json');
  await ps.exited;
  const { pid, socket } = JSON.parse(ps.stdout) as { pid: number; socket: string };
  app.signal('SIGSTOP');
  return { root, pid, socket, app };
}

const bin = new URL('../../bin/proclet.cjs', import.meta.url).pathname;

describe('a run that is stopped', () => {
  test('is named by every command, with what continues it, and holds up nobody', async () => {
    const ws = workspace({});
    const { root, pid, app } = await stoppedRun(ws);
    const other = projectIn(ws, 'other', { Procfile: service });
    const [all, json, own, restart, open, wait] = [
      ws.proclet('ps', '--all'),
      ws.proclet('ps', '--all', '--json'),
      ws.proclet('ps', '-d', root),
      ws.proclet('restart', '-d', root),
      ws.proclet('open', 'web', '-d', other, '--print'),
      ws.proclet('wait', '-d', root, '-t', '1s'),
    ];
    const ends = await Promise.all([all, json, own, restart, open, wait].map(({ exited }) => exited));
    expect(ends.map((end) => end.how === 'code' && end.code)).toEqual([0, 0, 1, 1, 0, 1]);
    for (const each of [all, own, restart, wait]) {
      expect(each.text).toContain(`(pid ${pid}) does not answer: it is stopped`);
      expect(each.text).toContain(`kill -CONT ${pid}`);
    }
    const runs = JSON.parse(json.stdout) as object[];
    expect(runs).toContainEqual(expect.objectContaining({ pid, root, silence: 'stopped', services: [] }));
    expect(open.stdout).toMatch(/^http:\/\/localhost:\d+\/$/m);
    app.signal('SIGCONT');
    await ws.proclet('stop', '-d', other).exited;
  });

  test('is shown on the page, and only its own project cannot be started', async () => {
    const ws = workspace({});
    const { root, pid, socket, app } = await stoppedRun(ws);
    const { get, visit } = await launcherOf(ws, { hoge: { Procfile: service }, stopped: root });
    const sentence = `(pid ${pid}) does not answer: it is stopped`;
    expect((await get('/')).text).toContain(sentence);
    expect(Number(await visit('/launch?project=hoge&service=web'))).toBeGreaterThan(0);
    const refused = await get('/launch?project=stopped&service=web');
    expect(refused.status).toBe(502);
    const log = (await get('/log?project=stopped&service=web')).text;
    for (const text of [refused.text, log]) {
      expect(text).toContain(sentence);
      expect(text).not.toContain('printed nothing');
    }
    // More than wait to be taken by it: then nobody else can connect either.
    const crowd = Array.from({ length: 600 }, () => talk(socket));
    expect((await get('/')).text).toContain(sentence);
    app.signal('SIGCONT');
    await eventually(async () => expect((await get('/')).text).not.toContain('does not answer'));
    // As many as it takes: the launcher is still answered.
    expect(Number(await visit('/launch?project=stopped&service=web'))).toBeGreaterThan(0);
    for (const one of crowd) one.socket.destroy();
  });
});
