import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { linesOf, statusOf } from '../support/launch.js';
import { type App, bin, type Workspace, workspace } from '../support/workspace.js';

const Procfile = 'web: exec node versioned.mjs';

interface Served {
  readonly version: string;
  readonly pid: number;
  readonly generation?: string;
  readonly ports?: string;
  readonly fds?: string;
  readonly names?: string;
  readonly isOurs: boolean;
}

function ask(
  where: { port: number; host?: string; agent?: Agent } | { socketPath: string },
  path = '/',
): Promise<Served> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', agent: false, ...where, path }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more) => {
        text += more;
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`${response.statusCode} ${text}`));
      });
      response.on('error', reject);
    });
    asked.on('error', reject).end();
  });
}

const served = (port: number, version: string, path?: string) =>
  eventually(async () => {
    const answer = await ask({ port }, path);
    expect(answer.version).toBe(version);
    return answer;
  });

async function start(config: string, ...args: string[]): Promise<{ ws: Workspace; app: App; port: number }> {
  const ws = workspace({ Procfile, version: 'one', 'proclet.yml': config });
  const app = ws.proclet('start', '-p', String(ws.port), ...args);
  await app.line('web.1 | listening one');
  return { ws, app, port: ws.port };
}

async function stop(app: App, ws: Workspace): Promise<void> {
  app.signal('SIGINT');
  expect(await statusOf(app)).toBe(130);
  expect(ws.survivors()).toEqual([]);
}

/** How many directories and files a process watches. */
function watchesOf(pid: number): number {
  const fds = readdirSync(`/proc/${pid}/fdinfo`).map((fd) => readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1'));
  return fds.join('').match(/^inotify wd:/gm)?.length ?? 0;
}

/** Asks without pause until it is told to stop and so many were answered; throws at the first failure. */
function load(where: Parameters<typeof ask>[0]): { stop(least: number): Promise<void> } {
  let goesOn = true;
  let answered = 0;
  const run = async () => {
    while (goesOn) {
      await ask(where);
      answered += 1;
    }
  };
  const all = Promise.all([run(), run()]);
  all.catch(() => {});
  return {
    async stop(least) {
      await Promise.race([all, eventually(() => expect(answered).toBeGreaterThan(least))]);
      goesOn = false;
      await all;
    },
  };
}

describe('reload: restart', () => {
  test('a change starts the service anew, with its tree, and says which file it was', async () => {
    const { ws, app, port } = await start('services: {web: {watch: version}}');
    ws.save('version', 'two');
    await served(port, 'two');
    expect(linesOf(app, 'proclet')).toContain('web: version changed');
    ws.save('unrelated', 'x');
    ws.save('version', 'three');
    await served(port, 'three');
    expect(app.text).not.toContain('unrelated');
    await stop(app, ws);
  });

  test('what fails after a change waits for the next, and the run with it', async () => {
    const { ws, app, port } = await start('services: {web: {watch: version}}');
    ws.save('version', 'bad one');
    await app.line(/web\.1 failed: it exited with code 3 .*; waiting for a change/);
    await app.line('proclet | cannot run bad one');
    ws.save('version', 'good');
    await served(port, 'good');
    await stop(app, ws);
  });

  test('-R watches for every service, web=... for one', async () => {
    const ws = workspace({
      Procfile: 'a: echo a1; sleep 600\nb: echo b1; sleep 600',
      'lib/x.txt': '',
      'only/y.txt': '',
    });
    const app = ws.proclet('start', '-R', 'lib', '-R', 'b=only/*.txt');
    await app.line('b.1 | b1');
    ws.save('only/y.txt', '1');
    await app.line('b: only/y.txt changed');
    ws.save('lib/x.txt', '1');
    await app.line('a: lib/x.txt changed');
    expect(app.text).not.toContain('a: only');
    await stop(app, ws);
  });

  test('what editors and version control leave about is no change; an atomic save is one', async () => {
    const { ws, app, port } = await start('services: {web: {watch: .}}');
    ws.save('.gitignore', 'build\n*.tmp\n');
    await app.line('web: .gitignore changed');
    const count = () => linesOf(app, 'proclet').filter((line) => line.includes(' changed')).length;
    await served(port, 'one');
    const before = count();
    for (const name of [
      '.version.swp',
      'version~',
      '4913',
      '.#version',
      'build/out.js',
      'x.tmp',
      'node_modules/a/b.js',
      '.git/HEAD',
    ])
      ws.write(name, 'x');
    ws.write('version.new.tmp', 'two');
    renameSync(join(ws.directory, 'version.new.tmp'), join(ws.directory, 'version'));
    await served(port, 'two');
    expect(linesOf(app, 'proclet')).toContain('web: version changed');
    expect(count(), app.text).toBe(before + 1);
    await stop(app, ws);
  });

  test('two thousand files at once are one restart, and new directories are watched', async () => {
    const { ws, app, port } = await start('services: {web: {watch: .}}');
    await served(port, 'one');
    const before = watchesOf(app.pid);
    ws.write('.git/index.lock', '');
    for (let n = 0; n < 2_000; n += 1) ws.write(`src/d${n % 20}/f${n}.txt`, String(n));
    ws.save('version', 'two');
    await eventually(() => expect(watchesOf(app.pid)).toBeGreaterThanOrEqual(before + 21));
    renameSync(join(ws.directory, '.git/index.lock'), join(ws.directory, '.git/index'));
    await served(port, 'two');
    expect(linesOf(app, 'proclet').filter((line) => line.includes(' changed'))).toHaveLength(1);
    ws.save('src/d3/later.txt', '');
    await app.line('web: src/d3/later.txt changed');
    await stop(app, ws);
  });

  test('without watches left in the kernel it says so once, and polls', async ({ skip }) => {
    const ws = workspace({ Procfile, version: 'one', 'a/b/c/d/e/f': '', 'proclet.yml': 'services: {web: {watch: .}}' });
    // A limit of its own, which a user namespace has.
    const limited = `echo 3 >/proc/sys/user/max_inotify_watches && exec "$NODE" "$BIN" start -p ${ws.port}`;
    const canLimit =
      spawnSync('unshare', ['-Ur', 'sh', '-c', 'echo 3 >/proc/sys/user/max_inotify_watches'], { env: environment() })
        .status === 0;
    skip(!canLimit, 'no user namespaces here');
    const app = ws.start('unshare', ['-Ur', 'sh', '-c', limited], { env: { NODE: process.execPath, BIN: bin } });
    await app.line(/the kernel's limit fs\.inotify\.max_user_watches .* is reached.*sudo sysctl/);
    await served(ws.port, 'one');
    ws.save('version', 'two');
    await served(ws.port, 'two');
    expect(app.text.match(/is reached/g)).toHaveLength(1);
    await stop(app, ws);
  });

  test('an expired service is not brought back by a change', async () => {
    const ws = workspace({ Procfile: `${Procfile}\nother: sleep 600`, version: 'one' });
    const app = ws.proclet('start', '-R', 'version', '--ttl', 'web=1s', '-p', String(ws.port));
    await app.line(/web\.1 expired after 1s/);
    ws.save('version', 'two');
    await app.line('other: version changed');
    await app.line(/other\.1 started.*[\s\S]*other\.1 started|other\.1 stopped for a change/);
    expect(app.text).not.toContain('listening two');
    await stop(app, ws);
  });
});

describe('reload: handover by inherited sockets', () => {
  const config = (ports: string) =>
    `services: {web: {watch: version, reload: handover, ready: {log: "^listening"}, listen: ${ports}}}`;

  test('each generation inherits every socket, in the words of Server::Starter and systemd', async () => {
    const ws = workspace({ Procfile, version: 'one' });
    const path = join(ws.directory, 'app.sock');
    ws.write('proclet.yml', config(`["${ws.port + 50}", "[::1]:${ws.port + 51}", "${path}"]`));
    const app = ws.proclet('start', '-p', String(ws.port));
    await app.line('listening one');
    const named = `127.0.0.1:${ws.port + 50}=3;[::1]:${ws.port + 51}=4;${path}=5`;
    const wanted = { generation: '1', ports: named, fds: '3', names: 'web:web:web', isOurs: true };
    for (const where of [{ port: ws.port + 50 }, { host: '::1', port: ws.port + 51 }, { socketPath: path }]) {
      expect(await ask(where)).toMatchObject(wanted);
    }
    ws.save('version', 'two');
    await app.line('web.1 handed over to generation 2');
    expect(await served(ws.port + 50, 'two')).toMatchObject({ ...wanted, generation: '2' });
    await stop(app, ws);
    await expect(ask({ port: ws.port + 50 })).rejects.toThrow('ECONNREFUSED');
  });

  test('nobody is refused while generations follow each other', async () => {
    const ws = workspace({ Procfile, version: 'v0' });
    ws.write('proclet.yml', config(String(ws.port + 50)));
    const app = ws.proclet('start', '-p', String(ws.port));
    await app.line('listening v0');
    const clients = load({ port: ws.port + 50 });
    for (let n = 1; n <= 5; n += 1) {
      ws.save('version', `v${n}`);
      await app.line(`web.1 handed over to generation ${n + 1}`);
      await app.line(new RegExp(`web.1 \\(generation ${n}\\) was replaced`));
    }
    await clients.stop(100);
    await stop(app, ws);
  });

  test('one that fails leaves the old one serving, with its last words, until the next change', async () => {
    const ws = workspace({ Procfile, version: 'one' });
    ws.write('proclet.yml', config(String(ws.port + 50)));
    const app = ws.proclet('start', '-p', String(ws.port));
    await app.line('listening one');
    const { pid } = await served(ws.port + 50, 'one');
    ws.save('version', 'bad');
    await app.line('web.1 keeps generation 1: generation 2 failed; waiting for a change');
    await app.line('proclet | cannot run bad');
    expect((await ask({ port: ws.port + 50 })).pid).toBe(pid);
    ws.save('version', 'two');
    await served(ws.port + 50, 'two');
    await stop(app, ws);
  });

  test('what knows nothing of sockets gets a proxy, and its generations a port each', async () => {
    const ws = workspace({ Procfile: `web: IGNORE_SOCKETS=1 exec node versioned.mjs`, version: 'one' });
    ws.write('proclet.yml', config(String(ws.port + 50)));
    const app = ws.proclet('start', '-p', String(ws.port));
    await served(ws.port + 50, 'one');
    const clients = load({ port: ws.port + 50 });
    ws.save('version', 'slow two');
    await served(ws.port + 50, 'slow two');
    await app.line('(generation 1) was replaced');
    await clients.stop(10);
    await stop(app, ws);
  });

  test('a pool shares the socket, and is rolled one by one', async () => {
    const ws = workspace({ Procfile, version: 'one' });
    ws.write(
      'proclet.yml',
      `services: {web: {watch: version, reload: handover, ready: {log: "^listening"}, listen: ${ws.port + 50}, instances: 3}}`,
    );
    const app = ws.proclet('start', '-p', String(ws.port));
    for (const n of [1, 2, 3]) await app.line(`web.${n} | listening one`);
    ws.save('version', 'two');
    for (const n of [1, 2, 3]) await app.line(`web.${n} handed over to generation 2`);
    for (const n of [1, 2, 3]) await app.line(`web.${n} (generation 1) was replaced`);
    const order = linesOf(app, 'proclet').filter((line) => /generation 2 starts|handed over/.test(line));
    expect(order.map((line) => line.slice(0, 5))).toEqual(['web.1', 'web.1', 'web.2', 'web.2', 'web.3', 'web.3']);
    const { pid } = await ask({ port: ws.port + 50 });
    process.kill(pid, 'SIGKILL');
    await app.line(/web\.\d was killed by SIGKILL/);
    expect((await ask({ port: ws.port + 50 })).version).toBe('two');
    await stop(app, ws);
  });
});

describe('reload: handover through the front', () => {
  test('a request in flight is answered by the old one, every later one by the new', async () => {
    const { ws, app, port } = await start('services: {web: {watch: version, reload: handover}}');
    await app.line('web.1 is ready');
    const slow = ask({ port }, '/slow');
    const clients = load({ port });
    ws.save('version', 'two');
    await app.line('web.1 handed over to generation 2');
    expect((await ask({ port })).version).toBe('two');
    expect((await slow).version).toBe('one');
    await app.line('(generation 1) was replaced');
    await clients.stop(10);
    await stop(app, ws);
  });

  test('one that listens and then fails is not handed over to: nobody meets it', async () => {
    const { ws, app, port } = await start('services: {web: {watch: version, reload: handover}}');
    await app.line('web.1 is ready');
    const { pid } = await ask({ port });
    const clients = load({ port });
    ws.save('version', 'dies');
    await app.line('web.1 keeps generation 1: generation 2 failed; waiting for a change');
    await app.line('proclet | cannot go on with dies');
    await clients.stop(10);
    expect((await ask({ port })).pid).toBe(pid);
    ws.save('version', 'two');
    await served(port, 'two');
    await stop(app, ws);
  });

  test('an answer that pauses is whole, and its client keeps its connection', async () => {
    const { ws, app, port } = await start('services: {web: {watch: version, reload: handover}}');
    await app.line('web.1 is ready');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const paused = ask({ port, agent }, '/paused');
    await app.line('web.1 | half of it is said');
    ws.save('version', 'two');
    await app.line('web.1 handed over to generation 2');
    expect((await paused).version).toBe('one');
    expect((await ask({ port, agent })).version).toBe('two');
    agent.destroy();
    await app.line('(generation 1) was replaced');
    await stop(app, ws);
  });

  test('a port that is fixed is an error that names the way out', async () => {
    const ws = workspace({
      Procfile,
      version: 'one',
      'proclet.yml': 'services:\n  web: {reload: handover, port: 9022}\n',
    });
    const app = ws.proclet('start');
    expect(await statusOf(app)).toBe(2);
    expect(app.stderr).toContain('proclet.yml:2:3: services.web: two generations cannot both listen on port 9022');
  });
});

describe('reload: shotgun', () => {
  test('saves cost nothing; the next access gets the last version', async () => {
    const { ws, app, port } = await start('services: {web: {watch: version, reload: shotgun}}');
    await served(port, 'one');
    for (let n = 0; n < 10; n += 1) ws.save('version', `save ${n}`);
    await app.line('web: version changed');
    expect(app.text).not.toContain('generation 2');
    expect((await ask({ port })).version).toBe('save 9');
    // An access right behind a save.
    ws.save('version', 'two');
    expect((await ask({ port })).version).toBe('two');
    await stop(app, ws);
  });

  test('the next request on a connection that stays open gets the last version, too', async () => {
    const { ws, app, port } = await start('services: {web: {watch: version, reload: shotgun}}');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect((await ask({ port, agent })).version).toBe('one');
    for (const version of ['two', 'three']) {
      ws.save('version', version);
      expect((await ask({ port, agent })).version).toBe(version);
    }
    ws.save('version', 'bad code');
    await expect(ask({ port, agent })).rejects.toThrow(/^502 [\s\S]*cannot run bad code/);
    agent.destroy();
    await stop(app, ws);
  });

  test('nobody sees old code where the new does not run', async () => {
    const { ws, app, port } = await start('services: {web: {watch: version, reload: shotgun}}');
    await served(port, 'one');
    ws.save('version', 'bad code');
    await expect(ask({ port })).rejects.toThrow(/^502 [\s\S]*cannot run bad code/);
    ws.save('version', 'mended');
    expect((await ask({ port })).version).toBe('mended');
    await stop(app, ws);
  });

  test('works for a program that insists on its port', async () => {
    const ws = workspace({ Procfile: 'web: exec node versioned.mjs', version: 'one' });
    ws.write('proclet.yml', `services: {web: {watch: version, reload: shotgun, port: ${ws.port + 7}}}`);
    const app = ws.proclet('start', '-p', String(ws.port));
    await served(ws.port, 'one');
    ws.save('version', 'two');
    expect((await ask({ port: ws.port })).version).toBe('two');
    await stop(app, ws);
  });
});

describe('proclet reload', () => {
  test('hands over without a refused request, and says when the new code fails', async () => {
    const { ws, app, port } = await start('services: {web: {reload: handover, ready: {tcp: true}}}');
    const reload = async (...flags: string[]) => {
      const asked = ws.proclet('reload', ...flags);
      return { status: await statusOf(asked), stdout: asked.stdout };
    };
    const visitors = load({ port });
    ws.save('version', 'two');
    expect(await reload('web')).toEqual({ status: 0, stdout: 'web.1: generation 2 took over from generation 1\n' });
    await visitors.stop(10);
    expect((await ask({ port })).version).toBe('two');
    ws.save('version', 'bad');
    const kept = await reload('--json');
    expect(kept.status).toBe(1);
    const [one] = JSON.parse(kept.stdout) as object[];
    const failed = { is: 'kept', generation: 2, failed: 3, how: 'exited with code 3', lastWords: ['cannot run bad'] };
    expect(one).toEqual({ id: 'web.1', ...failed });
    expect((await ask({ port })).version).toBe('two');
    await stop(app, ws);
  });
});

describe('HUP', () => {
  test('starts what is new, ends what is gone, reloads what changed, and touches nothing else', async () => {
    const ws = workspace({ Procfile: 'a: echo a $$; exec sleep 600\nb: echo b; sleep 600\nc: echo c1; sleep 600' });
    const app = ws.proclet('start', '-p', String(ws.port));
    await app.line('c.1 | c1');
    ws.save('Procfile', 'd: echo d on $PORT; sleep 600\nc: echo c2; sleep 600\na: echo a $$; exec sleep 600\n');
    app.signal('SIGHUP');
    await app.line('proclet | the configuration was read again; new: d; gone: b; changed: c');
    await app.line('c.1 | c2');
    await app.line(/b\.1 stopped/);
    await app.line(`d.1 | d on ${ws.port + 300}`);
    expect(linesOf(app, 'a.1')).toHaveLength(1);
    await stop(app, ws);
  });

  test('a broken file changes nothing, and is said where it is broken', async () => {
    const ws = workspace({ Procfile: 'a: echo a; sleep 600' });
    const app = ws.proclet('start');
    await app.line('a.1 | a');
    ws.save('Procfile', 'a: echo a; sleep 600\nnonsense\n');
    app.signal('SIGHUP');
    await app.line('the configuration was not read again, and nothing changed');
    await app.line(/Procfile:2: /);
    expect(linesOf(app, 'a.1')).toEqual(['a']);
    await stop(app, ws);
  });

  test('what a pipe has said stays true, and a file that became a pipe changes nothing', async () => {
    const ws = workspace({ Procfile: 'a: echo $GIVEN $OWN; sleep 600' });
    const line = `exec "${process.execPath}" "${bin}" start -e <(echo GIVEN=by-a-pipe)`;
    const app = ws.start('bash', ['-c', line]);
    await app.line('a.1 | by-a-pipe');
    ws.save('Procfile', 'a: echo $GIVEN again; sleep 600');
    app.signal('SIGHUP');
    await app.line('a.1 | by-a-pipe again');
    rmSync(join(ws.directory, 'Procfile'));
    execFileSync('mkfifo', [join(ws.directory, 'Procfile')], { env: environment() });
    app.signal('SIGHUP');
    await app.line('Procfile is not a plain file');
    await stop(app, ws);
  });

  test('TTIN starts one more of the first service, TTOU ends it', async () => {
    const ws = workspace({ Procfile: 'a: echo here; sleep 600\nb: sleep 600' });
    const app = ws.proclet('start');
    await app.line('a.1 | here');
    app.signal('SIGTTIN');
    await app.line('a.2 | here');
    app.signal('SIGTTOU');
    await app.line(/a\.2 stopped/);
    expect(linesOf(app, 'a.1')).toHaveLength(1);
    await stop(app, ws);
  });
});

test('a status file lists the generations, and env-dir is read for each', async () => {
  const ws = workspace({
    Procfile: 'web: echo "says $WORD"; exec sleep 600',
    version: '1',
    'vars/WORD': 'hello  \nmore',
  });
  ws.write('proclet.yml', 'services: {web: {watch: version, status-file: web.status, env-dir: vars}}');
  const app = ws.proclet('start');
  await app.line('web.1 | says hello');
  const pid = /started \(pid (\d+)/.exec(app.text)?.[1];
  expect(ws.read('web.status')).toBe(`1:${pid}\n`);
  ws.save('vars/WORD', 'bye');
  utimesSync(join(ws.directory, 'version'), new Date(), new Date());
  await app.line('web.1 | says bye');
  expect(ws.read('web.status')).toMatch(/^2:\d+\n$/);
  await stop(app, ws);
});

describe('HUP and the start are one function:', () => {
  const up = async (config: string, ...args: string[]) => {
    const ws = workspace({ Procfile: 'web: echo "$(id -un)"; exec sleep 600\n', 'proclet.yml': config });
    const app = ws.proclet('start', '-p', String(ws.port), ...args);
    await app.line(/web\.1 \| \w+/);
    const give = (next: string) => {
      ws.write('proclet.yml', next);
      app.signal('SIGHUP');
    };
    return { ws, app, give };
  };

  test('a log, a status file, a display, a pid file and a command for events come and go; a new service is logged', async () => {
    const { ws, app, give } = await up('{}');
    give(
      'defaults: {log-dir: logs, pid-file: run.pid, timestamp: false, on-event: "cat >>events"}\nservices: {web: {status-file: web.status, log: web.txt}}',
    );
    await eventually(() => expect(ws.read('web.status')).toMatch(/^1:\d+\n$/));
    await eventually(() => expect(ws.read('run.pid')).toBe(`${app.pid}\n`));
    ws.write('Procfile', `${ws.read('Procfile')}other: echo more; exec sleep 600\n`);
    app.signal('SIGHUP');
    await eventually(() => expect(ws.read('logs/other.log')).toContain('other.1 | more'));
    await app.line(/^other\.1 \| more/);
    await eventually(() => expect(ws.read('events')).toContain('"id":"other.1"'));
    expect(linesOf(app, 'web.1')).toHaveLength(1);
    give('{}');
    await eventually(() => expect(() => ws.read('run.pid')).toThrow('ENOENT'));
    await eventually(() => expect(ws.read('web.status')).toBe(''));
    await stop(app, ws);
  });

  test('what cannot be had is refused whole: an address, a process to outlive, another name', async () => {
    const { ws, app, give } = await up('{}');
    const holder = ws.start(process.execPath, ['holds-port.mjs'], { env: { PORT: String(ws.port + 50) } });
    await holder.line('holding');
    const refused = async (config: string, why: string | RegExp) => {
      give(`services: {web: {env: {COLOR: red}, listen: ${ws.port + 60}}}\n${config}`);
      await app.line(why);
    };
    await refused('defaults: {until-exit: 999999999}', '--until-exit: there is no process 999999999');
    await refused('defaults: {name: blue}', 'the run has no name, and cannot get the name blue while it runs');
    give(`services: {web: {env: {COLOR: red}, listen: [${ws.port + 60}, ${ws.port + 50}]}}`);
    await app.line(`web cannot be reached at 127.0.0.1:${ws.port + 50}: port ${ws.port + 50} is held by`);
    expect(app.text.match(/nothing changed/g)).toHaveLength(3);
    expect(linesOf(app, 'web.1')).toHaveLength(1);
    await expect(ask({ port: ws.port + 60 })).rejects.toThrow('ECONNREFUSED');
    holder.signal('SIGTERM');
    await holder.exited;
    await stop(app, ws);
  });

  test('every: ends what runs and waits for its times; without it, it runs again', async () => {
    const { ws, app, give } = await up('{}');
    give('services: {web: {every: "0 0 1 1 *"}}');
    await app.line('web.1 stopped');
    give('{}');
    await eventually(() => expect(linesOf(app, 'web.1')).toHaveLength(2));
    await stop(app, ws);
  });

  test.skipIf(process.getuid?.() !== 0)('user: is looked up, and an unknown one refused', async () => {
    const { ws, app, give } = await up('{}');
    await app.line('web.1 | root');
    give('services: {web: {user: nobody, directory: /}}');
    await app.line('web.1 | nobody');
    give('services: {web: {user: no-such-user, directory: /}}');
    await app.line("there is no user 'no-such-user' on this machine");
    expect(linesOf(app, 'web.1')).toEqual(['root', 'nobody']);
    await stop(app, ws);
  });
});
