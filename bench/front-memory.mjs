/**
 * What 10,000 connections cost the front: they come while the service is not there yet, are answered when it is, stay
 * idle, and go. Prints the memory of the front's process (after garbage collection) at each step, and how long it took
 * until all of them were answered. Front, service and clients are processes of their own.
 *
 *   node bench/front-memory.mjs [connections]
 *
 * The front needs two descriptors for each connection; where the limit on them cannot be raised, there are fewer.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const [first = '10000', bundle = '', port = ''] = process.argv.slice(2);
const raise = 'ulimit -n 100000 2>/dev/null || ulimit -n $(ulimit -Hn)';
const roles = { front, service, clients };
const say = (value) => void process.stdout.write(`${JSON.stringify(value)}\n`);
if (first in roles) await roles[first]();
else await compare(Math.min(Number(first), Math.floor((descriptors() - 100) / 2)));

/** Most that a process started here may have open. */
function descriptors() {
  return Number(execFileSync('sh', ['-c', `${raise}; ulimit -n`], { encoding: 'utf8' }));
}

async function compare(count) {
  const { build } = await import('esbuild');
  const directory = mkdtempSync(join(tmpdir(), 'proclet-bench-'));
  const outfile = join(directory, 'front.mjs');
  const exports = ['network/front', 'platform/clock'].map((path) => `export * from './src/${path}.ts';`);
  const stdin = { contents: exports.join('\n'), resolveDir: resolve(import.meta.dirname, '..') };
  await build({ stdin, outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20' });

  const upstream = start('service');
  const proxy = start('front', outfile, (await upstream.answer()).port);
  const listening = await proxy.answer();
  const rows = [['listening', await proxy.ask('memory')]];
  const crowd = start('clients', outfile, listening.port);
  await crowd.ask(`open ${count}`);
  const isHere = ({ waiting }) => waiting === count;
  rows.push([`${count.toLocaleString('en')} wait`, await proxy.askUntil('memory', isHere)]);
  proxy.tell('ready');
  const { answered, closed, took } = await crowd.ask('await');
  rows.push(['all answered, idle', await proxy.ask('memory')]);
  crowd.tell('close');
  rows.push(['all closed', await empty(proxy)]);
  crowd.tell('again');
  await crowd.answer();
  rows.push(['as many again, idle', await proxy.askUntil('memory', ({ waiting }) => waiting === 0)]);
  crowd.tell('close');
  rows.push(['all closed again', await empty(proxy)]);
  report(rows, count);
  console.log(
    `\n${answered} of ${count} were answered and ${closed} closed within ${took} ms of the service being there.`,
  );
  for (const { child } of [crowd, proxy, upstream]) child.kill();
  rmSync(directory, { recursive: true });
}

/** V8 gives pages back bit by bit: the memory once it has stopped falling. */
async function empty(proxy) {
  let least = await proxy.askUntil('memory', ({ connections }) => connections === 0);
  for (let same = 0; same < 20; same += 1) {
    const next = await proxy.askUntil('memory', () => true);
    if (next.rss < least.rss - 1e6) {
      least = next;
      same = 0;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  return least;
}

function report(rows, count) {
  const [[, base]] = rows;
  const mega = (bytes) => (bytes / 1e6).toFixed(1);
  console.log('| | connections | RSS, MB | JS heap, MB | per connection, KB |\n|---|---:|---:|---:|---:|');
  for (const [name, { rss, heapUsed, connections }] of rows) {
    const each = connections === 0 ? '' : ((rss - base.rss) / count / 1000).toFixed(1);
    console.log(`| ${name} | ${connections} | ${mega(rss)} | ${mega(heapUsed)} | ${each} |`);
  }
}

/** One of the other processes; it reads words and answers in lines of JSON. */
function start(role, ...options) {
  const program = `${raise}; exec "$@"`;
  const words = [process.execPath, '--expose-gc', import.meta.filename, role, ...options.map(String)];
  const child = spawn('sh', ['-c', program, 'sh', ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  process.on('exit', () => child.kill());
  const tell = (word) => void child.stdin.write(`${word}\n`);
  const answer = async () => JSON.parse((await lines.next()).value);
  const ask = (word) => {
    tell(word);
    return answer();
  };
  const askUntil = async (word, isRight) => {
    for (;;) {
      const said = await ask(word);
      if (isRight(said)) return said;
      await new Promise((done) => setTimeout(done, 100));
    }
  };
  return { child, tell, answer, ask, askUntil };
}

async function* words() {
  for await (const line of createInterface({ input: process.stdin })) yield line.split(' ');
}

// ---------------------------------------------------------------- the roles

async function front() {
  const { openFront, createClock } = await import(bundle);
  const address = { host: '127.0.0.1', port: Number(port) };
  let ready;
  let target = new Promise((done) => {
    ready = done;
  });
  const opened = await openFront({
    clock: createClock(),
    listen: { host: '127.0.0.1', port: 0 },
    target: () => target,
    refusal: (error) => ({ title: 'no', lines: [String(error)] }),
    proxyProtocol: false,
  });
  say(opened.address);
  for await (const [word] of words()) {
    if (word === 'ready') {
      ready(address);
      target = address;
      continue;
    }
    gc();
    await new Promise((done) => setTimeout(done, 50));
    gc();
    const { connections, waiting, inFlight } = opened;
    say({ ...process.memoryUsage(), connections, waiting, inFlight });
  }
}

async function service() {
  const server = net.createServer((socket) => socket.on('data', () => socket.write('answer')).on('error', () => {}));
  server.listen({ port: 0, host: '127.0.0.1' }, () => say(server.address()));
}

async function clients() {
  let sockets = [];
  let answered = 0;
  let closed = 0;
  let all = 0;
  let whenAll = () => {};
  const open = async (count) => {
    answered = 0;
    closed = 0;
    all = count;
    sockets = [];
    while (sockets.length < count) {
      const batch = Array.from({ length: Math.min(200, count - sockets.length) }, connect);
      sockets.push(...(await Promise.all(batch)));
    }
    for (const socket of sockets) socket.write('request');
  };
  const connect = () =>
    new Promise((done, failed) => {
      const socket = net.connect({ host: '127.0.0.1', port: Number(port) }, () => done(socket)).on('error', failed);
      let isSettled = false;
      const settle = (isAnswer) => {
        if (isSettled) return;
        isSettled = true;
        if (isAnswer) answered += 1;
        else closed += 1;
        if (answered + closed === all) whenAll();
      };
      socket.once('data', () => settle(true)).once('close', () => settle(false));
    });
  const allAnswered = () =>
    new Promise((done) => {
      whenAll = done;
      if (answered + closed === all) done();
    });
  for await (const [word, count] of words()) {
    if (word === 'open' || word === 'again') {
      await open(Number(count ?? all));
      if (word === 'again') await allAnswered();
      say({ open: sockets.length });
    } else if (word === 'await') {
      const since = performance.now();
      await allAnswered();
      say({ answered, closed, took: Math.round(performance.now() - since) });
    } else {
      for (const socket of sockets) socket.destroy();
    }
  }
}
