/**
 * How fast output goes through: one million 100-byte lines of one service, through `proclet start` and through
 * a Node program that passes the same bytes on untouched, which is the most that Node could do.
 * Both write into a pipe to `cat`, runs alternate, times are those of whole runs, and the median counts.
 * Before that, three services print numbered lines at once, and every line must arrive, whole and in order.
 *
 *   node bench/lines.mjs [runs] [lines]
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const [runs = 7, count = 1_000_000] = process.argv.slice(2).map(Number);
const width = 100;
const root = resolve(import.meta.dirname, '..');
const proclet = join(root, 'bin', 'proclet.cjs');
if (!existsSync(join(root, 'dist', 'proclet.cjs'))) throw new Error('Build it first: npm run build');

const directory = mkdtempSync(join(tmpdir(), 'proclet-bench-'));
const lines = `yes ${'x'.repeat(width - 1)} | head -n ${count}`;
const numbered = `seq -f %0${width - 1}.0f 1 ${count}`;
writeFileSync(join(directory, 'Procfile'), `web: ${lines}\n`);
writeFileSync(join(directory, 'Numbered'), `a: ${numbered}\nb: ${numbered} >&2\nc: ${numbered}\n`);
const passThrough = join(directory, 'pass-through.mjs');
writeFileSync(
  passThrough,
  `import { spawn } from 'node:child_process';
const child = spawn('sh', ['-c', ${JSON.stringify(lines)}], { stdio: ['ignore', 'pipe', 'inherit'] });
child.stdout.pipe(process.stdout);
`,
);

const start = (procfile) => [process.execPath, proclet, 'start', '--no-color', '-f', join(directory, procfile)];
const candidates = {
  'passed through': [process.execPath, passThrough],
  'proclet start': start('Procfile'),
};

try {
  await verify();
  const times = Object.fromEntries(Object.keys(candidates).map((name) => [name, []]));
  for (let run = 0; run < runs; run += 1) {
    for (const [name, argv] of Object.entries(candidates)) times[name].push(await timeOf(argv));
  }
  report(times);
} finally {
  rmSync(directory, { recursive: true });
}

/** Seconds from start to end with the output piped into `cat`. */
async function timeOf(argv) {
  const begin = performance.now();
  const child = spawn('sh', ['-c', '"$@" | cat >/dev/null', 'sh', ...argv], { cwd: directory, stdio: 'inherit' });
  await new Promise((done) => child.once('exit', done));
  return (performance.now() - begin) / 1000;
}

/** Throws at the first line of a service that is missing, torn or out of order. */
async function verify() {
  const [program, ...args] = start('Numbered');
  const child = spawn(program, args, { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] });
  const next = { a: 1, b: 1, c: 1 };
  for await (const row of createInterface({ input: child.stdout })) {
    const match = /(?:^| )([abc])\.1 +\| (.*)$/.exec(row);
    if (match === null) continue; // proclet's own
    const [, service, text] = match;
    if (text !== String(next[service]).padStart(width - 1, '0')) {
      throw new Error(`${service} printed ${JSON.stringify(text)} where line ${next[service]} was due`);
    }
    next[service] += 1;
  }
  const lost = Object.entries(next).filter(([, due]) => due !== count + 1);
  if (lost.length > 0) throw new Error(`lines are missing: ${JSON.stringify(Object.fromEntries(lost))}`);
  console.log(`3 x ${count} numbered lines arrived, whole and in order`);
}

function report(times) {
  const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
  const base = median(times['passed through']);
  for (const [name, values] of Object.entries(times)) {
    const seconds = median(values);
    const speed = (count * width) / seconds / 1e6;
    console.log(
      `${name.padEnd(14)} ${seconds.toFixed(2)} s  ${speed.toFixed(0)} MB/s  ratio ${(base / seconds).toFixed(2)}`,
    );
  }
}
