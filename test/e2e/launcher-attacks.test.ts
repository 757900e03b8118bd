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
    await eventually(async () => expect((await get('/')).text).toContain(`${roots['bad']}/.env: is not a plain file`));
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
      'a field that every object has': await raw(`GET / HTTP/1.1\r\n${own}__proto__: a\r\nconstructor: b\r\n\r\n`),
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
      'all cookies that a browser keeps of a host': await raw(
        `GET / HTTP/1.1\r\n${own}Cookie: ${'a'.repeat(180 * 4_096)}\r\n\r\n`,
      ),
      'more than that': await raw(`GET / HTTP/1.1\r\n${own}Cookie: ${'a'.repeat(1_100_000)}\r\n\r\n`),
    };
    expect(answers).toMatchObject({
      'a field that every object has': '200',
      'an absurd port': '421',
      'a broken form': '403',
      'another protocol': '200',
      'all cookies that a browser keeps of a host': '200',
      'more than that': '431',
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

describe('secrets that only a run knows', () => {
  const printed =
    'web: echo "$OTHER_TOKEN $YML_TOKEN $FILE_TOKEN $DIR_TOKEN"; echo "$PLAIN" "pw-of-address-9"; env | grep MANY; exec node ../serves.mjs\n';
  const many = Array.from({ length: 700 }, (_, n) => `MANY${n}_TOKEN=many${n * 7919}of-them`).join('\n');
  const files = {
    Procfile: printed,
    'other.env': `OTHER_TOKEN=OTHERaaaabbbb\nPLAIN=redis://me:pw-of-address-9@db/0\n${many}\n`,
    '.env.web': 'FILE_TOKEN=FILEaaaabbbb\n',
    'envdir/DIR_TOKEN': 'DIRaaaabbbb\n',
    'proclet.yml': 'services: {web: {env: {YML_TOKEN: YMLaaaabbbb}, env-file: .env.web, env-dir: envdir}}\n',
  };
  const secret = /OTHERaaaa|YMLaaaa|FILEaaaa|DIRaaaa|pw-of-address|many\d+of-them/;

  test.each(['registered', 'not registered'])(
    'are hidden in the log of one that is %s, and stay so when its files break',
    async (which) => {
      const ws = workspace({});
      const root = projectIn(ws, 'other', files);
      const { get } = await launcherOf(ws, which === 'registered' ? { other: root } : {});
      const directory = root.split('/').at(-1);
      const run = ws.proclet('start', '-d', root, '-e', `${root}/other.env`, '-p', String(ws.port + 100));
      await run.line('serving');
      const page = (await eventually(async () => {
        const { text } = await get('/');
        expect(text).toContain('data-phase="up"');
        return text;
      })) as string;
      const query = /href="\/log\?([^"]+)"/.exec(page)?.[1]?.replaceAll('&amp;', '&') ?? '';
      const shown = async () => (await get(`/log?${query}`)).text + (await get('/')).text;
      await eventually(async () => expect(await shown()).toContain('serving'));
      expect(await shown()).toContain('MANY699_TOKEN=••••');
      expect(await shown()).not.toMatch(secret);
      for (const name of ['Procfile', 'other.env', '.env.web', 'proclet.yml'])
        ws.write(`${directory}/${name}`, '{ b@d');
      expect(await shown()).not.toMatch(secret);
    },
  );

  test('are not on the page of a front whose service fails', async () => {
    const ws = workspace({
      Procfile: 'web: echo "key $API_TOKEN"; exit 3\n',
      '.env': 'API_TOKEN=TOKENaaaabbbb\n',
      'proclet.yml': 'services: {web: {start: on-access}}\n',
    });
    ws.proclet('start', '-p', String(ws.port));
    const answer = await eventually(() => fetch(`http://127.0.0.1:${ws.port}/`));
    const text = await answer.text();
    expect(answer.status).toBe(502);
    expect(text).toContain('key ••••');
    expect(text).not.toContain('TOKENaaaa');
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
