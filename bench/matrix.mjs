/**
 * Every adversary by every way of ending, again and again, with control groups and without: how often was anything
 * left? Runs test/e2e/tree-matrix.test.ts and prints a table with a column per way.
 *
 *   node bench/matrix.mjs [--rounds 50]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '50' } } });
const root = resolve(import.meta.dirname, '..');
const directory = mkdtempSync(join(tmpdir(), 'proclet-bench-'));
const file = join(directory, 'report.json');

const args = ['vitest', 'run', '--project', 'e2e', 'test/e2e/tree-matrix.test.ts'];
const env = { ...process.env, ROUNDS: values.rounds, MATRIX_REPORT: file };
const { status } = spawnSync('npx', args, { cwd: root, env, stdio: ['ignore', process.stderr, process.stderr] });
print(JSON.parse(readFileSync(file, 'utf8')));
rmSync(directory, { recursive: true });
process.exitCode = status ?? 1;

function print({ adversaries, report }) {
  for (const cgroups of new Set(report.map((cell) => cell.cgroups))) {
    const cells = report.filter((cell) => cell.cgroups === cgroups);
    console.log(`\n${cgroups}: rounds in which something was left, of ${values.rounds}\n`);
    row('adversary', ...cells.map(({ way }) => way));
    row(...['---', ...cells.map(() => '--:')]);
    for (const name of adversaries) row(name, ...cells.map(({ left }) => left[name] ?? 0));
    row('median ms to the end of all', ...cells.map(({ took }) => quantile(took, 0.5)));
    row('longest', ...cells.map(({ took }) => quantile(took, 1)));
  }
}

function quantile(values, q) {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];
}

function row(...cells) {
  console.log(`| ${cells.join(' | ')} |`);
}
