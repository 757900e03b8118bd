#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { printTable, printWhy, runTestLine } from './test-line.mjs';

const help = `Runs the test line again and again, the second half of the runs with every processor kept busy, and every other
run with NODE_EXTRA_CA_CERTS, PYTHONUNBUFFERED and CI in its environment. Prints how long each run took, and each
test that failed and how often. The status is 1 if any did.

  scripts/soak-tests [--runs N] [-- VITEST ARGUMENTS]

  --runs N   how many runs, 20 unless given
  --busy     keep the processors busy in every run
  --help     this

  scripts/soak-tests --runs 4 -- --project e2e idle reload
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '20' },
    busy: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
if (values.help) {
  process.stdout.write(help);
} else if (!Number.isInteger(runs) || runs < 1) {
  process.stderr.write(`soak-tests: '${values.runs}' is not a number of runs; see --help\n`);
  process.exitCode = 2;
} else {
  process.exitCode = await soak();
}

async function soak() {
  const directory = resolve(import.meta.dirname, '..');
  const rows = [['run', 'processors', 'environment', 'seconds', 'failed']];
  const failures = new Map();
  for (let run = 0; run < runs; run += 1) {
    const isBusy = values.busy || run >= Math.ceil(runs / 2);
    const isFull = run % 2 === 1;
    const letGo = isBusy ? keepBusy() : () => {};
    const { failed, seconds } = await runTestLine({ directory, env: environmentOf(isFull), args: positionals });
    letGo();
    for (const { name, why } of failed) failures.set(name, { why, times: (failures.get(name)?.times ?? 0) + 1 });
    const shown = [isBusy ? 'busy' : 'free', isFull ? 'full' : 'bare', seconds.toFixed(0), failed.length];
    rows.push([run + 1, ...shown]);
    process.stderr.write(`run ${run + 1} of ${runs}: ${shown[2]} s, ${failed.length} failed\n`);
  }
  printTable(rows);
  for (const [name, { times, why }] of [...failures].sort(([, a], [, b]) => b.times - a.times)) {
    console.log(`\nfailed in ${times} of ${runs}: ${name}`);
    printWhy(why);
  }
  return failures.size > 0 ? 1 : 0;
}

/** What a caller's shell may have set, or may not. The file is missing on purpose: Node then warns on stderr. */
function environmentOf(isFull) {
  const { NODE_EXTRA_CA_CERTS, PYTHONUNBUFFERED, CI, ...env } = process.env;
  const full = {
    NODE_EXTRA_CA_CERTS: NODE_EXTRA_CA_CERTS ?? '/nowhere/certificates.pem',
    PYTHONUNBUFFERED: '1',
    CI: 'true',
  };
  return isFull ? { ...env, ...full } : env;
}

/** A loop for each processor. Each ends when it is told to, when this program is gone, and after half an hour. */
function keepBusy() {
  const loop = `const [parent, end] = [process.ppid, Date.now() + 1_800_000];
    while (Date.now() < end && process.ppid === parent) for (let n = 0; n < 1e7; n += 1);`;
  const loops = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', loop], { stdio: 'ignore' }),
  );
  return () => {
    for (const child of loops) child.kill('SIGKILL');
  };
}
