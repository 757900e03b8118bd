/**
 * From saving a file to the first answer of the new code, minus the time the program itself takes to answer after it
 * was started: proclet against nodemon, and entr and watchexec where they are; in a small project, and in one of
 * 10,000 files in 500 directories, there with the memory of the watcher. Medians; each save is an atomic one.
 *
 *   node bench/reload.mjs [--rounds 20] [--install]
 *
 * entr is Debian's package; `--install` puts nodemon into the temporary directory.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '20' }, install: { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);
const bin = resolve(import.meta.dirname, '../bin/proclet.cjs');
const peers = join(tmpdir(), 'proclet-peers');
if (values.install) {
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', peers, 'nodemon'], {
    stdio: 'inherit',
  });
}
const nodemon = join(peers, 'node_modules/.bin/nodemon');

const program = `import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
const v = readFileSync('src/version.txt');
createServer((_, response) => response.end(v)).listen(Number(process.env.PORT), '127.0.0.1');
`;
const candidates = [
  { name: 'proclet, restart', argv: (p) => [process.execPath, bin, 'start', '-p', p, '-R', 'src'] },
  {
    name: 'proclet, handover',
    argv: (p) => [process.execPath, bin, 'start', '-p', p, '-R', 'src'],
    yml: 'services: {web: {reload: handover}}',
  },
  {
    name: 'proclet, shotgun',
    argv: (p) => [process.execPath, bin, 'start', '-p', p, '-R', 'src'],
    yml: 'services: {web: {reload: shotgun}}',
  },
  { name: 'nodemon', needs: nodemon, argv: () => [nodemon, '-q', '--watch', 'src', '--ext', 'txt', 'server.mjs'] },
  {
    name: 'nodemon --delay 0.01',
    needs: nodemon,
    argv: () => [nodemon, '-q', '--delay', '0.01', '--watch', 'src', '--ext', 'txt', 'server.mjs'],
  },
  { name: 'entr -r', needs: 'entr', argv: () => ['sh', '-c', 'find src -type f | entr -n -r node server.mjs'] },
  {
    name: 'watchexec -r',
    needs: 'watchexec',
    argv: () => ['watchexec', '-r', '-w', 'src', '--', 'node', 'server.mjs'],
  },
].filter(({ needs }) => needs === undefined || has(needs));

for (const files of [10, 10_000]) {
  const alone = await programAlone(files);
  console.log(`\n${files} files; the program alone answers after ${alone.toFixed(0)} ms\n`);
  console.log('| | save to served, less the program | longest | memory of the runner |\n|---|---:|---:|---:|');
  for (const candidate of candidates) {
    const { took, memory } = await measure(candidate, files);
    const sorted = took.sort((a, b) => a - b);
    const show = (value) => `${(value - alone).toFixed(0)} ms`;
    console.log(`| ${candidate.name} | ${show(sorted[sorted.length >> 1])} | ${show(sorted.at(-1))} | ${memory} MB |`);
  }
}
process.exit(0);

async function programAlone(files) {
  const directory = project(files);
  const took = [];
  for (let n = 0; n < rounds; n += 1) {
    const port = await freePort();
    const began = performance.now();
    const child = spawn('/bin/sh', ['-c', 'exec node server.mjs'], {
      cwd: directory,
      env: { ...process.env, PORT: String(port) },
      stdio: 'ignore',
    });
    took.push((await served(port, 'v0')) - began);
    child.kill('SIGKILL');
  }
  rmSync(directory, { recursive: true });
  return took.sort((a, b) => a - b)[took.length >> 1];
}

async function measure({ argv, yml }, files) {
  const directory = project(files);
  if (yml) writeFileSync(join(directory, 'proclet.yml'), yml);
  const port = await freePort();
  const [command, ...args] = argv(String(port));
  const runner = spawn(command, args, {
    cwd: directory,
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, PORT: String(port) },
  });
  const took = [];
  try {
    await served(port, 'v0');
    await sleep(3_000); // every watch is set by then
    for (let n = 1; n <= rounds; n += 1) {
      writeFileSync(join(directory, 'new.tmp'), `v${n}`);
      const began = performance.now();
      renameSync(join(directory, 'new.tmp'), join(directory, 'src/version.txt'));
      took.push((await served(port, `v${n}`)) - began);
      await sleep(300);
    }
    return { took, memory: memoryOf(runner.pid) };
  } finally {
    try {
      process.kill(-runner.pid, 'SIGTERM');
    } catch {}
    await sleep(700);
    rmSync(directory, { recursive: true, force: true });
  }
}

function project(files) {
  const directory = mkdtempSync(join(tmpdir(), 'proclet-bench-'));
  mkdirSync(join(directory, 'src'));
  for (let n = 0; n < files; n += 1) {
    const inner = join(directory, 'src', `d${n % Math.ceil(files / 20)}`);
    mkdirSync(inner, { recursive: true });
    writeFileSync(join(inner, `f${n}.txt`), 'x');
  }
  writeFileSync(join(directory, 'src/version.txt'), 'v0');
  writeFileSync(join(directory, 'server.mjs'), program);
  writeFileSync(join(directory, 'Procfile'), 'web: exec node server.mjs\n');
  return directory;
}

/** When this version was served. */
async function served(port, version) {
  for (const end = performance.now() + 20_000; performance.now() < end; ) {
    if ((await answerOf(port)) === version) return performance.now();
    await sleep(2);
  }
  throw new Error(`${version} was never served`);
}

/** A plain request: cheaper than fetch, which would be measured too. */
function answerOf(port) {
  return new Promise((done) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    let text = '';
    socket.on('error', () => done(undefined));
    socket.on('connect', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
    socket.on('data', (chunk) => (text += chunk));
    socket.on('close', () => done(/\r\n\r\n(?:[0-9a-f]+\r\n)?(v\d+)/.exec(text)?.[1]));
  });
}

function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

function has(name) {
  if (name.includes('/')) return existsSync(name);
  return (process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, name)));
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
