/**
 * Requests that fail while a program is replaced again and again under load: proclet's handovers, by inherited sockets
 * and through its front, against nodemon and `plackup -R`, which stop and start. wrk asks all the time.
 *
 *   node bench/handover.mjs [--rounds 100] [--only NAME]... [--install]
 *
 * Needs wrk, and of Debian's packages starman, gunicorn, libplack-perl, python3; what is missing is left out and named.
 * Failed: connections refused, reset or timed out, and answers that are not 2xx, as wrk counts them.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    only: { type: 'string', multiple: true },
    install: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const bin = resolve(import.meta.dirname, '../bin/proclet.cjs');
const peers = join(tmpdir(), 'proclet-peers');
if (values.install)
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', peers, 'nodemon'], {
    stdio: 'inherit',
  });
const nodemon = join(peers, 'node_modules/.bin/nodemon');

const files = {
  'app.psgi': `my $v = do { open my $f, '<', 'v/version.txt'; <$f> }; sub { [200, ['Content-Type' => 'text/plain'], [$v]] }`,
  'app.py': `v = open('v/version.txt').read().encode()\ndef app(environ, start):\n    start('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(v)))])\n    return [v]\n`,
  'serve.py': `import http.server, os
v = open('v/version.txt').read().encode()
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header('Content-Length', str(len(v))); self.end_headers(); self.wfile.write(v)
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer.request_queue_size = 256
http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), H).serve_forever()
`,
  'server.mjs': `import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
const v = readFileSync('v/version.txt');
const server = createServer((_, response) => response.end(v));
server.listen(process.env.LISTEN_FDS ? { fd: 3 } : { port: Number(process.env.PORT), host: '127.0.0.1' });
if (process.env.GRACE) process.once('SIGTERM', () => { server.close(() => process.exit()); setInterval(() => server.closeIdleConnections(), 20) });
`,
};

const handover = (port, more = '') =>
  `services: {web: {watch: v, reload: handover, settle: 1s, ${more}listen: ${port}}}`;
const proxied = () => 'services: {web: {watch: v, reload: handover}}';
const proclet = (port) => [process.execPath, bin, 'start', '--port', String(port)];
const cases = [
  {
    name: 'proclet, by socket: Starman',
    needs: 'starman',
    command: 'exec starman --workers 2 app.psgi',
    config: (p) => handover(p, 'reload-signal: QUIT, '),
  },
  {
    name: 'proclet, by socket: gunicorn',
    needs: 'gunicorn',
    command: 'exec gunicorn --workers 2 app:app',
    config: handover,
  },
  { name: 'proclet, by socket: Node', needs: 'node', command: 'GRACE=1 exec node server.mjs', config: handover },
  {
    name: 'proclet, through the front: plackup',
    needs: 'plackup',
    command: 'exec plackup --no-default-middleware --port $PORT app.psgi',
    config: proxied,
  },
  { name: 'proclet, through the front: python3', needs: 'python3', command: 'exec python3 serve.py', config: proxied },
  {
    name: 'proclet, through the front: Node that dies at TERM',
    needs: 'node',
    command: 'exec node server.mjs',
    config: proxied,
  },
  {
    name: 'proclet, through the front: Starman',
    needs: 'starman',
    command: 'exec starman --workers 2 --port $PORT app.psgi',
    config: proxied,
  },
  {
    name: 'start_server: Starman',
    needs: 'start_server',
    hup: true,
    argv: (p) => [
      'start_server',
      '--port',
      `127.0.0.1:${p}`,
      '--signal-on-hup=QUIT',
      '--interval',
      '1',
      '--',
      'starman',
      '--workers',
      '2',
      'app.psgi',
    ],
  },
  {
    name: 'plackup -R',
    needs: 'plackup',
    argv: (p) => ['plackup', '--no-default-middleware', '-R', 'v', '--port', String(p), 'app.psgi'],
  },
  {
    name: 'nodemon',
    needs: nodemon,
    argv: () => [nodemon, '-q', '--delay', '0.1', '--watch', 'v', '--ext', 'txt', 'server.mjs'],
  },
];

console.log(`${rounds} replacements each under wrk -t1 -c4 -H 'Connection: close'\n`);
console.log('| | replaced | requests | failed | refused or reset | longest gap |\n|---|---:|---:|---:|---:|---:|');
for (const one of cases) {
  if (values.only && !values.only.some((name) => one.name.includes(name))) continue;
  if (!has(one.needs)) console.log(`| ${one.name} | not here |||||`);
  else await compare(one).catch((error) => console.log(`| ${one.name} | ${error.message} |||||`));
}
process.exit(0);

async function compare({ name, command, config, argv, hup = false }) {
  const directory = mkdtempSync(join(tmpdir(), 'proclet-bench-'));
  const port = await freePort();
  mkdirSync(join(directory, 'v'));
  for (const [path, text] of Object.entries({ ...files, 'v/version.txt': 'v0' }))
    writeFileSync(join(directory, path), text);
  if (command) {
    writeFileSync(join(directory, 'Procfile'), `web: ${command}\n`);
    writeFileSync(join(directory, 'proclet.yml'), config(port));
  }
  const [program, ...args] = argv ? argv(port) : proclet(config === proxied ? port : 20_100);
  const out = values.verbose ? 'inherit' : 'ignore';
  const env = { ...process.env, ...(argv && { PORT: String(port) }) };
  let wrk;
  const runner = spawn(program, args, { cwd: directory, detached: true, stdio: ['ignore', out, out], env });
  try {
    await until(port, 'v0');
    wrk = spawn('wrk', [
      '-t1',
      '-c4',
      '-d3600',
      '--timeout',
      '5s',
      '-H',
      'Connection: close',
      `http://127.0.0.1:${port}/`,
    ]);
    let text = '';
    wrk.stdout.on('data', (chunk) => (text += chunk));
    let replaced = 0;
    let gap = 0;
    for (let n = 1; n <= rounds; n += 1) {
      writeFileSync(join(directory, 'v/version.txt'), `v${n}`);
      if (hup) process.kill(runner.pid, 'SIGHUP');
      gap = Math.max(gap, await until(port, `v${n}`));
      replaced += 1;
      await sleep(50);
    }
    const ended = new Promise((done) => wrk.once('close', done));
    wrk.kill('SIGINT');
    await ended;
    const [, requests] = /(\d+) requests in/.exec(text) ?? [];
    const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/
      .exec(text)
      ?.slice(1)
      .map(Number) ?? [0];
    const [, other = '0'] = /Non-2xx or 3xx responses: (\d+)/.exec(text) ?? [];
    const failed = errors.reduce((sum, count) => sum + count, 0) + Number(other);
    console.log(`| ${name} | ${replaced} | ${requests} | ${failed} | ${errors.join('+')} | ${Math.round(gap)} ms |`);
  } finally {
    wrk?.kill('SIGKILL');
    try {
      process.kill(-runner.pid, 'SIGTERM');
    } catch {}
    await new Promise((done) =>
      runner.exitCode === null && runner.signalCode === null ? runner.once('exit', done) : done(),
    );
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Until this version answers; the longest time in which nobody did, in milliseconds. */
async function until(port, version) {
  let since = performance.now();
  let gap = 0;
  for (const end = since + 20_000; performance.now() < end; ) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/`, {
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(5_000),
      });
      const text = await answer.text();
      gap = Math.max(gap, performance.now() - since);
      since = performance.now();
      if (text === version) return gap;
    } catch {}
    await sleep(5);
  }
  throw new Error(`${version} was never served`);
}

function has(program) {
  if (program.includes('/')) return existsSync(program);
  return (process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, program)));
}

function freePort() {
  const server = net.createServer();
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}
