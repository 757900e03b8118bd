/**
 * How long Ctrl-C takes: fifty obedient services, each one process, under each runner that is on this machine.
 * Time from INT to the group until the runner has exited, median of the rounds; and how many services are left then.
 *
 *   node bench/stop.mjs [--rounds 5] [--services 50] [--install]
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { environment, found, install, versions } from './peers.mjs';
import { holdersOf, tie } from './tether.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    services: { type: 'string', default: '50' },
    install: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
  },
});
if (values.install) install();
const numbers = Array.from({ length: Number(values.services) }, (_, index) => index + 1);
const candidates = found.filter(({ name, single }) => !single && (values.only?.includes(name) ?? true));
const results = new Map(candidates.map((runner) => [runner, []]));

for (let round = 0; round < Number(values.rounds); round += 1) {
  for (const [runner, runs] of results) runs.push(await run(runner));
}

const clean = [...results].filter(([, runs]) => runs.every(({ left }) => left === 0));
const best = Math.min(...clean.filter(([{ name }]) => name !== 'proclet').map(([, runs]) => median(runs)));
console.log(
  `${values.services} services, median of ${values.rounds}; ${cpus().length} x ${cpus()[0].model}; ${versions()}\n`,
);
console.log('| runner | INT to exit | times the best peer that leaves nothing | left behind |');
console.log('| --- | --: | --: | --: |');
for (const [{ name }, runs] of results) {
  const ms = median(runs);
  console.log(
    `| ${name} | ${ms.toFixed(0)} ms | ${(ms / best).toFixed(2)} | ${Math.max(...runs.map(({ left }) => left))} |`,
  );
}

function median(runs) {
  return runs.map(({ ms }) => ms).toSorted((a, b) => a - b)[runs.length >> 1];
}

async function run(runner) {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'proclet-bench-')));
  const tether = tie(join(directory, 'tether'));
  writeFileSync(join(directory, 'service.sh'), 'exec 9>tether\n: >ready.$1\nexec sleep 1000\n');
  const services = numbers.map((n) => ({ name: `s${n}`, command: `sh service.sh ${n}` }));
  const [program, ...args] = runner.argv(directory, services, 5);
  const env = environment(directory);
  const child = spawn(program, args, { cwd: directory, env, stdio: ['ignore', 'ignore', 'ignore'], detached: true });
  const exited = new Promise((done) => child.once('exit', () => done(performance.now())));
  while (numbers.some((n) => !existsSync(join(directory, `ready.${n}`)))) await sleep(50);
  await sleep(1_000); // whatever a runner does after a start is done
  const began = performance.now();
  process.kill(-child.pid, 'SIGINT');
  const ended = await Promise.race([exited, sleep(60_000)]);
  const left = tether.isHeld() ? holdersOf([join(directory, 'tether')]) : [];
  for (const pid of ended ? left : [...left, child.pid]) kill(pid);
  tether.close();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  return { ms: (ended ?? Infinity) - began, left: left.length };
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ESRCH: it ended by itself
  }
}
