/**
 * Time from starting `proclet start` to the first line of its first service, against bare Node, in one run.
 *   node bench/startup.mjs [rounds]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const rounds = Number(process.argv[2] ?? 21);
const bin = resolve(import.meta.dirname, '../bin/proclet.cjs');
const directory = mkdtempSync(join(tmpdir(), 'proclet-bench-'));
writeFileSync(join(directory, 'Procfile'), 'hello: printf "first line\\n"; exec sleep 60\n');

/** Milliseconds until `wanted` shows on stdout, or until the end when nothing is wanted. */
function time(args, wanted) {
  return new Promise((done, fail) => {
    const begin = performance.now();
    const child = spawn(process.execPath, args, { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    let taken;
    child.stdout.on('data', (chunk) => {
      text += chunk;
      if (taken !== undefined || wanted === undefined || !text.includes(wanted)) return;
      taken = performance.now() - begin;
      child.kill('SIGINT');
    });
    child.once('error', fail);
    child.once('exit', () => {
      if (wanted !== undefined && taken === undefined) fail(new Error(`'${wanted}' never came: ${text}`));
      else done(taken ?? performance.now() - begin);
    });
  });
}

const cases = {
  "node -e ''": () => time(['-e', '']),
  'proclet start, to the first line of a service': () => time([bin, 'start'], '| first line'),
  'proclet --version': () => time([bin, '--version']),
};
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));

await cases['proclet start, to the first line of a service'](); // fills the code cache
for (let round = 0; round < rounds; round += 1) {
  for (const [name, run] of Object.entries(cases)) times[name].push(await run());
}
rmSync(directory, { recursive: true });

const bare = median(times["node -e ''"]);
for (const [name, values] of Object.entries(times)) {
  const ms = median(values);
  console.log(`${name.padEnd(48)} ${ms.toFixed(0).padStart(5)} ms  ${(ms / bare).toFixed(2)} times bare Node`);
}
