/**
 * What it costs to ask: `proclet ps` of one project against bare Node, and `proclet ps --all` of many projects.
 *   node bench/control.mjs [--rounds 21] [--projects 50] [--services 10]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '21' },
    projects: { type: 'string', default: '50' },
    services: { type: 'string', default: '10' },
  },
});
const [rounds, projects, services] = [values.rounds, values.projects, values.services].map(Number);
const bin = resolve(import.meta.dirname, '../bin/proclet.cjs');
const home = mkdtempSync(join(tmpdir(), 'proclet-bench-'));
const env = { ...process.env, XDG_RUNTIME_DIR: join(home, 'run'), XDG_STATE_HOME: join(home, 'state') };
mkdirSync(env.XDG_RUNTIME_DIR, { mode: 0o700 });

function node(args, cwd = home) {
  const begin = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  return { took: performance.now() - begin, stdout };
}

const directories = Array.from({ length: projects }, (_, n) => join(home, `project-${n + 1}`));
const asking = { "node -e ''": ['-e', ''] };
const median = (times) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)];

/** Medians, each round with every case once. */
function report(cases, cwd) {
  const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, args] of Object.entries(cases)) times[name].push(node(args, cwd).took);
  }
  const bare = median(times["node -e ''"]);
  for (const [name, all] of Object.entries(times)) {
    const ms = median(all);
    console.log(`${name.padEnd(48)} ${ms.toFixed(0).padStart(5)} ms  ${(ms / bare).toFixed(2)} times bare Node`);
  }
}

try {
  for (const [index, directory] of directories.entries()) {
    mkdirSync(directory);
    const lines = Array.from({ length: services }, (_, n) => `s${n + 1}: exec sleep 1000`);
    writeFileSync(join(directory, 'Procfile'), lines.join('\n'));
    node([bin, 'start', '-D', '--ttl', '15m', '-p', String(20_000 + index)], directory);
    if (index === 0) report({ ...asking, [`proclet ps, ${services} services`]: [bin, 'ps'] }, directory);
  }
  const { stdout } = node([bin, 'ps', '--all'], directories[0]);
  const shown = stdout.split('\n').filter((line) => /^s\d+\.1 +(up|starting)/.test(line)).length;
  if (shown !== projects * services) throw new Error(`ps --all shows ${shown} of ${projects * services} services`);
  const all = { [`proclet ps --all, ${projects} projects of ${services} services`]: [bin, 'ps', '--all'] };
  report({ ...asking, [`proclet ps, among ${projects} projects`]: [bin, 'ps'], ...all }, directories[0]);
} finally {
  for (const directory of directories) spawnSync(process.execPath, [bin, 'stop'], { cwd: directory, env });
  rmSync(home, { recursive: true, force: true });
}
