/** What services, files and requests may do to a launcher that many projects share. Each of these has ended or deceived one. */
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { statusOf } from '../support/launch.js';
import { launcherOf, projectIn, register } from '../support/launching.js';
import { workspace } from '../support/workspace.js';

const web = 'node ../serves.mjs';

/** Answers with what the path names, byte by byte. */
const odd = `import net from 'node:net';
import { resolve } from 'node:path';
const answers = {
  '/status': 'HTTP/1.1 099 Low\\r\\nContent-Length: 2\\r\\n\\r\\nhi',
  '/zero': 'HTTP/1.1 000 Zero\\r\\nContent-Length: 2\\r\\n\\r\\nhi',
  '/reason': 'HTTP/1.1 200 O\\x01K\\r\\nContent-Length: 2\\r\\n\\r\\nhi',
  '/upgrade': 'HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: x\\r\\nConnection: Upgrade\\r\\n\\r\\n',
  '/garbage': 'no HTTP at all\\r\\n\\r\\n',
  '/half': 'HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\nhi',
};
net.createServer((socket) => {
  socket.on('error', () => {}).once('data', (data) => {
    socket.end(Buffer.from(answers[String(data).split(' ')[1]] ?? 'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok', 'latin1'));
  });
}).listen(process.env.PORT, '127.0.0.1');
`;

describe('a launcher lives on', () => {
  test('whatever a service answers at its own name', async () => {
    const ws = workspace({ 'odd.mjs': odd });
    const { port, get, app } = await launcherOf(ws, { odd: { Procfile: 'web: node ../odd.mjs\n' } });
    const host = `odd.localhost:${port}`;
    expect((await get('/', { host })).text).toBe('ok');
    for (const path of ['/status', '/zero', '/upgrade', '/garbage']) {
      expect((await get(path, { host })).status, path).toBe(502);
    }
    // Node gives these to whoever asks as they are, or refuses them.
    for (const path of ['/reason', '/half']) await get(path, { host }).catch(() => {});
    expect((await get('/', { host })).text).toBe('ok');
    expect(app.stderr).toBe('');
  });

  test('whatever heads are sent to it, by clients and by services', async () => {
    const ws = workspace({});
    const script = resolve(import.meta.dirname, '../../bench/fuzz-launcher.mjs');
    const fuzz = ws.start('node', [script, '--runs', '2000', '--seed', '5', '--port', String(ws.port)]);
    expect(await statusOf(fuzz), fuzz.text).toBe(0);
    expect(ws.survivors()).toEqual([]);
  });

  test('when the registry or the files of a project cannot be read, and shows the others', async () => {
    const ws = workspace({});
    const { port, get, roots } = await launcherOf(ws, {
      good: { Procfile: `web: ${web}\n` },
      bad: { Procfile: 'web: true\n' },
    });
    const stream = net.connect({ port, host: '127.0.0.1' });
    stream.on('error', () => {}).write(`GET /.proclet/stream HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
    const bad = roots['bad']?.split('/').at(-1);
    const link = (target: string, path: string) => ws.start('ln', ['-sf', target, path]).exited;
    await link('.env', `${bad}/.env`);
    expect((await get('/')).text).toContain('launch?project=good');
    ws.write('.config/proclet/projects.json', '{');
    await eventually(async () =>
      expect((await get('/')).text).toContain('is not a list of projects that proclet wrote'),
    );
    expect((await get('/')).text).toContain('launch?project=good');
    await ws.start('rm', ['-f', `${bad}/.env`]).exited;
    await ws.start('mkfifo', [`${bad}/.env`]).exited;
    register(ws, roots);
    await eventually(async () => expect((await get('/')).text).toContain('is not a plain file'));
    expect((await get('/launch?project=good&service=web')).status).toBe(302);
    stream.destroy();
  });

  test('when requests are none', async () => {
    const ws = workspace({});
    const { port, get, app } = await launcherOf(ws, { hoge: { Procfile: `web: ${web}\n` } });
    const raw = (text: string, isHalf = false) =>
      new Promise<string>((resolve) => {
        let heard = '';
        // Who has hung up before the answer gets none.
        const socket = net.connect({ port, host: '127.0.0.1' }, () => (isHalf ? socket.end(text) : socket.write(text)));
        socket.setEncoding('latin1').on('data', (data) => {
          heard += data;
        });
        socket.on('error', () => resolve('')).on('close', () => resolve(heard.slice(9, 12)));
      });
    const own = `Host: localhost:${port}\r\nConnection: close\r\n`;
    const multipart = 'Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 3\r\n\r\nxxx';
    const answers = {
      'an absurd port': await raw('GET / HTTP/1.1\r\nHost: localhost:99999999\r\nConnection: close\r\n\r\n'),
      'a star': await raw(`GET * HTTP/1.1\r\n${own}\r\n`),
      'a backslash': await raw(`GET /a\\b HTTP/1.1\r\n${own}\r\n`),
      'a broken form': await raw(`POST /act HTTP/1.1\r\n${own}${multipart}`),
      'half a form': await raw(
        `POST /act HTTP/1.1\r\n${own}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\na=`,
        true,
      ),
      'another protocol': await raw(
        `GET / HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n`,
      ),
      'many cookies': await raw(`GET / HTTP/1.1\r\n${own}Cookie: ${'a'.repeat(30_000)}\r\n\r\n`),
    };
    expect(answers).toMatchObject({
      'an absurd port': '421',
      'a broken form': '403',
      'another protocol': '200',
      'many cookies': '200',
    });
    expect((await get('/')).status).toBe(200);
    expect(app.text).not.toContain('bug in proclet');
  });
});

describe('secrets', () => {
  test('stay hidden when a file breaks or changes, in every shape, and those of proclet.yml and env files too', async () => {
    const ws = workspace({});
    const files = {
      Procfile:
        'web: echo "$API_TOKEN"; echo "pw s3cret@pw99 $DB_URL"; echo "$YML_TOKEN $FILE_TOKEN"; printf "%s\\n" "$PEM_KEY"; exec node ../serves.mjs\n',
      '.env':
        'API_TOKEN=TOKaaaabbbbcccc\nDB_URL=postgres://admin:s3cret%40pw99@db/x\nPEM_KEY="first-line-of-key\nsecond-line-of-key"\n',
      '.env.web': 'FILE_TOKEN=FILEaaaabbbbcccc\n',
      'proclet.yml': 'services: {web: {env: {YML_TOKEN: YMLaaaabbbbcccc}, env-file: .env.web}}\n',
    };
    const { get, roots } = await launcherOf(ws, { hoge: files });
    const directory = roots['hoge']?.split('/').at(-1);
    expect((await get('/launch?project=hoge&service=web')).status).toBe(302);
    const shown = async () => (await get('/log?project=hoge&service=web')).text + (await get('/')).text;
    const secret = /TOKaaaa|s3cret|YMLaaaa|FILEaaaa|line-of-key/;
    await eventually(async () => expect(await shown()).toContain('serving'));
    expect(await shown()).not.toMatch(secret);
    ws.write(`${directory}/Procfile`, 'b@d line\n');
    expect(await shown()).not.toMatch(secret);
    ws.write(`${directory}/Procfile`, files.Procfile);
    ws.write(`${directory}/.env`, 'API_TOKEN=another0token0000\n');
    expect(await shown()).not.toMatch(secret);
    ws.write(`${directory}/.env.web`, 'FILE_TOKEN=THIRDsecret0000\n');
    writeFileSync(`${roots['hoge']}/Procfile`, 'web: echo THIRDsecret0000; exec node ../serves.mjs\n');
    expect(await shown()).not.toMatch(/THIRDsecret/);
  });
});

describe('a person', () => {
  const navigation = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', accept: 'text/html' };

  test('is led to no other host by a path with two slashes', async () => {
    const ws = workspace({});
    const { port, get } = await launcherOf(ws, { hoge: { Procfile: `web: ${web}\nfails: exit 3\n` } });
    await get('/launch?project=hoge&service=web');
    const host = { ...navigation, host: `hoge.localhost:${port}` };
    for (const to of ['/.//evil.example/x', '//evil.example/x', '/\\evil.example', 'http://evil.example/']) {
      const { headers } = await get(`/.proclet/launch/1?to=${encodeURIComponent(to)}`, host);
      expect(headers.location, to).toMatch(/^\/(?![/\\])/);
    }
    const asked = await get('//evil.example/x', {
      ...host,
      host: `fails.hoge.localhost:${port}`,
      'sec-fetch-site': 'cross-site',
    });
    expect(asked.text).toContain('href="/evil.example/x"');
  });

  test('whom a service redirects is asked before another one is started', async () => {
    const ws = workspace({});
    const { port, get } = await launcherOf(ws, { hoge: { Procfile: `web: ${web}\n` } });
    const from = { ...navigation, 'sec-fetch-site': 'same-site', referer: `http://localhost:${port}/` };
    expect((await get('/launch?project=hoge', from)).text).toContain('Start hoge/web?');
    expect(ws.survivors().filter(({ command }) => command.includes('serves.mjs'))).toEqual([]);
    // From our own page it starts, and its own name is open to who was led there.
    expect((await get('/launch?project=hoge&to=name')).headers.location).toBe(`http://hoge.localhost:${port}/`);
    expect(Number((await get('/', { ...from, host: `hoge.localhost:${port}` })).text)).toBeGreaterThan(1);
  });

  test('who comes while it stops gets the next life, not the end of the last', async () => {
    const ws = workspace({});
    const stubborn = `trap "" TERM; node ../serves.mjs & while :; do sleep 0.1; done`;
    const root = projectIn(ws, 'hoge', {
      Procfile: `web: ${stubborn}\n`,
      'proclet.yml': 'services: {web: {grace: 1s}}\n',
    });
    const { visit, act, get } = await launcherOf(ws, { hoge: root });
    const first = await visit('/launch?project=hoge');
    const stopped = act({ project: 'hoge', service: 'web', act: 'stop' });
    await eventually(async () => expect((await get('/')).text).toContain('data-phase="stopping"'));
    const second = await visit('/launch?project=hoge');
    await stopped;
    expect(Number(second)).toBeGreaterThan(1);
    expect(second).not.toBe(first);
  });
});

test('a project and a service whose names run together keep their places on the page', async () => {
  const ws = workspace({});
  const { get } = await launcherOf(ws, {
    hoge: { Procfile: `web: ${web}\n` },
    'hoge-web': { Procfile: `api: ${web}\n` },
  });
  const ids = [...(await get('/')).text.matchAll(/ id="(p-[^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

describe.skipIf(process.getuid?.() !== 0)('another user of the machine', () => {
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '-e'];
  /** Sends each of these as it is and prints what comes back, as JSON. */
  const asking = (port: number, requests: readonly string[]) => `
const net = require('node:net');
Promise.all(${JSON.stringify(requests)}.map((text) => new Promise((go) => {
  let heard = '';
  const socket = net.connect(${port}, '127.0.0.1', () => socket.write(text));
  socket.setEncoding('latin1').on('data', (data) => { heard += data; }).on('close', () => go(heard)).on('error', () => go(heard));
}))).then((all) => console.log(JSON.stringify(all)));`;

  test('gets nothing but a refusal, at the page, at names and by WebSockets', async () => {
    const ws = workspace({});
    const { port, get } = await launcherOf(ws, { hoge: { Procfile: `web: ${web}\n` } });
    const request = (line: string, host: string, more = '') =>
      `${line} HTTP/1.1\r\nHost: ${host}:${port}\r\n${more}\r\n`;
    const requests = [
      request('GET /', 'localhost'),
      request('GET /launch?project=hoge&service=web', 'localhost'),
      request('POST /act', 'localhost', 'Content-Length: 70000\r\n') + 'x'.repeat(70_000),
      request('GET /log?project=hoge&service=web', '127.0.0.1'),
      request('GET /', 'hoge.localhost'),
      request(
        'GET /',
        'hoge.localhost',
        'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n',
      ),
    ];
    const other = ws.start('setpriv', [...nobody, asking(port, requests)]);
    await other.exited;
    const answers = JSON.parse(other.stdout) as string[];
    expect(answers).toHaveLength(requests.length);
    for (const answer of answers) {
      expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
      expect(answer).toContain('You are the user 65534');
      expect(answer).not.toContain('hoge');
    }
    expect(ws.survivors().filter(({ command }) => command.includes('serves.mjs'))).toEqual([]);
    expect((await get('/')).text).toContain('data-phase="down"');
  });

  test('is answered where that was asked for', async () => {
    const ws = workspace({});
    const { port } = await launcherOf(ws, { hoge: { Procfile: `web: ${web}\n` } }, '--any-user');
    const request = `GET / HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`;
    const other = ws.start('setpriv', [...nobody, asking(port, [request])]);
    await other.exited;
    expect(JSON.parse(other.stdout)).toMatchObject([expect.stringMatching(/^HTTP\/1\.1 200 OK/)]);
  });
});
