/**
 * What the front costs: nginx with 1 KB and 100 MB files, asked by wrk directly, through the front, through
 * systemd-socket-proxyd and through a Node HTTP proxy library. One machine does all of it, so runs are short, alternate,
 * and the median counts; ratios are medians of the ratios within a round, which other load disturbs less.
 *
 *   node bench/front.mjs [--install] [--rounds 3] [--seconds 3]
 *
 * Needs nginx, wrk and systemd (its proxyd and systemd-socket-activate). `--install` puts the library (httpxy) and
 * keeps it in the temporary directory, outside of the repository; without it and if it is not there, it is left out.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values } = parseArgs({
  options: {
    install: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const root = resolve(import.meta.dirname, '..');
const directory = mkdtempSync(join(tmpdir(), 'proclet-bench-'));
const libraryDirectory = join(tmpdir(), 'proclet-bench-library');
const children = [];

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});
process.on('SIGINT', () => process.exit(130));

const upstream = await freePort();
const candidates = [{ name: 'direct', port: upstream }];
await startNginx();
for (const start of [startFront, startProxyd, startLibrary]) {
  const candidate = await start(await freePort());
  if (candidate !== undefined) candidates.push(candidate);
}
for (const { port } of candidates) await listening(port);

const measures = [
  { name: 'requests/s, 32 connections', unit: '', of: ({ requestsPerSecond }) => requestsPerSecond, load: small(32) },
  { name: 'requests/s, 1 connection', unit: '', of: ({ requestsPerSecond }) => requestsPerSecond, load: small(1) },
  { name: 'median, 1 connection', unit: ' ms', of: ({ median }) => median, same: 1 },
  {
    name: '100 MB files, 2 connections',
    unit: ' MB/s',
    of: ({ bytesPerSecond }) => bytesPerSecond / 1e6,
    load: large(2),
  },
  {
    name: 'new connection per request, 8',
    unit: '/s',
    of: ({ requestsPerSecond }) => requestsPerSecond,
    load: fresh(8),
  },
  { name: 'its own CPU per request, 32', unit: ' µs', of: ({ cpu, requests }) => (cpu * 1e6) / requests, same: 0 },
  {
    name: 'CPU of everything per request, 32',
    unit: ' µs',
    of: ({ busy, requests }) => (busy * 1e6) / requests,
    same: 0,
  },
];
const results = new Map(); // `measure candidate` -> a number for each round
for (let round = 0; round < rounds; round += 1) {
  const loads = new Map();
  for (const [index, measure] of measures.entries()) {
    for (const candidate of candidates) {
      const key = `${measure.same ?? index} ${candidate.name}`;
      if (!loads.has(key)) loads.set(key, measured(measure.load, candidate));
      const list = results.get(`${index} ${candidate.name}`) ?? [];
      list.push(measure.of(loads.get(key)));
      results.set(`${index} ${candidate.name}`, list);
    }
  }
}
report();
process.exit(0);

// ---------------------------------------------------------------- what is compared

async function startNginx() {
  const files = join(directory, 'files');
  mkdirSync(files);
  writeFileSync(join(files, '1k'), 'x'.repeat(1024));
  writeFileSync(join(files, '100m'), Buffer.alloc(100 * 1024 * 1024, 'y'));
  const configuration = join(directory, 'nginx.conf');
  writeFileSync(
    configuration,
    `worker_processes 1; daemon off; ${process.getuid() === 0 ? 'user root;' : ''}
pid ${directory}/nginx.pid; error_log ${directory}/error.log;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000000;
  server { listen 127.0.0.1:${upstream} backlog=4096; root ${files}; }
}
`,
  );
  run('nginx', ['-c', configuration]);
}

async function startFront(port) {
  const bundle = join(directory, 'front.mjs');
  const program = `
import { openFront } from './src/network/front.ts';
import { createClock } from './src/platform/clock.ts';
const target = { host: '127.0.0.1', port: ${upstream} };
const refusal = (error) => ({ title: 'no', lines: [String(error)] });
const listen = { host: '127.0.0.1', port: ${port} };
await openFront({ clock: createClock(), listen, target: () => target, refusal, proxyProtocol: false });
`;
  await build({
    stdin: { contents: program, resolveDir: root },
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
  return { name: 'front', port, pid: run(process.execPath, [bundle]) };
}

async function startProxyd(port) {
  const proxyd = '/lib/systemd/systemd-socket-proxyd';
  const listen = ['-l', `127.0.0.1:${port}`, proxyd, `127.0.0.1:${upstream}`];
  return { name: 'proxyd', port, pid: run('systemd-socket-activate', listen) };
}

async function startLibrary(port) {
  if (values.install) {
    mkdirSync(libraryDirectory, { recursive: true });
    const options = ['install', '--no-audit', '--no-fund', '--silent', '--prefix', libraryDirectory, 'httpxy'];
    execFileSync('npm', options, { stdio: 'inherit' });
  }
  const installed = join(libraryDirectory, 'node_modules', 'httpxy');
  if (!existsSync(installed)) return undefined;
  const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  const program = join(libraryDirectory, `serve-${process.pid}.mjs`);
  writeFileSync(
    program,
    `import http from 'node:http';
import { createProxyServer } from 'httpxy';
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const proxy = createProxyServer({ target: 'http://127.0.0.1:${upstream}', agent });
http.createServer((request, response) => void proxy.web(request, response)).listen(${port}, '127.0.0.1');
`,
  );
  process.on('exit', () => rmSync(program, { force: true }));
  return { name: `httpxy ${version}`, port, pid: run(process.execPath, [program]) };
}

function run(program, options) {
  const child = spawn(program, options, { stdio: ['ignore', 'ignore', 'inherit'] });
  child.once('error', (error) => {
    console.error(`${program}: ${error.message}`);
    process.exit(1);
  });
  children.push(child);
  return child.pid;
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

async function listening(port) {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const isOpen = await new Promise((done) => {
      const socket = net.connect({ host: '127.0.0.1', port });
      socket.once('connect', () => done(true)).once('error', () => done(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error(`nobody listens on ${port}`);
}

// ---------------------------------------------------------------- how it is measured

function small(connections) {
  return { connections, path: '1k', options: [] };
}
function large(connections) {
  return { connections, path: '100m', options: [] };
}
function fresh(connections) {
  return { connections, path: '1k', options: ['-H', 'Connection: close'] };
}

function measured({ connections, path, options }, { port, pid }) {
  const url = `http://127.0.0.1:${port}/${path}`;
  const before = { cpu: cpuOf(pid), busy: cpuOfMachine() };
  const text = execFileSync('wrk', ['-t1', `-c${connections}`, `-d${seconds}`, '--latency', ...options, url], {
    encoding: 'utf8',
  });
  const [, requests] = /(\d+) requests in/.exec(text) ?? [];
  const [, took] = /requests in ([\d.]+)s/.exec(text) ?? [];
  const [, median, medianUnit] = /50%\s+([\d.]+)(us|ms|s)/.exec(text) ?? [];
  const [, speed, speedUnit] = /Transfer\/sec:\s+([\d.]+)([KMG]?B)/.exec(text) ?? [];
  if (/Non-2xx|Socket errors: connect [1-9]/.test(text)) console.error(text);
  return {
    requests: Number(requests),
    requestsPerSecond: Number(requests) / Number(took),
    median: Number(median) * { us: 0.001, ms: 1, s: 1000 }[medianUnit],
    bytesPerSecond: Number(speed) * { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 }[speedUnit],
    cpu: cpuOf(pid) - before.cpu,
    busy: cpuOfMachine() - before.busy,
  };
}

/** Seconds of CPU that a process has used, proc(5). */
function cpuOf(pid) {
  if (pid === undefined) return Number.NaN;
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Seconds of CPU that all processes and the kernel have used, without idle time, waiting and steal. */
function cpuOfMachine() {
  const [line] = readFileSync('/proc/stat', 'latin1').split('\n');
  const [user, nice, system, , , interrupt, softInterrupt] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + interrupt + softInterrupt) / 100;
}

// ---------------------------------------------------------------- what comes out

function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function ratio(index, name, other) {
  const mine = results.get(`${index} ${name}`);
  const theirs = results.get(`${index} ${other}`);
  return median(mine.map((value, round) => value / theirs[round]));
}

function report() {
  const names = candidates.map(({ name }) => name);
  const shown = (value, unit) =>
    Number.isNaN(value) ? '-' : `${value < 10 ? value.toFixed(3) : Math.round(value).toLocaleString('en')}${unit}`;
  console.log(`| | ${names.join(' | ')} |\n|---|${names.map(() => '---:|').join('')}`);
  for (const [index, { name, unit }] of measures.entries()) {
    const cells = names.map((one) => shown(median(results.get(`${index} ${one}`)), unit));
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
  const added = median(results.get('2 front').map((value, round) => value - results.get('2 direct')[round]));
  const goals = [
    ['requests/s at 32 connections, front to proxyd', ratio(0, 'front', 'proxyd'), 'at least 1.2', (x) => x >= 1.2],
    ['the same by the CPU of everything, proxyd to front', ratio(6, 'proxyd', 'front'), '', () => true],
    ['requests/s at 32 connections, front to direct', ratio(0, 'front', 'direct'), '', () => true],
    ['requests/s at 32 connections, proxyd to direct', ratio(0, 'proxyd', 'direct'), '0.4 to 0.5 expected', () => true],
    ['added at the median with one connection, ms', added, 'less than 0.3', (x) => x < 0.3],
    ['100 MB files, front to direct', ratio(3, 'front', 'direct'), 'at least 0.6', (x) => x >= 0.6],
    ['100 MB files, proxyd to direct', ratio(3, 'proxyd', 'direct'), '', () => true],
  ];
  console.log('\n| | measured | goal | |\n|---|---:|---|---|');
  for (const [name, value, goal, isMet] of goals) {
    console.log(`| ${name} | ${value.toFixed(2)} | ${goal} | ${goal === '' ? '' : isMet(value) ? 'met' : 'missed'} |`);
  }
}
