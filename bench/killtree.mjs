/**
 * What is left of each adversary under each runner on this machine, after Ctrl-C and after kill -9 of the runner.
 * All adversaries run at once as services of one run; a runner of one service gets them one after another.
 *
 *   node bench/killtree.mjs [--install] [--only proclet]
 */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { environment, found, install, versions } from './peers.mjs';
import { holdersOf, tie } from './tether.mjs';

const fixtures = resolve(import.meta.dirname, '../test/fixtures/adversaries');
const options = { install: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } };
const { values } = parseArgs({ options });
if (values.install) install();

const adversaries = JSON.parse(readFileSync(join(fixtures, 'list.json'), 'utf8'));
const runners = found.filter(({ name }) => values.only?.includes(name) ?? true);
const ways = { 'Ctrl-C': 'SIGINT', 'kill -9 of the runner': 'SIGKILL' };
/** A runner may take this long after Ctrl-C; what is left this long after its end is left behind. */
const patience = 15_000;
const afterwards = 3_000;

const script = 'exec >"ready.$1" 2>&1\nexec "$2" "adversaries/$3" "tether.$1"\n';

/** For each adversary the number of processes left, and how long the runner took to end. */
async function fight(runner, fighters, signal) {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'proclet-bench-')));
  cpSync(fixtures, join(directory, 'adversaries'), { recursive: true });
  writeFileSync(join(directory, 'service.sh'), script);
  const tethers = new Map(fighters.map(({ name }) => [name, tie(join(directory, `tether.${name}`))]));
  const services = fighters.map(({ name, command: [program, file] }) => ({
    name,
    command: `sh service.sh ${name} ${program} ${file}`,
  }));
  const [program, ...args] = runner.argv(directory, services, 1);
  const env = { ...environment(directory), PORT: '23900' };
  const child = spawn(program, args, { cwd: directory, env, stdio: 'ignore', detached: true });
  const exited = new Promise((done) => child.once('exit', () => done(performance.now())));
  const said = ({ name }) =>
    existsSync(join(directory, `ready.${name}`)) &&
    readFileSync(join(directory, `ready.${name}`), 'utf8').includes('ready');
  for (let n = 0; n < 300 && !fighters.every(said); n += 1) await sleep(50);
  await sleep(500);

  const began = performance.now();
  if (signal === 'SIGINT') process.kill(-child.pid, signal);
  else process.kill(child.pid, signal);
  const ended = await Promise.race([exited, sleep(patience)]);
  for (let n = 0; n < afterwards / 50 && [...tethers.values()].some((one) => one.isHeld()); n += 1) await sleep(50);
  const gone = performance.now() - began;

  const left = new Map();
  for (const { name } of fighters) {
    const held = tethers.get(name).isHeld();
    const holders = holdersOf([join(directory, `tether.${name}`)]);
    left.set(name, held ? Math.max(holders.length, 1) : 0);
  }
  await cleanUp(directory, fighters, child, ended === undefined);
  for (const tether of tethers.values()) tether.close();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  return { left, ms: ended === undefined ? Infinity : signal === 'SIGINT' ? ended - began : gone };
}

/** Ends what a runner left: the storms by their stop file, the rest by pid. */
async function cleanUp(directory, fighters, child, runs) {
  writeFileSync(join(directory, 'stop'), '');
  const paths = fighters.map(({ name }) => join(directory, `tether.${name}`));
  if (runs) kill(child.pid);
  for (let n = 0; n < 100; n += 1) {
    const holders = holdersOf(paths);
    if (holders.length === 0) return;
    for (const pid of holders) kill(pid);
    await sleep(50);
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ESRCH: it ended by itself
  }
}

async function column(runner, signal) {
  if (!runner.single) return fight(runner, adversaries, signal);
  const left = new Map();
  let ms = 0;
  for (const one of adversaries) {
    const result = await fight(runner, [one], signal);
    left.set(one.name, result.left.get(one.name));
    ms = Math.max(ms, result.ms);
  }
  return { left, ms };
}

console.log(`${cpus().length} x ${cpus()[0].model}; Node ${process.version}; ${versions()}`);
for (const [way, signal] of Object.entries(ways)) {
  const columns = [];
  for (const runner of runners) columns.push(await column(runner, signal));
  console.log(`\n| processes left after ${way} | ${runners.map(({ name }) => name).join(' | ')} |`);
  console.log(`| --- |${' --: |'.repeat(runners.length)}`);
  for (const { name, is } of adversaries) {
    console.log(`| ${is} | ${columns.map(({ left }) => left.get(name)).join(' | ')} |`);
  }
  const times = columns.map(({ ms }) => (ms === Infinity ? 'never' : `${(ms / 1_000).toFixed(1)} s`));
  console.log(
    `| ${signal === 'SIGINT' ? 'until the runner has exited' : 'until all is gone, or 3 s'} | ${times.join(' | ')} |`,
  );
}
