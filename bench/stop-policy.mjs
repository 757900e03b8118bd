/**
 * What becomes of work in hand when a service is stopped: real programs, each asked for something that takes 3 s, then
 * stopped by TERM, INT and QUIT, with the signal to the leader first and to every process at once. Prints a table:
 * `served` or `cut`, and how long the stop took with the work in hand and with none (`killed`: by SIGKILL).
 * Usage: node bench/stop-policy.mjs [PROGRAM...]
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const bin = new URL('../bin/proclet.cjs', import.meta.url).pathname;
const node = process.execPath;
const atOnce = 3;
const seconds = 3;

const files = {
  'app.psgi': `sub { my $e = shift; if ($e->{PATH_INFO} eq '/slow') { my $end = time + ${seconds}; select(undef, undef, undef, 0.1) while time < $end } [200, [], ["whole\\n"]] }`,
  'app.py': `import time
def app(environ, start):
    if environ['PATH_INFO'] == '/slow': time.sleep(${seconds})
    start('200 OK', [('Content-Length', '6')])
    return [b'whole\\n']
`,
  'config.ru': `run lambda { |env| sleep ${seconds} if env['PATH_INFO'] == '/slow'; [200, {}, ["whole\\n"]] }`,
  'unicorn.rb': 'worker_processes 2',
  'tasks.py': `import time
from celery import Celery
import os
url = 'redis://127.0.0.1:' + os.environ['PROCLET_PORT_REDIS']
app = Celery('tasks', broker=url)
@app.task
def slow():
    open('begun', 'w').close()
    time.sleep(${seconds})
    open('done', 'w').close()
`,
  'nginx.in': `daemon off; user root; worker_processes 2; pid nginx.pid; error_log stderr; events {}
http { access_log off; server { listen 127.0.0.1:PORT; root .; location /slow { limit_rate 1k; alias slow.txt; } } }`,
  'slow.txt': `${'x'.repeat(seconds * 1024)}whole\n`,
  'fpm.in': `[global]
error_log = /dev/stderr
daemonize = no
process_control_timeout = 10s
[www]
listen = 127.0.0.1:PORT
pm = static
pm.max_children = 2
`,
  'slow.php': `<?php $end = microtime(true) + ${seconds}; while (microtime(true) < $end) usleep(50000); echo "whole\\n";`,
  'server.mjs': `import { createServer } from 'node:http';
const server = createServer((request, response) =>
  setTimeout(() => response.end('whole\\n'), request.url === '/slow' ? ${seconds * 1000} : 0));
server.listen(Number(process.env.PORT) + Number(process.argv[2] ?? 0), '127.0.0.1');
const end = () => server.close(() => process.exit(0));
for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT']) process.on(signal, end);`,
  'cluster.mjs': `import cluster from 'node:cluster';
import { createServer } from 'node:http';
if (cluster.isPrimary) {
  for (let n = 0; n < 2; n += 1) cluster.fork();
  let left = 2;
  cluster.on('exit', () => --left > 0 || process.exit(0));
  const end = () => cluster.disconnect();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT']) process.on(signal, end);
} else {
  createServer((request, response) => {
    response.setHeader('Connection', 'close');
    setTimeout(() => response.end('whole\\n'), request.url === '/slow' ? ${seconds * 1000} : 0);
  }).listen(Number(process.env.PORT), '127.0.0.1');
}`,
  'package.json': JSON.stringify({ scripts: { dev: 'node server.mjs' } }),
};

const programs = {
  Starman: 'exec starman --workers 2 --port $PORT app.psgi',
  'plackup -L Shotgun': 'exec plackup -L Shotgun --port $PORT app.psgi',
  gunicorn: 'exec gunicorn --workers 2 --bind 127.0.0.1:$PORT app:app',
  Celery: 'exec /usr/bin/python3 -m celery -A tasks worker -c 2 -l info',
  nginx: 'sed s/PORT/$PORT/ nginx.in >nginx.conf; exec nginx -p . -c nginx.conf',
  redis: "exec redis-server --save '' --enable-debug-command yes --port $PORT",
  'puma -w 2': 'exec puma -q -w 2 -t 1:1 -b tcp://127.0.0.1:$PORT config.ru',
  unicorn: 'exec unicorn -c unicorn.rb -l 127.0.0.1:$PORT config.ru',
  'node cluster': 'exec node cluster.mjs',
  'php-fpm': 'sed s/PORT/$PORT/ fpm.in >fpm.conf; exec php-fpm8.2 -R -y fpm.conf',
  'npm run dev': 'exec npm run dev',
  start_server: 'exec start_server --port $PORT -- starman --workers 2 app.psgi',
  'start_server --signal-on-term=QUIT':
    'exec start_server --signal-on-term=QUIT --port $PORT -- starman --workers 2 app.psgi',
  'a & b & wait': 'node server.mjs 0 & node server.mjs 1 & wait',
  'trap, background':
    "trap 'kill -QUIT $p; wait $p' TERM INT QUIT; starman --workers 2 --port $PORT app.psgi & p=$!; wait $p",
  'trap, foreground': "trap 'echo bye' TERM INT QUIT; node server.mjs",
  'dash, foreground': 'node server.mjs; true',
  'bash, foreground': `exec bash -c 'node server.mjs; true'`,
};

const wanted = process.argv.slice(2);
const jobs = Object.keys(programs)
  .filter((name) => wanted.length === 0 || wanted.includes(name))
  .flatMap((name) =>
    ['TERM', 'INT', 'QUIT'].flatMap((signal) => ['leader', 'tree'].map((policy) => ({ name, signal, policy }))),
  );
let next = 0;
const results = new Map();
await Promise.all(Array.from({ length: atOnce }, worker));
async function worker() {
  for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) {
    const { name, signal, policy } = job;
    const busy = await measure(job, true).catch((error) => ({ failed: error.message }));
    const idle = await measure(job, false).catch((error) => ({ failed: error.message }));
    results.set(`${name} ${signal} ${policy}`, { busy, idle });
    process.stderr.write(`${name} ${signal} ${policy}: ${JSON.stringify({ busy, idle })}\n`);
  }
}

const cell = (name, signal, policy) => {
  const { busy, idle } = results.get(`${name} ${signal} ${policy}`) ?? {};
  if (busy === undefined || busy.failed || idle.failed) return '?';
  const time = ({ took, killed }) => `${(took / 1000).toFixed(1)}${killed ? ' killed' : ''}`;
  return `${busy.served ? 'served' : 'cut'} ${time(busy)} / ${time(idle)}`;
};
console.log('| program | signal | leader | tree |\n| --- | --- | --- | --- |');
for (const name of Object.keys(programs)) {
  for (const signal of ['TERM', 'INT', 'QUIT']) {
    if (results.has(`${name} ${signal} tree`)) {
      console.log(`| \`${name}\` | ${signal} | ${cell(name, signal, 'leader')} | ${cell(name, signal, 'tree')} |`);
    }
  }
}
process.exit(0);

/** A service is started, given work or not, and stopped. */
async function measure({ name, signal, policy }, isBusy) {
  const directory = mkdtempSync(join(tmpdir(), 'proclet-policy-'));
  const port = await freePort();
  for (const [path, text] of Object.entries(files)) writeFileSync(join(directory, path), text);
  const withBroker = name === 'Celery';
  writeFileSync(
    join(directory, 'Procfile'),
    `web: ${programs[name]}\n${withBroker ? "redis: exec redis-server --save '' --port $PORT\n" : ''}`,
  );
  writeFileSync(
    join(directory, 'proclet.yml'),
    `services: {web: {port: ${port}, stop-signal: ${signal}, stop: ${policy}${withBroker ? ', after: [redis]}, redis: {ready: {tcp: true}}' : '}'}}`,
  );
  const base = String(Math.max(1024, port - 250));
  const app = spawn(node, [bin, 'start', '-p', base, '--log-format', 'json', '--no-keys'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const events = [];
  let rest = '';
  app.stdout.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) events.push(JSON.parse(line));
  });
  const exited = new Promise((resolve) => app.once('exit', resolve));
  try {
    await until(() => (withBroker ? said(events, 'ready.') : listens(port)), `${name} to be there`, events);
    await pause(300);
    const work = isBusy ? begin(name, port, directory) : undefined;
    if (isBusy && withBroker) await until(() => existsSync(join(directory, 'begun')), 'the task to begin', events);
    await pause(500);
    app.kill('SIGTERM');
    await exited;
    const served = isBusy ? await work : undefined;
    const killed = events.some(({ type, id }) => type === 'killed' && id === 'web.1');
    const { took } = events.find(({ type, id }) => type === 'exited' && id === 'web.1') ?? {};
    return { ...(isBusy && { served }), took: took ?? 0, killed };
  } finally {
    if (app.exitCode === null) app.kill('SIGKILL');
    await exited;
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Resolves with whether the work was done. */
function begin(name, port, directory) {
  if (name === 'Celery') {
    const env = { ...process.env, PROCLET_PORT_REDIS: String(Math.max(1024, port - 250) + 100) };
    spawn('/usr/bin/python3', ['-c', 'import tasks; tasks.slow.delay()'], { cwd: directory, env, stdio: 'inherit' });
    return new Promise((resolve) => setTimeout(() => resolve(existsSync(join(directory, 'done'))), 5_500));
  }
  if (name === 'redis') return talk(port, 'DEBUG SLEEP 3\r\n', '+OK');
  if (name === 'php-fpm') return talk(port, fastCgi(join(directory, 'slow.php')), 'whole');
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/slow', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more) => {
        text += more;
      });
      response.on('end', () => resolve(text.endsWith('whole\n'))).on('error', () => resolve(false));
    }).on('error', () => resolve(false));
  });
}

function talk(port, bytes, wanted) {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.includes(wanted)) socket.end();
    });
    socket.on('error', () => {}).on('close', () => resolve(text.includes(wanted)));
  });
}

/** One request of FastCGI, version 1. */
function fastCgi(script) {
  const record = (type, body) =>
    Buffer.concat([Buffer.from([1, type, 0, 1, body.length >> 8, body.length & 255, 0, 0]), body]);
  const pairs = {
    SCRIPT_FILENAME: script,
    REQUEST_METHOD: 'GET',
    SCRIPT_NAME: '/slow.php',
    SERVER_PROTOCOL: 'HTTP/1.1',
  };
  const params = Object.entries(pairs).map(([key, value]) =>
    Buffer.from(String.fromCharCode(key.length, value.length) + key + value, 'latin1'),
  );
  return Buffer.concat([
    record(1, Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])),
    record(4, Buffer.concat(params)),
    record(4, Buffer.alloc(0)),
    record(5, Buffer.alloc(0)),
  ]);
}

function said(events, text) {
  return events.some((event) => event.type === 'output' && String(event.text).includes(text));
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function until(fact, what, events) {
  for (let n = 0; n < 200; n += 1) {
    if (await fact()) return;
    await pause(100);
  }
  throw new Error(
    `waited for ${what} in vain: ${events
      .map(({ text }) => text)
      .join('')
      .slice(-500)}`,
  );
}

function pause(time) {
  return new Promise((resolve) => setTimeout(resolve, time));
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
