import { existsSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { statusOf } from '../support/launch.js';
import { isRunning } from '../support/survivors.js';
import { type Workspace, workspace } from '../support/workspace.js';

/** Runs a command to its end. */
async function proclet(ws: Workspace, ...args: string[]) {
  const app = ws.proclet(...args);
  const status = await statusOf(app);
  return { status, stdout: app.stdout, stderr: app.stderr };
}

const ticking = 'web: node serves.mjs\nworker: while :; do echo tick; sleep 0.2; done\necho: cat\n';

async function started(files: Record<string, string> = {}, ...args: string[]) {
  const ws = workspace({ Procfile: ticking, 'a/b/c': '', ...files });
  const app = ws.proclet('start', '-p', String(ws.port), ...args);
  expect((await proclet(ws, 'wait', '-q')).status).toBe(0);
  return { ws, app };
}

interface Row {
  readonly tag: string;
  readonly lease?: { readonly ttl?: number; readonly idle?: number; readonly kept: boolean };
  readonly instances: readonly {
    readonly id: string;
    readonly phase: string;
    readonly pid?: number;
    readonly generation: number;
    readonly usage?: { readonly pids: number[]; readonly memory: number; readonly ports: number[] };
  }[];
}

async function ps(ws: Workspace, ...args: string[]): Promise<Record<string, Row>> {
  const { stdout } = await proclet(ws, 'ps', '--json', ...args);
  const { services } = JSON.parse(stdout) as { services: Row[] };
  return Object.fromEntries(services.map((row) => [row.tag, row]));
}

describe('from another terminal', () => {
  test('a stop is answered when all is gone, also if somebody starts it again meanwhile', async () => {
    const { ws } = await started({ Procfile: 'deaf: trap "" TERM; while :; do sleep 0.1; done\n' }, '-t', '3s');
    const stop = proclet(ws, 'stop', 'deaf');
    await eventually(async () => expect((await ps(ws))['deaf']?.instances[0]?.phase).toBe('stopping'));
    expect((await proclet(ws, 'restart', 'deaf')).status).toBe(0);
    expect(await stop).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^deaf\.1 ignored SIGTERM for its grace, so it was killed \(/),
    });
    expect((await ps(ws))['deaf']?.instances[0]?.generation).toBe(2);
  });

  test('ps shows what runs, whose trees, on which ports and how much of the machine', async () => {
    const { ws, app } = await started({}, '--ttl', 'worker=1h');
    const { web, worker } = await ps(ws);
    expect(web?.instances).toMatchObject([{ id: 'web.1', phase: 'up', generation: 1, usage: { ports: [ws.port] } }]);
    expect(worker?.instances[0]?.usage?.pids.length).toBeGreaterThanOrEqual(1);
    expect(web?.instances[0]?.usage?.memory).toBeGreaterThan(10_000_000);
    expect(worker?.lease?.ttl).toBeGreaterThan(3_500_000);
    const { stdout } = await proclet(ws, 'ps', 'w*');
    const [title, ...rows] = stdout
      .trim()
      .split('\n')
      .map((row) => row.split(/ {2,}/));
    expect(title?.slice(0, 3)).toEqual(['INSTANCE', 'PHASE', 'PID']);
    expect(rows.map(([id, phase]) => [id, phase])).toEqual([
      ['web.1', 'up'],
      ['worker.1', 'up (nothing listens)'],
    ]);
    const below = ws.start(process.execPath, [...app.child.spawnargs.slice(1, 2), 'ps', '-d', 'a/b']);
    expect(await statusOf(below)).toBe(0);
    expect(below.stdout).toContain('web.1');
    const all = await proclet(ws, 'ps', '--all');
    expect(all.stdout).toContain(`${ws.directory}: proclet start, pid ${app.pid}`);
  });

  test('stop, restart and scale act on services, instances and globs, and leave the others alone', async () => {
    const { ws, app } = await started();
    const before = await ps(ws);
    const stop = await proclet(ws, 'stop', 'w*');
    expect(stop.stdout).toMatch(/^web\.1 stopped \(1 process, .*\)$/m);
    expect(stop.stdout).toMatch(/^worker\.1 stopped/m);
    await app.line(/web\.1 stopped \(1 process, .*\): proclet stop \(pid \d+\)$/m);
    expect(isRunning(before['web']?.instances[0]?.pid ?? 0)).toBe(false);
    expect((await ps(ws))['web']?.instances).toMatchObject([{ phase: 'down' }]);
    const restart = await proclet(ws, 'restart');
    expect(restart).toMatchObject({ status: 0, stdout: 'web.1: ready; worker.1, echo.1: up (nothing listens)\n' });
    const after = await ps(ws);
    expect(after['echo']?.instances[0]).toMatchObject({ phase: 'up', generation: 2 });
    expect(await proclet(ws, 'scale', 'worker=3')).toMatchObject({ status: 0, stdout: 'worker: 3 instances\n' });
    await proclet(ws, 'wait', 'worker');
    expect((await ps(ws))['worker']?.instances.map(({ id, phase }) => [id, phase])).toEqual([
      ['worker.1', 'up'],
      ['worker.2', 'up'],
      ['worker.3', 'up'],
    ]);
    await proclet(ws, 'restart', 'worker.2');
    expect((await ps(ws))['worker']?.instances.map(({ generation }) => generation)).toEqual([2, 2, 1]);
    await proclet(ws, 'scale', 'worker=1', 'echo=2');
    await eventually(async () => expect((await ps(ws))['worker']?.instances).toHaveLength(1));
    const wrong = await proclet(ws, 'scale', 'wbe=2');
    expect(wrong).toMatchObject({ status: 2 });
    expect(wrong.stderr).toContain('wbe');
    expect((await proclet(ws, 'stop', 'wbe')).stderr).toContain(
      'there is no service wbe; these run here: web, worker, echo',
    );
    expect((await proclet(ws, 'stop', 'web.7')).stderr).toContain('there is no instance web.7: web has one instance');
    const end = await proclet(ws, 'stop');
    expect(end.status).toBe(0);
    expect(await statusOf(app)).toBe(0);
    expect(ws.survivors()).toEqual([]);
    expect(readdirSync(join(ws.directory, '.run/proclet'))).toEqual([]);
    expect(await proclet(ws, 'ps')).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('no proclet runs for'),
    });
  });

  test('stop --dry-run names every process and its signal, and ends none', async () => {
    const ws = workspace({
      Procfile: 'web: node spawns-a-setsid-grandchild.mjs',
      'proclet.yml': 'services: {web: {stop-signal: INT}}',
    });
    const app = ws.proclet('start', '-t', '3s');
    await proclet(ws, 'wait');
    const { stdout } = await proclet(ws, 'stop', '--dry-run');
    expect(stdout).toContain('web.1: SIGINT to 2 processes, and SIGKILL after 3s');
    const would = JSON.parse((await proclet(ws, 'stop', '--dry-run', '--json')).stdout) as {
      processes: { pid: number }[];
    }[];
    expect(would[0]?.processes).toHaveLength(2);
    for (const { pid } of would[0]?.processes ?? []) expect(isRunning(pid)).toBe(true);
    app.signal('SIGTERM');
  });

  test('signal, send and logs reach a service', async () => {
    const { ws } = await started({
      Procfile: `${ticking}trap: trap 'echo got HUP' HUP; while :; do sleep 0.05; done\n`,
    });
    expect(await proclet(ws, 'signal', 'HUP', 'trap')).toMatchObject({ status: 0, stdout: 'SIGHUP to trap.1\n' });
    expect((await proclet(ws, 'signal', 'NOPE', 'trap')).stderr).toContain("'NOPE' is not a signal");
    await proclet(ws, 'send', 'echo', 'käse "$HOME"');
    await eventually(async () => {
      const { stdout } = await proclet(ws, 'logs', 'trap', 'echo', '--no-timestamp', '--json');
      const texts = stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { text: string }).text);
      expect(texts).toEqual(expect.arrayContaining(['got HUP', 'käse "$HOME"']));
    });
    const own = await proclet(ws, 'logs', 'proclet', '--no-timestamp');
    expect(own.stdout).toMatch(/^proclet +\| worker\.1 started/m);
    expect(own.stdout).not.toContain('tick');
    const few = await proclet(ws, 'logs', '-n', '2', 'worker', '--no-timestamp');
    expect(few.stdout).toBe('worker.1 | tick\nworker.1 | tick\n');
    expect((await proclet(ws, 'logs', '--grep', 'k.se', '--no-timestamp')).stdout).toBe('echo.1   | käse "$HOME"\n');
    expect((await proclet(ws, 'logs', '--grep', '(')).stderr).toContain('--grep');
    const follow = ws.proclet('logs', '-f', '-n', '0', 'echo');
    await eventually(async () => {
      await proclet(ws, 'send', 'echo', 'again');
      expect(follow.stdout).toContain('again');
    });
    follow.signal('SIGINT');
  });

  test('leases are extended, kept, touched and ended by hand', async () => {
    const { ws } = await started({}, '--ttl', 'worker=1h', '--idle', 'web=30m');
    expect((await proclet(ws, 'extend', 'worker', '30m')).stdout).toMatch(/^worker has 1h(29|30)m/);
    expect((await ps(ws))['worker']?.lease?.ttl).toBeGreaterThan(5_300_000);
    expect((await proclet(ws, 'extend', 'web', '1h')).stdout).toMatch(/^web has 1h(29|30)m.* left if it is not used$/m);
    expect((await proclet(ws, 'keep', 'worker')).stdout).toBe('worker is kept: it runs until it is stopped\n');
    expect((await ps(ws))['worker']?.lease).toEqual({ kept: true });
    expect(await proclet(ws, 'extend', 'echo', '1m')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('echo has no ttl and no idle window'),
    });
    expect((await proclet(ws, 'extend', 'web')).stderr).toContain("'web' is not a duration");
    expect((await proclet(ws, 'expire')).stderr).toContain('expire what?');
    await proclet(ws, 'expire', 'worker');
    await eventually(async () =>
      expect((await ps(ws))['worker']?.instances).toMatchObject([{ phase: 'down', cause: { reason: 'expired' } }]),
    );
    expect((await proclet(ws, 'touch', 'worker')).stderr).toContain('worker is down');
    expect((await proclet(ws, 'wait', 'worker')).stderr).toContain('worker.1 is down (expired)');
  });

  test('an idle service that is touched lives on, and one that sleeps wakes', async () => {
    const ws = workspace({
      Procfile: 'web: node serves.mjs',
      'proclet.yml': 'services: {web: {start: on-access, idle: 2s}}',
    });
    const app = ws.proclet('start', '-p', String(ws.port));
    await eventually(async () => expect((await proclet(ws, 'touch', 'web')).status).toBe(0));
    await app.line('web.1 is ready');
    // Longer than its window, in which no pause between two touches was as long as that.
    let [began, last] = [performance.now(), performance.now()];
    while (performance.now() - began < 2_500) {
      const { status } = await proclet(ws, 'touch', 'web');
      const pause = performance.now() - last;
      last = performance.now();
      if (pause < 1_500) expect([status, app.text]).toEqual([0, expect.not.stringContaining('expired')]);
      else began = last;
    }
    await app.line('web.1 expired: idle for 2s');
  });
});

describe('two runs', () => {
  test('of a project have names, and the second without one is told who runs', async () => {
    const { ws, app } = await started();
    const second = await proclet(ws, 'start');
    expect(second.status).toBe(1);
    expect(second.stderr).toMatch(
      new RegExp(`a proclet runs ${ws.directory} already \\(pid ${app.pid}, started .* ago\\)`),
    );
    expect(second.stderr).toContain('--name NAME');
    const named = ws.proclet('start', '--name', 'two', 'echo');
    expect((await proclet(ws, 'wait', '--name', 'two')).stdout).toBe('echo.1: up (nothing listens)\n');
    expect(Object.keys(await ps(ws))).toEqual(['web', 'worker', 'echo']);
    expect(Object.keys(await ps(ws, '--name', 'two', '-d', '/'))).toEqual(['echo']);
    await proclet(ws, 'stop', '--name', 'two');
    expect(await statusOf(named)).toBe(0);
    app.signal('SIGKILL');
    await eventually(() => expect(ws.survivors()).toEqual([]));
    const third = ws.proclet('start', 'echo');
    await third.line('echo.1 started');
  });

  test('of a command are told apart by their pids', async () => {
    const ws = workspace({ Procfile: '' + 'echo: cat\n' });
    const [one, two] = [ws.proclet('run', '--', 'sleep', '60'), ws.proclet('run', '--', 'sleep', '60')];
    await eventually(async () => expect((await proclet(ws, 'ps')).stderr).toContain('more than one proclet runs here'));
    expect((await proclet(ws, 'stop', '--name', String(one.pid))).stdout).toContain('run.1 stopped');
    expect(await statusOf(one)).toBe(0);
    expect(two.child.exitCode).toBeNull();
  });
});

describe('start -D', () => {
  test('returns when everything has started, keeps the output in files, and is stopped from elsewhere', async () => {
    const ws = workspace({ Procfile: ticking });
    const began = await proclet(ws, 'start', '-D', '-p', String(ws.port));
    expect(began).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/worker\.1 started \(pid \d+[\s\S]*\nproclet runs in the background \(pid \d+\)/),
    });
    await proclet(ws, 'wait');
    await eventually(async () =>
      expect((await proclet(ws, 'logs', 'worker', '--no-timestamp')).stdout).toContain('worker.1 | tick'),
    );
    const attached = ws.proclet('attach');
    await attached.line('worker.1 | tick');
    attached.signal('SIGINT');
    expect(await statusOf(attached)).toBe(0);
    expect(attached.stderr).toContain('the run goes on');
    expect((await proclet(ws, 'stop')).stdout).toContain('worker.1 stopped');
    expect(ws.survivors()).toEqual([]);
    const kept = await proclet(ws, 'logs', '--grep', 'stopped');
    expect(kept.stdout).toContain('worker.1 stopped');
    expect(kept.stderr).toMatch(/no proclet runs for .*; this is of the last run that kept its output and began at \d/);
    expect((await proclet(ws, 'logs', 'proclet')).stdout).not.toContain('tick');
    // What an earlier run left is not the newest's.
    expect(await proclet(ws, 'start', '-D', '-p', String(ws.port), '--until-exit', String(process.pid))).toMatchObject({
      status: 0,
    });
    await proclet(ws, 'stop');
    expect((await proclet(ws, 'logs', '-n', '1000')).stdout.match(/worker\.1 started/g)).toHaveLength(1);
    const state = join(ws.directory, '.local/state/proclet');
    const [directory = ''] = readdirSync(state);
    expect(statSync(join(state, directory, 'worker.log')).mode & 0o777).toBe(0o600);
  });

  test('fails where a service does, with what was printed and who has its port', async () => {
    const ws = workspace({ Procfile: 'web: node serves.mjs\nother: exec sleep 600' });
    const holder = ws.start(process.execPath, [
      '-e',
      `require('net').createServer().listen(${ws.port}, () => console.log('held'))`,
    ]);
    await holder.line('held');
    const began = await proclet(ws, 'start', '-D', '-p', String(ws.port));
    expect(began).toMatchObject({ status: 1, stdout: expect.stringContaining('EADDRINUSE') });
    expect(began.stdout).toMatch(
      new RegExp(
        `web\\.1 exited with code 1 after \\S+ \\(port ${ws.port} is held by node \\(pid ${holder.pid}\\); if the program reads PORT, -p auto takes`,
      ),
    );
    expect(began.stdout).toContain('proclet runs in the background');
    expect((await proclet(ws, 'stop')).stdout).toContain('other.1 stopped');
    const short = workspace({ Procfile: 'job: true' });
    expect((await proclet(short, 'start', '-D')).status).toBe(0);
    await eventually(() => expect(short.survivors()).toEqual([]));
  });

  test('says why nothing was started', async () => {
    const ws = workspace({
      Procfile: 'web: node serves.mjs',
      'proclet.yml': 'services: {web: {start: on-access, listen: "127.0.0.1:1"}}',
    });
    const wrong = await proclet(ws, 'start', '-D', '--ttl', 'soon');
    expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining("'soon' is not a duration") });
    const taken = workspace({ Procfile: 'web: node serves.mjs', 'proclet.yml': 'services: {web: {start: on-access}}' });
    const holder = taken.start(process.execPath, [
      '-e',
      `require('net').createServer().listen(${taken.port}, '127.0.0.1', () => console.log('held'))`,
    ]);
    await holder.line('held');
    const failed = await proclet(taken, 'start', '-D', '-p', String(taken.port));
    expect(failed.status).not.toBe(0);
    expect(failed.stderr).toContain(`port ${taken.port} is held by`);
  });
});

describe('a run that is bound', () => {
  test('to another process ends with it', async () => {
    const ws = workspace({ Procfile: 'web: sleep 600' });
    const editor = ws.start('sleep', ['600']);
    const app = ws.proclet('start', '--until-exit', String(editor.pid));
    await app.line('web.1 started');
    editor.signal('SIGKILL');
    await app.line(`process ${editor.pid} (sleep 600) has ended: ending`);
    expect(await statusOf(app)).toBe(0);
    expect((await proclet(ws, 'start', '--until-exit', String(editor.pid))).stderr).toContain('there is no process');
  });

  test('to its standard input ends when that is closed', async () => {
    const ws = workspace({ Procfile: 'web: sleep 600' });
    const app = ws.proclet('start', '--stdin-quit');
    await app.line('web.1 started');
    app.child.stdin?.end();
    await app.line('the standard input was closed: ending');
    expect(await statusOf(app)).toBe(0);
  });

  test('to a time ends then, and a time that is none or past is an error', async () => {
    const ws = workspace({ Procfile: 'web: sleep 600' });
    // What is past when proclet gets to read it is refused, and then a later time is asked for.
    for (let ahead = 1_500; ; ahead *= 2) {
      const moment = Math.ceil((Date.now() + ahead) / 1_000) * 1_000;
      const app = ws.proclet('start', '--until', new Date(moment).toISOString().slice(0, 19));
      const status = await statusOf(app);
      if (app.stderr.includes('is past')) continue;
      expect(app.text).toMatch(/it is .*: ending/);
      expect(Date.now()).toBeGreaterThanOrEqual(moment);
      expect(status).toBe(0);
      break;
    }
    expect((await proclet(ws, 'start', '--until', '25:00')).stderr).toContain("'25:00' is not a time");
    expect((await proclet(ws, 'start', '--until', '2020-01-01T10:00')).stderr).toContain('is past');
  });

  test('composes with && under proclet run', async () => {
    const ws = workspace({});
    const app = ws.start('sh', [
      '-c',
      `"${process.execPath}" "${ws.proclet('version').child.spawnargs[1]}" run --ttl 1s -- sleep 600 && echo next`,
    ]);
    await app.line('next');
    expect(await statusOf(app)).toBe(0);
  });
});

describe('events', () => {
  test('are followed as JSON, and run a command that gets them on its standard input', async () => {
    const ws = workspace({ Procfile: 'web: echo "one two"; sleep 600' });
    const app = ws.proclet(
      'start',
      '--on-event',
      'cat >>"events.$PROCLET_EVENT"; [ "$PROCLET_EVENT" != up ] || exit 3',
    );
    await eventually(() => expect(existsSync(join(ws.directory, 'events.spawned'))).toBe(true));
    const follow = ws.proclet('events', '-f');
    await eventually(() => expect(follow.stdout).toContain('"type":"up"'));
    await app.line('--on-event: the command exited with code 3');
    await proclet(ws, 'stop');
    expect(await statusOf(follow)).toBe(0);
    const types = follow.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types.slice(0, 2)).toEqual(['spawned', 'output']);
    expect(types.at(-1)).toBe('stopped');
    const event = JSON.parse(readFileSync(join(ws.directory, 'events.exited'), 'utf8')) as { id: string };
    expect(event).toMatchObject({ type: 'exited', id: 'web.1', next: { is: 'down' } });
  });
});

describe('log files', () => {
  test.each(['/proc/nope', 'Procfile/logs'])(
    'that cannot be made, as %s, are told, and the services run',
    async (place) => {
      const app = workspace({ Procfile: 'web: echo up' }).proclet('start', '--log-dir', place);
      expect(await statusOf(app)).toBe(0);
      expect(app.text).toMatch(
        /web\.log cannot be written, so nothing more goes there until proclet gets USR1: .*\((ENOENT|ENOTDIR)\)/,
      );
      expect(app.text).toContain('web.1 | up');
    },
  );

  test('hold every line without colours, for the user alone, go on after USR1 and are searched', async () => {
    const ws = workspace({
      Procfile: `web: printf '\\033[31mred\\033[0m\\n'; while read line; do echo "got $line"; done\nplain: echo hi; sleep 600\nnone: i=0; while [ $i -lt 200 ]; do echo "number $i of many"; i=$((i+1)); done; sleep 600\n`,
      'proclet.yml':
        'services: {web: {log: {file: log/web.txt, max-size: 2KB, backups: 2}}, none: {log: {file: none/log.txt, max-size: 1KB, backups: 0}}}',
    });
    const app = ws.proclet('start', '--log-dir', 'logs');
    const file = join(ws.directory, 'log/web.txt');
    await eventually(() => expect(readFileSync(file, 'utf8')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z web\.1 \| red\n$/));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await eventually(() => expect(ws.read('logs/plain.log')).toContain('plain.1 | hi'));
    await eventually(() => expect(ws.read('logs/proclet.log')).toContain('proclet | web.1 started'));
    await app.line('number 199 of many');
    await eventually(() => expect(readdirSync(join(ws.directory, 'none'))).toEqual(['log.txt']));
    renameSync(file, `${file}.moved`);
    app.signal('SIGUSR1');
    await eventually(async () => {
      await proclet(ws, 'send', 'web', 'more');
      expect(existsSync(file) && ws.read('log/web.txt')).toContain('got more');
    });
    for (let n = 0; n < 8; n += 1) await proclet(ws, 'send', 'web', `${n}${'x'.repeat(1_000)}`);
    await eventually(() =>
      expect(readdirSync(join(ws.directory, 'log')).sort()).toEqual([
        'web.txt',
        'web.txt.1',
        'web.txt.2',
        'web.txt.moved',
      ]),
    );
    expect((await proclet(ws, 'logs', '--grep', '^got 7x')).stdout).toContain('got 7x');
  });

  test('hold what the memory has forgotten', async () => {
    const ws = workspace({
      Procfile: `web: i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo "line $i of many, and some more to fill the memory up"; done; sleep 600`,
    });
    ws.proclet('start', '--log-dir', 'logs');
    await proclet(ws, 'wait');
    await eventually(async () => expect((await proclet(ws, 'logs', '-n', '1')).stdout).toContain('line 20000 of'));
    const { stdout } = await proclet(ws, 'logs', '-n', '20000', '--no-timestamp');
    const numbers = stdout
      .trim()
      .split('\n')
      .map((line) => Number(/line (\d+) of/.exec(line)?.[1]));
    expect(numbers).toEqual(Array.from({ length: 20_000 }, (_, n) => n + 1));
  });
});
