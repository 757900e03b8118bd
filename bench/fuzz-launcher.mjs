/**
 * Heads that HTTP allows and heads that it does not, at a real launcher through raw sockets, in both directions: requests
 * to the page, its streams, its forms and to names; answers of a service at its name. Fails when the launcher ends, calls
 * something a bug, or does not answer an ordinary request any more, and says the seed that makes the same heads again.
 *   node bench/fuzz-launcher.mjs [--runs 100000] [--minutes 10] [--seed 1] [--port 21970]
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    port: { type: 'string', default: '21970' },
    /** This very file as the service. */
    service: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const port = Number(values.port);
/** Connections at a time. */
const lanes = 64;
/** A connection that says nothing for so long is done. */
const quiet = 1_000;
/** For an ordinary request in between, on a machine that has nothing else to do and on one that has. */
const patience = 60_000;
const headsPerConnection = 8;

/** mulberry32: small, and the same everywhere. */
function randomOf(start) {
  let state = start >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  return { next, below, of: (list) => list[below(list.length)], chance: (share) => next() < share };
}

const oddities = ['\0', '\x01', '\x7f', '\xff', '\t', ' ', '\r', '\n', ':', ',', '"', '\\', '%', '%00', '\u00e9'];

/** A text with something in it that should not be there. */
function spoilt(random, text) {
  const at = random.below(text.length + 1);
  const odd = random.of(oddities).repeat(1 + random.below(3));
  return text.slice(0, at) + odd + text.slice(random.chance(0.5) ? at : at + random.below(3));
}

const names = [
  ...[
    'Trailer',
    'Connection',
    'Keep-Alive',
    'TE',
    'Upgrade',
    'HTTP2-Settings',
    'Expect',
    'Date',
    'Link',
    'Set-Cookie',
    'Location',
    'Content-Type',
    'Content-Encoding',
    'Accept',
  ],
  ...['X-Forwarded-For', 'X-Forwarded-Host', 'Proxy-Connection', 'Origin', 'Referer', 'Sec-Fetch-Site', 'Cookie', 'X'],
  ...['Sec-Fetch-Mode', 'Sec-Fetch-Dest', 'Sec-WebSocket-Key', 'Range', 'Authorization', '__proto__', 'constructor'],
];
/** Two of these that disagree end a connection. */
const delimiters = ['Transfer-Encoding', 'Content-Length', 'Host'];
const fieldValues = [
  ...[
    '',
    'X',
    'close',
    'keep-alive',
    'Upgrade',
    'upgrade, http2-settings',
    'chunked',
    'gzip, chunked',
    'identity',
    '0',
  ],
  ...['h2c', 'websocket', 'trailers', '100-continue', '5', '-1', '5, 5', '99999999999999999999', 'text/html', '*/*'],
  ...[
    'Host',
    'content-length, host',
    'transfer-encoding',
    '</a>; rel=preload',
    '<a',
    'cross-site',
    'same-origin',
    'none',
  ],
  ...[
    'navigate',
    'document',
    'null',
    'http://localhost',
    'a=b; c',
    'multipart/form-data; boundary=x',
    'application/json',
  ],
  ...['application/x-www-form-urlencoded', 'bytes=0-1', 'x'.repeat(300), ','.repeat(50)],
];

function fieldOf(random) {
  let name = random.of(random.chance(0.02) ? delimiters : names);
  let value = random.of(fieldValues);
  if (random.chance(0.01)) name = spoilt(random, name);
  if (random.chance(0.02)) value = spoilt(random, value);
  return `${name}:${random.chance(0.9) ? ' ' : ''}${value}${random.chance(0.995) ? '\r\n' : '\n'}`;
}

function fieldsOf(random) {
  if (random.chance(0.002)) return 'A:\r\n'.repeat(random.below(20_000));
  if (random.chance(0.002)) return `B: ${'b'.repeat(random.below(70_000))}\r\n`;
  return Array.from({ length: random.below(6) }, () => fieldOf(random)).join('');
}

/** A body, with the fields that say how long it is, or do not. */
function bodyOf(random, extra) {
  const text = random.of(['', 'a', 'hello', 'act=start&service=web', '--x\r\n\r\n--x--', '{"a":1}', 'z'.repeat(2_000)]);
  const kind = random.below(8);
  if (kind === 0) return [extra, ''];
  if (kind === 1)
    return [`${extra}Content-Length: ${text.length + (random.chance(0.2) ? 1 + random.below(3) : 0)}\r\n`, text];
  if (kind <= 4) return [`${extra}Content-Length: ${text.length}\r\n`, text];
  const size = random.chance(0.05)
    ? random.of(['', 'x', '-1', 'fffffffffffffffff', '5;a=b'])
    : text.length.toString(16);
  const chunk = text === '' ? '' : `${size}\r\n${text}\r\n`;
  return [`${extra}Transfer-Encoding: chunked\r\n`, `${chunk}0\r\n${random.chance(0.3) ? fieldsOf(random) : ''}\r\n`];
}

const paths = [
  ...[
    '/',
    '/launch',
    '/launch?project=fuzz&service=no',
    '/launch?project=no',
    '/launch?project=%00',
    '/launcher?project=',
  ],
  ...['/launcher?project=fuzz&psgi_path=x', '/log?project=fuzz', '/log?project=fuzz&service=web', '/log', '/act', '/x'],
  ...['/.proclet/stream', '/.proclet/stream?launch=1', '/.proclet/stream?seen=1+x', '/.proclet/launch/1', '/.proclet/'],
  ...['/.proclet/launch/x?to=//evil', '/.proclet/launcher.css', '/.proclet/a/b', '//a/b', '/%', '/%zz', '/a\\b', '*'],
  ...[
    'http://localhost/',
    'http://fuzz.localhost/x',
    'https://a/b',
    '/?',
    '/#',
    '/../../etc/passwd',
    `/${'p'.repeat(3_000)}`,
  ],
];
const methods = ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND', 'M-SEARCH'];

function requestOf(random, answer) {
  const isForService = random.chance(0.6);
  const host = isForService
    ? 'fuzz.localhost'
    : random.of(['localhost', '127.0.0.1', '[::1]', 'no.localhost', 'evil', '']);
  const path = isForService && random.chance(0.9) ? `/${answer}` : random.of(paths);
  let line = `${random.of(methods)} ${path} HTTP/${random.chance(0.97) ? '1.1' : random.of(['1.0', '2.0', '0.9', ''])}`;
  if (random.chance(0.01)) line = spoilt(random, line);
  const at = random.chance(0.99) ? `${host}:${port}` : spoilt(random, `${host}:${port}`);
  const offer = random.chance(0.05)
    ? `Connection: Upgrade\r\nUpgrade: ${random.of(['websocket', 'h2c', 'h2c, websocket', 'x'])}\r\n`
    : '';
  const [fields, body] = bodyOf(random, fieldsOf(random) + offer);
  return `${line}\r\nHost: ${at}\r\n${fields}\r\n${body}`;
}

/** What the service says to a request: some early heads, then one with a body. */
function answerOf(random) {
  let heads = 1;
  let text = '';
  while (random.chance(0.6)) {
    text += `HTTP/1.1 ${random.of([100, 102, 103, 103, 110, 199])} Early\r\n${fieldsOf(random)}\r\n`;
    heads += 1;
  }
  const status = random.chance(0.85)
    ? random.of([200, 200, 201, 204, 205, 206, 301, 302, 304, 400, 404, 413, 500, 503])
    : random.of([0, 1, 99, 101, 199, 600, 999, 1000, '2xx', '', '0200', '-1']);
  const line = `HTTP/${random.chance(0.95) ? '1.1' : random.of(['1.0', '2', '0.9', '1.1.1'])} ${status} ${random.of(['OK', ''])}`;
  const [fields, body] = bodyOf(random, fieldsOf(random));
  text += `${random.chance(0.05) ? spoilt(random, line) : line}\r\n${fields}\r\n${body}`;
  if (random.chance(0.1)) text = text.slice(0, random.below(text.length));
  if (random.chance(0.05)) text += text;
  return { text, heads };
}

/** Its answers to paths with a number are made from that number; to any other it says that it is there. */
function serve() {
  let heads = 0;
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (data) => {
      const [, path = ''] = String(data).split(' ');
      if (path === '/count') return socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${heads}`);
      const number = /^\/(\d+)$/.exec(path)?.[1];
      const random = randomOf(Number(number ?? 0));
      const answer = answerOf(random);
      heads += answer.heads;
      const bytes = Buffer.from(answer.text, 'latin1');
      const end = random.below(10);
      const part = random.below(bytes.length + 1);
      if (end === 0) socket.write(bytes.subarray(0, part), () => socket.resetAndDestroy());
      else if (end === 1) socket.write(bytes.subarray(0, part), () => socket.end(bytes.subarray(part)));
      else socket.end(bytes);
    });
  });
  server.listen(Number(process.env.PORT), '127.0.0.1');
}

/** Resolves with the number of answers once the launcher says no more. */
function send(bytes) {
  return new Promise((done) => {
    let heads = 0;
    const socket = net.connect({ port, host: '127.0.0.1' });
    socket.setTimeout(quiet, () => socket.destroy());
    socket
      .on('error', () => {})
      .on('close', () => done(heads))
      .on('data', (data) => {
        heads += data.toString('latin1').split('HTTP/1.1 ').length - 1;
      });
    socket.write(bytes);
  });
}

function ask(path, host) {
  return new Promise((done, fail) => {
    const request = get(
      { port, host: '127.0.0.1', path, headers: { host }, agent: false, timeout: patience },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (data) => {
          text += data;
        });
        answer.on('end', () => done({ status: answer.statusCode, text })).on('error', fail);
      },
    );
    request
      .on('timeout', () => request.destroy(new Error(`no answer to ${path} within ${patience / 1_000} s`)))
      .on('error', fail);
  });
}

async function main() {
  const home = mkdtempSync(join(tmpdir(), 'proclet-fuzz-'));
  const env = {
    ...process.env,
    HOME: home,
    XDG_RUNTIME_DIR: join(home, 'run'),
    XDG_CONFIG_HOME: '',
    XDG_STATE_HOME: '',
  };
  mkdirSync(env.XDG_RUNTIME_DIR, { mode: 0o700 });
  const root = join(home, 'fuzz');
  mkdirSync(root);
  const node = JSON.stringify(process.execPath);
  writeFileSync(join(root, 'Procfile'), `web: exec ${node} ${JSON.stringify(import.meta.filename)} --service\n`);
  const registry = join(home, '.config', 'proclet');
  mkdirSync(registry, { recursive: true });
  writeFileSync(join(registry, 'projects.json'), JSON.stringify({ version: 1, projects: [{ name: 'fuzz', root }] }));
  const bin = resolve(import.meta.dirname, '../bin/proclet.cjs');
  const launcher = spawn(process.execPath, [bin, 'launcher', '--port', String(port)], { env, stdio: 'pipe' });
  let said = '';
  for (const stream of [launcher.stdout, launcher.stderr]) {
    stream.setEncoding('utf8').on('data', (data) => {
      said += data;
    });
  }
  let ended;
  const exited = new Promise((done) => {
    launcher.once('exit', (...how) => {
      ended = `the launcher ended (${how.join(' ')})`;
      done();
    });
  });
  while (!said.includes('The launcher is at') && ended === undefined) await new Promise((go) => setTimeout(go, 50));
  const check = async () => {
    const own = ended ?? (await ask('/.proclet/icon.svg', `localhost:${port}`).catch((error) => error.message));
    if (own.status !== 200) throw new Error(`${own.text ?? own}`);
    if (said.includes('bug in proclet')) throw new Error('a bug was told');
    const count = await ask('/count', `fuzz.localhost:${port}`);
    if (count.status !== 200) throw new Error(`at its name: ${count.status} ${count.text}`);
    return Number(count.text);
  };
  const began = performance.now();
  const most = Number(values.runs);
  const until = began + Number(values.minutes) * 60_000;
  const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${launcher.pid}/status`, 'utf8'))?.[1]) >> 10;
  let [requests, answers, served, round, problem] = [0, 0, 0, 0];
  try {
    await check();
    while (requests + served < most && performance.now() < until) {
      const batch = Array.from({ length: lanes }, async (_, lane) => {
        for (let n = 0; n < 4; n += 1) {
          const random = randomOf(seed * 1_000_003 + (round * lanes + lane) * 4 + n);
          const count = 1 + random.below(headsPerConnection);
          const heads = Array.from({ length: count }, () => requestOf(random, random.below(2 ** 31)));
          requests += count;
          const last = `GET /.proclet/icon.svg HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`;
          const answered = await send(Buffer.from(heads.join('') + last, 'latin1'));
          answers += answered;
        }
      });
      await Promise.all(batch);
      served = await check();
      round += 1;
      if (round % 100 === 0) console.log(`${requests} requests, ${served} heads of answers, ${memory()} MB`);
    }
  } catch (error) {
    problem = error.message;
  }
  const seconds = Math.round((performance.now() - began) / 1_000);
  const size = ended === undefined && process.platform === 'linux' ? `, the launcher has ${memory()} MB` : '';
  console.log(`${requests} requests (${answers} answered), ${served} heads of answers in ${seconds} s${size}`);
  launcher.kill('SIGTERM');
  await exited;
  rmSync(home, { recursive: true, force: true });
  if (problem === undefined) return;
  console.error(`${problem}\n--seed ${seed}, round ${round}\n${said.slice(-4_000)}`);
  process.exitCode = 1;
}

if (values.service) serve();
else await main();
