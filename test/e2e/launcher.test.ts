import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { statusOf } from '../support/launch.js';
import { launcherOf, projectIn, register } from '../support/launching.js';
import { isRunning } from '../support/survivors.js';
import { workspace } from '../support/workspace.js';

const web = 'node ../serves.mjs';
const slow = 'sleep 0.5; exec node ../serves.mjs';

/** Fails once the port accepts a connection. */
const refuses = (port: number) =>
  new Promise<void>((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    socket.once('error', () => resolve());
    socket.once('connect', () => {
      socket.destroy();
      reject(new Error(`port ${port} is taken`));
    });
  });
const statusLineFor = (port: number, head: string) =>
  new Promise<string>((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1' }, () => socket.write(head));
    socket.once('error', reject).once('data', (data) => {
      socket.destroy();
      resolve(String(data).split('\r\n')[0] ?? '');
    });
  });
const portOf = (location = '') => Number(new URL(location).port);

describe('the registry', () => {
  test('is read for each name that is asked for, and one that is no file changes nothing', async () => {
    const ws = workspace({});
    const files = { Procfile: `web: ${web}\n` };
    const { get, visit, roots, app, port } = await launcherOf(ws, { hoge: files });
    expect(Number(await visit('/launch?project=hoge&service=web'))).toBeGreaterThan(0);
    const other = projectIn(ws, 'piyo', files);
    register(ws, { piyo: other });
    const at = (name: string) => get('/', { host: `${name}.localhost:${port}` });
    expect((await at('hoge')).status).toBe(404);
    const page = await get('/', { host: `piyp.localhost:${ws.port}`, accept: 'text/html' });
    expect([page.status, page.text]).toEqual([404, expect.stringContaining('did you mean piyo?')]);
    expect((await get('/launch?project=hoge&service=web')).status).toBe(404);
    await eventually(async () => expect((await at('piyo')).status).toBe(200));
    expect((await at(`web.piyo`)).status).toBe(200);
    const stopped = ws.proclet('stop', '-d', roots['hoge'] ?? '', '--name', 'launcher');
    await stopped.exited;
    const registry = `${ws.directory}/.config/proclet/projects.json`;
    rmSync(registry);
    execFileSync('mkfifo', [registry], { env: environment() });
    expect((await at('piyo')).status).toBe(200);
    expect((await get('/')).text).toContain('projects.json is not a plain file');
    app.signal('SIGTERM');
    await app.exited;
    const again = ws.proclet('launcher', '--port', String(port));
    await again.exited;
    expect(again.stderr).toContain('projects.json cannot be read');
  });
});

describe('GET /launch', () => {
  test('starts a service with what it is after, redirects to it, and lets it vanish', async () => {
    const ws = workspace({});
    const files = {
      Procfile: `web: ${web}\ndb: ${web}\nother: ${web}\n`,
      'proclet.yml': 'services: {web: {after: [db], idle: 1s}, db: {ready: {tcp: true}}}\n',
    };
    const { get, visit, roots } = await launcherOf(ws, { hoge: files });
    const answer = await get('/launch?project=hoge&service=web');
    expect(answer.status).toBe(302);
    const address = answer.headers.location ?? '';
    // A request that is not answered keeps it up, however long the questions take.
    const held = fetch(`${address}slow`);
    const pid = Number(await visit('/launch?project=hoge&service=web'));
    expect(isRunning(pid)).toBe(true);
    const ps = ws.proclet('ps', '-d', roots['hoge'] ?? '', '--json');
    await ps.exited;
    const { services } = JSON.parse(ps.stdout) as { services: { tag: string; instances: { phase: string }[] }[] };
    expect(services.map(({ tag, instances }) => `${tag} ${instances[0]?.phase}`)).toMatchObject([
      expect.stringMatching('web up|web starting'),
      'db up',
      'other down',
    ]);
    await eventually(async () => expect(await (await fetch(`${address}go`)).text()).toBe('1'));
    expect(await (await held).text()).toBe('slow\n');
    // Each access renews the window; without one it ends, and with it what was only there for it.
    await eventually(async () => {
      expect(isRunning(pid)).toBe(false);
      const { text } = await get('/');
      expect(text).toContain('web.1 expired: idle for 1s');
      // While anything of it is there, whoever connects would wake it.
      expect(text).not.toMatch(/proclet start, pid/);
      await refuses(portOf(address));
      expect(ws.survivors().filter(({ command }) => command.includes('serves.mjs'))).toEqual([]);
    });
    expect(Number(await visit('/launch?project=hoge&service=web'))).not.toBe(pid);
  });

  test('of several at once is one start', async () => {
    const ws = workspace({});
    const { visit } = await launcherOf(ws, { hoge: { Procfile: `web: ${slow}\n` } });
    const pids = await Promise.all(Array.from({ length: 10 }, () => visit('/launch?project=hoge')));
    expect(new Set(pids).size).toBe(1);
  });

  test('of several services of a project is one run, and of several projects several', async () => {
    const ws = workspace({});
    const files = { Procfile: `web: ${web}\nadmin: ${web}\n` };
    const { get, visit } = await launcherOf(ws, { hoge: files, fuga: files });
    const pids = [
      await visit('/launch?project=hoge&service=web'),
      await visit('/launch?project=hoge&service=admin'),
      await visit('/launch?project=fuga&service=web'),
    ];
    expect(new Set(pids).size).toBe(3);
    expect((await get('/')).text.match(/proclet start, pid \d+/g)).toHaveLength(2);
  });

  test('uses the run that a terminal has, and another beside it for what that one lacks', async () => {
    const ws = workspace({});
    const { get, visit, roots } = await launcherOf(ws, { hoge: { Procfile: `web: ${web}\nadmin: ${web}\n` } });
    const own = ws.proclet('start', 'web', '-d', roots['hoge'] ?? '', '-p', String(ws.port + 100));
    await own.line('serving');
    const answer = await get('/launch?project=hoge&service=web');
    expect(answer.headers.location).toBe(`http://localhost:${ws.port + 100}/`);
    expect(Number(await visit('/launch?project=hoge&service=admin'))).toBeGreaterThan(1);
    expect((await get('/')).text).toContain(`proclet start, pid ${own.pid}`);
  });

  test('of what another one is after has a lease of its own, which does not end while it is needed', async () => {
    const ws = workspace({});
    const files = {
      Procfile: `web: ${web}\ndb: ${web}\n`,
      'proclet.yml': 'services: {web: {after: [db], idle: 2s}, db: {ready: {tcp: true}}}\n',
    };
    const { get, visit, roots } = await launcherOf(ws, { hoge: files }, '--idle', '1s');
    const ended = (text: string) => eventually(async () => expect((await get('/')).text).toContain(text));
    await visit('/launch?project=hoge&service=db');
    await ended('db.1 expired: idle for 1s');
    // With web it lives for longer than its own window, and on for that after it, since it was asked for.
    await visit('/launch?project=hoge&service=web');
    const pid = Number(await visit('/launch?project=hoge&service=db'));
    await ended('web.1 expired: idle for 2s');
    await eventually(() => expect(isRunning(pid)).toBe(false));
    // Of the newest run: the first db was another's.
    await eventually(async () => {
      const logs = ws.proclet('logs', '-d', roots['hoge'] ?? '', '--grep', 'expired');
      await logs.exited;
      expect(logs.stdout.match(/\w+\.1(?= expired)/g)).toEqual(['web.1', 'db.1']);
    });
  });

  test('of a service that ends at once says how it ended and what it printed, however fast it was', async () => {
    const ws = workspace({});
    const { get } = await launcherOf(ws, { hoge: { Procfile: 'web: echo hello; exit 0\n' } });
    for (let round = 0; round < 5; round += 1) {
      const { status, text } = await get('/launch?project=hoge&service=web');
      expect(status).toBe(502);
      expect(text).toContain('</span>hello</p>');
      expect(text).toMatch(/role="alert">web\.1 exited with code 0/);
    }
  });

  test('of a service that fails is 502 with the reason and its last lines, and leaves nothing', async () => {
    const ws = workspace({});
    const { get } = await launcherOf(ws, { hoge: { Procfile: 'web: echo "<b>no</b> config"; exit 7\n' } });
    const { status, text } = await get('/launch?project=hoge&service=web', { accept: 'text/html' });
    const page = status === 200 ? await eventually(() => failed(get)) : text;
    expect(page).toMatch(/web\.1 exited with code 7 after/);
    expect(page).toContain('&lt;b&gt;no&lt;/b&gt; config');
    expect(page).toContain('Retry');
    await eventually(async () => expect((await get('/')).text).not.toContain('proclet start, pid'));
    expect((await get('/')).text).toContain('web.1 exited with code 7 after');
  });

  async function failed(get: (path: string) => Promise<{ status: number; text: string }>): Promise<string> {
    const { status, text } = await get('/.proclet/launch/1');
    expect(status).toBe(502);
    return text;
  }

  test('finds a program that listens elsewhere than it was told to', async () => {
    const ws = workspace({});
    const { visit } = await launcherOf(ws, { hoge: { Procfile: `web: node ../serves.mjs ${ws.port + 150}\n` } });
    expect(Number(await visit('/launch?project=hoge'))).toBeGreaterThan(1);
  });

  test.each(['ready: {log: at work}', 'port: false'])(
    'of a worker says that it runs, offers nothing to open, and all of a project is started and stopped: %s',
    async (word) => {
      const ws = workspace({});
      const files = {
        Procfile: `web: ${web}\nworker: echo at work; exec sleep 600\n`,
        'proclet.yml': `services: {worker: {${word}}}\n`,
      };
      const { get, act } = await launcherOf(ws, { hoge: files });
      const { status, text } = await get('/launch?project=hoge&service=worker');
      expect([status, text]).toEqual([200, expect.stringContaining('It listens on no port')]);
      const opens = async () => (await get('/')).text.match(/aria-label="Open hoge \w+"/g);
      await eventually(async () => expect(await opens()).toEqual(['aria-label="Open hoge web"']));
      const phases = async () => (await get('/')).text.match(/(?<=data-phase=")\w+/g);
      expect((await act({ project: 'hoge', act: 'start-all' })).status).toBe(200);
      await eventually(async () => expect(await phases()).toEqual(['up', 'up']));
      expect((await act({ project: 'hoge', act: 'stop-all' })).status).toBe(200);
      await eventually(async () => expect(await phases()).toEqual(['down', 'down']));
      expect((await act({ project: 'nowhere', act: 'stop-all' })).status).toBe(404);
    },
  );

  test('leads to no other project whose ports are beside its own', async () => {
    const ws = workspace({});
    const files = { Procfile: `web: ${web}\nadmin: ${web}\n` };
    const { port: base } = workspace({});
    const [first, second] = [projectIn(ws, 'one', files, base), projectIn(ws, 'two', files, base + 100)];
    const { get, visit } = await launcherOf(ws, { first, second });
    const pids = [
      await visit('/launch?project=first&service=web'),
      await visit('/launch?project=second&service=web'),
      await visit('/launch?project=first&service=admin'),
    ];
    expect(new Set(pids).size).toBe(3);
    expect(portOf((await get('/launch?project=first&service=admin')).headers.location)).toBe(base + 100);
  });

  test('does not lead to a stranger who has the port that a service asks for', async () => {
    const ws = workspace({});
    ws.start('node', ['serves.mjs', String(ws.port + 20)]);
    await eventually(() => fetch(`http://127.0.0.1:${ws.port + 20}/`));
    const { get } = await launcherOf(ws, {
      hoge: {
        Procfile: `web: sleep 1000\nother: ${web}\n`,
        'proclet.yml': `services: {web: {port: ${ws.port + 20}}}\n`,
      },
    });
    const held = new RegExp(`port ${ws.port + 20}, which is web&#39;s, is held by node \\(pid \\d+\\)`);
    for (const before of ['', '/launch?project=hoge&service=other']) {
      if (before !== '') expect((await get(before)).text).toBe('');
      const { status, text } = await get('/launch?project=hoge&service=web');
      expect([status, text]).toEqual([502, expect.stringMatching(held)]);
    }
  });

  test('says of a program that listens nowhere what it waited for', async () => {
    const ws = workspace({});
    const files = {
      Procfile: 'web: sleep 1000\n',
      'proclet.yml': 'services: {web: {ready: {tcp: true, timeout: 1s}}}\n',
    };
    const { get } = await launcherOf(ws, { hoge: files });
    const { status, text } = await get('/launch?project=hoge');
    expect([status, text]).toEqual([502, expect.stringMatching(/web\.1 is not ready after 1s/)]);
  });

  test('keeps a service no longer than the launcher says, unless the project says otherwise', async () => {
    const ws = workspace({});
    const files = { Procfile: `web: ${web}\nown: ${web}\n`, 'proclet.yml': 'services: {own: {ttl: 1h}}\n' };
    const { visit, roots } = await launcherOf(ws, { hoge: files }, '--idle', '40m', '--ttl', '50m');
    await visit('/launch?project=hoge&service=web');
    await visit('/launch?project=hoge&service=own');
    const ps = ws.proclet('ps', '-d', roots['hoge'] ?? '', '--json');
    await ps.exited;
    const { services } = JSON.parse(ps.stdout) as { services: { lease: { ttl?: number; idle?: number } }[] };
    const minutes = (millis = 0) => Math.ceil(millis / 60_000);
    expect(services.map(({ lease }) => [minutes(lease.ttl), minutes(lease.idle)])).toEqual([
      [50, 40],
      [60, 0],
    ]);
  });
});

describe('a name of its own', () => {
  test('each project and each service has one, and whatever is asked there is passed on', async () => {
    const ws = workspace({
      'echo.mjs': `import http from 'node:http';
const server = http.createServer((q, r) => { let b = ''; q.on('data', (c) => { b += c; }).on('end', () =>
  r.end([process.env.PROCLET_TAG, q.method, q.url, q.headers.host, q.headers['x-forwarded-host'], b].join(' '))); });
server.on('upgrade', (q, s) => { s.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\n'); s.pipe(s); });
server.listen(process.env.PORT);`,
    });
    const { port, get, send } = await launcherOf(ws, {
      Hoge_Project: { Procfile: 'web: node ../echo.mjs\nadmin: sleep 0.3; exec node ../echo.mjs\n' },
    });
    const at = (name: string) => ({ host: `${name}.localhost:${port}` });
    const host = `hoge-project.localhost:${port}`;
    expect((await get('/a?b=1', at('hoge-project'))).text).toBe(`web GET /a?b=1 ${host} ${host} `);
    // Held while it starts, with its body.
    expect((await send('POST', '/x', at('admin.hoge-project'), 'the body')).text).toBe(
      `admin POST /x admin.${host} admin.${host} the body`,
    );
    const echoed = await new Promise<string>((resolve, reject) => {
      const headers = {
        ...at('hoge-project'),
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'x',
        'sec-websocket-version': '13',
      };
      http
        .request({ port, host: '127.0.0.1', headers })
        .on('upgrade', (_, socket) => {
          socket.once('data', (data) => {
            socket.destroy();
            resolve(String(data));
          });
          socket.write('hello');
        })
        .on('error', reject)
        .end();
    });
    expect(echoed).toBe('hello');
    for (const name of ['nope', 'nope.hoge-project', 'a.b.hoge-project']) {
      expect((await get('/', at(name))).status).toBe(404);
    }
  });

  test('a service that was stopped is woken by the next request', async () => {
    const ws = workspace({});
    const { port, get, act } = await launcherOf(ws, { hoge: { Procfile: `web: ${web}\n` } });
    const host = `hoge.localhost:${port}`;
    const first = (await get('/', { host })).text;
    expect((await act({ project: 'hoge', service: 'web', act: 'stop' })).status).toBe(200);
    const second = (await get('/', { host })).text;
    expect(Number(second)).toBeGreaterThan(1);
    expect(second).not.toBe(first);
  });

  test('a person who comes while it starts gets a page that waits', async () => {
    const ws = workspace({});
    const { port, get } = await launcherOf(ws, { hoge: { Procfile: `web: ${slow}\n` } });
    const host = `hoge.localhost:${port}`;
    const waiting = await get('/path', { host, accept: 'text/html' });
    expect(waiting.status).toBe(200);
    expect(waiting.text).toContain('content="2;url=/.proclet/launch/1?to=%2Fpath"');
    await eventually(async () => expect((await get('/.proclet/launch/1?to=%2Fpath', { host })).status).toBe(302));
    expect(Number((await get('/path', { host, accept: 'text/html' })).text)).toBeGreaterThan(1);
  });
});

describe('the page', () => {
  test('starts, restarts, extends, keeps and stops', async () => {
    const ws = workspace({});
    const { get, act } = await launcherOf(ws, { hoge: { Procfile: `web: ${web}\n` } });
    const press = (name: string) => act({ project: 'hoge', service: 'web', act: name });
    const shows = (text: string | RegExp) => eventually(async () => expect((await get('/')).text).toMatch(text));
    expect((await press('stop')).text).toBe('{"error":"web does not run any more"}');
    expect((await press('start')).status).toBe(200);
    await shows('data-phase="up"');
    await shows(/10m<\/time>|9m\d+s<\/time>/);
    await press('extend');
    await shows(/40m<\/time>|39m\d+s<\/time>/);
    await press('keep');
    await shows('>kept<');
    await press('restart');
    await shows(/<dt>restarts<\/dt><dd>1</);
    await press('stop');
    await shows('data-phase="down"');
  });

  test('its stream tells what changes, and the log of a service', async () => {
    const ws = workspace({});
    const files = {
      Procfile: 'web: echo "\x1b[31mred\x1b[0m <i>"; echo $SECRET_KEY; exec node ../serves.mjs\n',
      '.env': 'SECRET_KEY=hunter2hunter2\n',
    };
    const { port, act, get } = await launcherOf(ws, { hoge: files });
    let heard = '';
    const stream = http.get(
      {
        port,
        host: '127.0.0.1',
        path: '/.proclet/stream?project=hoge&service=web',
        headers: { host: `localhost:${port}` },
      },
      (answer) => {
        answer.setEncoding('utf8').on('data', (text) => {
          heard += text;
        });
      },
    );
    await act({ project: 'hoge', service: 'web', act: 'start' });
    await eventually(() => {
      expect(heard).toContain('event: board');
      expect(heard).toContain('data-phase=\\"up\\"');
      expect(heard).toContain('"text":"\\u001b[31mred\\u001b[0m <i>"');
      expect(heard).toContain('"text":"••••"');
    });
    stream.on('error', () => {}).destroy();
    const log = await get('/log?project=hoge&service=web');
    expect(log.text).toContain('red &lt;i&gt;');
    expect(heard + log.text).not.toContain('hunter2');
  });

  test('a file of the project that changes is seen, and what is wrong with an env file is told without its lines', async () => {
    const ws = workspace({});
    const { get, roots } = await launcherOf(ws, { hoge: { Procfile: `web: ${web}\n` } });
    ws.write(`${roots['hoge']?.split('/').at(-1)}/.env`, 'SECRET_KEY: hunter2hunter2\n');
    const { text } = await get('/');
    expect(text).toContain(`${roots['hoge']}/.env:1: cannot be read (proclet check says why)`);
    expect(text).not.toContain('hunter2');
  });

  test('what is wrong is told with the whole path of its file, also where that has a space', async () => {
    const ws = workspace({
      'my app/Procfile': `web: ${web}\nworker node\n`,
      'my app/proclet.yml': 'services:\n  web: {restrat: always}\n',
      'my app/.env': 'TOKEN: hunter3hunter3\n',
    });
    const root = join(ws.directory, 'my app');
    const { get } = await launcherOf(ws, { hoge: root });
    const { text } = await get('/');
    expect(text).toContain(`${root}/Procfile:2: `);
    expect(text).toContain(`${root}/proclet.yml:2:9: services.web.restrat is not a key`);
    expect(text).toContain(`${root}/.env:1: cannot be read (proclet check says why)`);
    expect(text).not.toMatch(/hunter\d/);
    const answer = await get('/launch?project=hoge&service=web', { 'sec-fetch-site': 'none' });
    expect(answer.text).not.toMatch(/hunter\d/);
  });
});

describe('strangers', () => {
  test('come to nobody’s name, and to no other address than loopback', async () => {
    const ws = workspace({});
    const { port, get, send } = await launcherOf(ws, { hoge: { Procfile: `web: ${web}\n` } });
    for (const host of ['evil.example', `evil.example:${port}`, `localhost.evil.example:${port}`, '169.254.1.1']) {
      const answer = await get('/', { host });
      expect(answer.status, host).toBe(421);
      expect(answer.text).not.toContain('hoge');
      expect((await get('/launch?project=hoge', { host })).status).toBeGreaterThanOrEqual(400);
    }
    expect(await statusLineFor(port, 'GET / HTTP/1.1\r\nHost:\r\n\r\n')).toContain(' 421 ');
    expect(await statusLineFor(port, 'GET / HTTP/1.0\r\n\r\n')).toContain(' 421 ');
    const listening = readFileSync('/proc/net/tcp', 'utf8') + readFileSync('/proc/net/tcp6', 'utf8');
    const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
    const addresses = listening
      .split('\n')
      .flatMap((row) => (row.includes(hex) && / 0A /.test(row) ? [row.trim().split(/\s+/)[1]] : []));
    expect(addresses.sort()).toEqual([`0100007F${hex.trim()}`, `00000000000000000000000001000000${hex.trim()}`].sort());
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await send('POST', '/act', form, 'project=hoge&service=web&act=start')).status).toBe(403);
    expect(ws.survivors().filter(({ command }) => command.includes('serves.mjs'))).toEqual([]);
  });

  test('what a request says is never a command or a path', async () => {
    const ws = workspace({ 'canary/Procfile': 'web: touch ../harmed\n' });
    const { get, act } = await launcherOf(ws, { hoge: { Procfile: `web: ${web}\n` } });
    const texts = [
      '$(touch harmed)',
      '`touch harmed`',
      "';touch harmed;'",
      '../canary',
      `${ws.directory}/canary`,
      '--root=/',
      '-c',
      'web\0x',
      'constructor',
      '__proto__',
    ];
    for (const text of texts) {
      const word = encodeURIComponent(text);
      for (const path of [
        `/launch?project=${word}`,
        `/launch?project=hoge&service=${word}`,
        `/launcher?project=hoge&psgi_path=${word}`,
        `/.proclet/${word}`,
        `/log?project=${word}&service=web`,
      ]) {
        expect((await get(path)).status, path).toBe(404);
      }
      expect((await act({ project: text, service: 'web', act: 'start' })).status).toBe(404);
      expect((await act({ project: 'hoge', service: text, act: 'start' })).status).toBe(404);
      expect((await act({ run: text, service: 'web', act: 'restart' })).status).toBe(409);
    }
    expect(() => ws.read('harmed')).toThrow();
  });

  test('more pages than a thousand are turned away, and those that do not read cost nothing', async () => {
    const ws = workspace({});
    const files = {
      Procfile:
        'web: yes "a line of output that is about as long as lines usually are, sixty more" | head -n 20000; sleep 1000\n',
    };
    const { port, app, get, act } = await launcherOf(ws, { hoge: files });
    const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${app.pid}/status`, 'utf8'))?.[1]) / 1024;
    const path = '/.proclet/stream?project=hoge&service=web';
    const head = `GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`;
    const sockets = Array.from({ length: 1000 }, () => net.connect({ port, host: '127.0.0.1' }));
    const answers = await Promise.all(
      sockets.map(
        (socket) =>
          new Promise<string>((resolve, reject) => {
            socket.once('error', reject).once('data', (data) => {
              socket.pause();
              resolve(String(data).slice(9, 12));
            });
            socket.write(head);
          }),
      ),
    );
    expect(new Set(answers)).toEqual(new Set(['200']));
    const before = memory();
    expect((await get(path)).status).toBe(503);
    await act({ project: 'hoge', service: 'web', act: 'start' });
    // A page that reads hears of the end of it; by then the others would have been sent it all.
    await eventually(
      async () => expect((await get('/log?project=hoge&service=web')).text).toContain('sixty more'),
      30_000,
    );
    await eventually(async () => expect((await get('/')).text).toContain('data-phase="up"'), 30_000);
    // A message has 64 KB, and those who have read as far as others share theirs.
    expect(memory() - before).toBeLessThan(150);
    for (const socket of sockets) socket.destroy();
    // All of them have been forgotten, not only some.
    await eventually(async () => {
      const many = await Promise.all(Array.from({ length: 999 }, () => statusLineFor(port, head)));
      expect(new Set(many.map((line) => line.slice(9, 12)))).toEqual(new Set(['200']));
    }, 30_000);
    await eventually(async () => {
      const { status } = await new Promise<{ status: number }>((resolve, reject) => {
        const request = http.get(
          { port, host: '127.0.0.1', path, headers: { host: `localhost:${port}` } },
          (answer) => {
            resolve({ status: answer.statusCode ?? 0 });
            request.destroy();
          },
        );
        request.on('error', reject);
      });
      expect(status).toBe(200);
    });
  });
});

describe('the end of the launcher', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('by %s is that of all it started', async (signal) => {
    const ws = workspace({});
    const { app, visit } = await launcherOf(ws, {
      hoge: { Procfile: `web: ${web}\n` },
      fuga: { Procfile: `web: ${web}\n` },
    });
    const pids = [await visit('/launch?project=hoge'), await visit('/launch?project=fuga')].map(Number);
    app.signal(signal);
    await app.exited;
    await eventually(() => {
      for (const pid of pids) expect(isRunning(pid)).toBe(false);
      expect(ws.survivors()).toEqual([]);
    });
    if (signal === 'SIGINT') expect(await statusOf(app)).toBe(130);
  });

  test('comes at once, whatever is open through it', async () => {
    const ws = workspace({});
    const { app, port, get } = await launcherOf(ws, { hoge: { Procfile: 'web: node ../upgrades.mjs\n' } });
    const host = `hoge.localhost:${port}`;
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
    expect(await statusLineFor(port, `GET / HTTP/1.1\r\nHost: ${host}\r\n${upgrade}\r\n`)).toContain('101');
    const held = [
      `GET / HTTP/1.1\r\nHost: ${host}\r\n${upgrade}\r\n`,
      `GET /.proclet/stream HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`,
      'GET / HT',
    ].map((head) => {
      const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', () => {}).write(head);
      return socket;
    });
    const begun = held.slice(0, 2).map((socket) => new Promise((go) => socket.once('data', go)));
    await Promise.all(begun);
    expect((await get('/.proclet/icon.svg')).status).toBe(200);
    expect(await statusOf(ws.proclet('launcher', '--stop'))).toBe(0);
    await app.exited;
    expect(ws.survivors()).toEqual([]);
    for (const socket of held) socket.destroy();
  });

  test('with --keep is not, and the next one shows it', async () => {
    const ws = workspace({});
    const { app, visit, port, roots } = await launcherOf(ws, { hoge: { Procfile: `web: ${web}\n` } }, '--keep');
    const pid = Number(await visit('/launch?project=hoge'));
    app.signal('SIGTERM');
    await app.exited;
    expect(isRunning(pid)).toBe(true);
    const again = ws.proclet('launcher', '--port', String(port));
    await again.line('The launcher is at');
    const page = await (await fetch(`http://127.0.0.1:${port}/`)).text();
    expect(page).toMatch(/data-phase="(?:up|starting)"/);
    await ws.proclet('stop', '-d', roots['hoge'] ?? '').exited;
    expect(isRunning(pid)).toBe(false);
  });

  test('in the background: it says where it is, there is one, and --stop ends it', async () => {
    const ws = workspace({});
    const root = projectIn(ws, 'hoge', { Procfile: `web: ${web}\n` });
    await ws.proclet('project', 'add', root, '--name', 'hoge').exited;
    const start = ws.proclet('launcher', '-D', '--port', String(ws.port));
    expect(await statusOf(start)).toBe(0);
    expect(start.stdout).toContain(`The launcher is at http://localhost:${ws.port}/`);
    const second = ws.proclet('launcher', '--port', String(ws.port + 1));
    expect(await statusOf(second)).toBe(1);
    expect(second.stderr).toContain('a launcher runs already');
    const visited = await fetch(`http://127.0.0.1:${ws.port}/launch?project=hoge`);
    const pid = Number(await visited.text());
    expect(await statusOf(ws.proclet('launcher', '--stop'))).toBe(0);
    expect(isRunning(pid)).toBe(false);
    expect(await statusOf(ws.proclet('launcher', '--stop'))).toBe(3);
  });

  test('a port that is taken is said, with who holds it', async () => {
    const ws = workspace({});
    ws.start('node', ['serves.mjs', String(ws.port)]);
    await eventually(() => fetch(`http://127.0.0.1:${ws.port}/`));
    const app = ws.proclet('launcher', '--port', String(ws.port));
    expect(await statusOf(app)).toBe(1);
    expect(app.stderr).toMatch(/port \d+ is held by node \(pid \d+\)\n {2}Take another one with --port/);
    for (const [flag, value] of [
      ['--port', 'x'],
      ['--port', '70000'],
      ['--idle', 'soon'],
      ['--ttl', '-1'],
    ] as const) {
      expect(await statusOf(ws.proclet('launcher', `${flag}=${value}`))).toBe(2);
    }
  });
});

describe('proclet open', () => {
  test('starts what does not run, prints where it is, and finds it the next time', async () => {
    const ws = workspace({});
    const root = projectIn(ws, 'hoge', { Procfile: `web: ${web}\nbad: echo "no config"; exit 3\n` });
    const open = async (...args: string[]) => {
      const app = ws.proclet('open', '-d', root, '--print', ...args);
      return { status: await statusOf(app), stdout: app.stdout.trim(), stderr: app.stderr };
    };
    const first = await open('web', '--idle', '2s');
    expect(first.status).toBe(0);
    const pid = Number(await (await fetch(first.stdout)).text());
    expect((await open('web')).stdout).toBe(first.stdout);
    expect(await open('bad')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/bad\.1 exited with code 3.*\n {2}no config/),
    });
    expect(await open('wbe')).toMatchObject({ status: 2, stderr: expect.stringContaining('web') });
    await eventually(() => expect(isRunning(pid)).toBe(false));
    await eventually(() => expect(ws.survivors()).toEqual([]));
  });

  test('opens the browser, and says when there is none', async () => {
    const ws = workspace({ browser: '#!/bin/sh\necho "$1" >opened\n' });
    const root = projectIn(ws, 'hoge', { Procfile: `web: ${web}\n` });
    const open = (browser: string) =>
      ws.start('sh', [
        '-c',
        `chmod +x browser; BROWSER=${browser} exec "$@"`,
        'sh',
        process.execPath,
        ...procletOpen,
        '-d',
        root,
        'web',
        '--idle',
        '2s',
      ]);
    const procletOpen = [new URL('../../bin/proclet.cjs', import.meta.url).pathname, 'open'];
    expect(await statusOf(open('./browser'))).toBe(0);
    expect(ws.read('opened')).toMatch(/^http:\/\/localhost:\d+\/\n$/);
    const without = open('./nowhere');
    expect(await statusOf(without)).toBe(1);
    expect(without.stderr).toMatch(/no browser could be opened: there is no \.\/nowhere\n {2}Open it by hand: http:/);
    await eventually(() => expect(ws.survivors()).toEqual([]));
  });
});
