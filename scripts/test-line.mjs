/** The test line as a child process whose results are read: which tests failed, and how long it took. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/** The projects of `npm test`. */
const projects = ['unit', 'process', 'e2e'].flatMap((project) => ['--project', project]);

/**
 * Runs the tests of a directory to their end.
 * @param node the Node that runs them
 * @param args for vitest: files, `--project`; none for the whole line
 * @returns the failed tests as `file > title`, and seconds. A line that ends without results counts as one failure.
 */
export async function runTestLine({ node = process.execPath, directory, env, args = [], ...ids }) {
  const results = mkdtempSync(join(tmpdir(), 'proclet-results-'));
  // Whoever runs the tests writes here.
  if (ids.uid !== undefined) await change(results, ids);
  const file = join(results, 'results.json');
  const began = performance.now();
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${file}`];
  const line = ['node_modules/vitest/vitest.mjs', 'run', ...(args.length > 0 ? args : projects), ...reporters];
  let tail = '';
  const status = await new Promise((resolve, reject) => {
    const child = spawn(node, line, { cwd: directory, env, ...ids, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        tail = (tail + text).slice(-8_000);
      });
    }
    child.once('error', reject);
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve(code ?? signal);
    });
  });
  const seconds = (performance.now() - began) / 1_000;
  const failed = existsSync(file) ? failedIn(JSON.parse(readFileSync(file, 'utf8')), directory) : [];
  rmSync(results, { recursive: true });
  if (status !== 0 && failed.length === 0) failed.push({ name: `the line ended with ${status}`, why: tail });
  return { failed, seconds };
}

const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    for (const child of running) child.kill('SIGTERM');
    process.exit(130);
  });
}

async function change(path, { uid, gid }) {
  const { chown } = await import('node:fs/promises');
  await chown(path, uid, gid);
}

function failedIn({ testResults }, directory) {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(directory, name);
    const tests = assertionResults
      .filter((test) => test.status === 'failed')
      .map(({ fullName, failureMessages }) => ({ name: `${file} > ${fullName}`, why: failureMessages[0] ?? '' }));
    return status === 'failed' && tests.length === 0 ? [{ name: file, why: message }] : tests;
  });
}

/** Prints rows in columns, the first row above a line. */
export function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  const print = (row) =>
    console.log(
      row
        .map((cell, n) => String(cell).padEnd(widths[n]))
        .join('  ')
        .trimEnd(),
    );
  print(rows[0]);
  print(widths.map((width) => '-'.repeat(width)));
  for (const row of rows.slice(1)) print(row);
}

/** The first lines of why a test failed, indented. */
export function printWhy(why) {
  for (const line of why.trim().split('\n').slice(0, 6)) console.log(`    ${line}`);
}
