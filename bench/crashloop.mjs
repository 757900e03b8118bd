/**
 * What twenty services that die at once cost, in per cent of one CPU, proclet and all it starts together.
 *   node bench/crashloop.mjs [seconds]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const seconds = Number(process.argv[2] ?? 60);
const bin = resolve(import.meta.dirname, '../bin/proclet.cjs');
const directory = mkdtempSync(join(tmpdir(), 'proclet-bench-'));
const dying = Array.from({ length: 20 }, (_, n) => `dies${n}: echo cannot start; exit 1\n`);
writeFileSync(join(directory, 'Procfile'), `${dying.join('')}lives: exec sleep 1000\n`);

const child = spawn(process.execPath, [bin, 'start'], { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] });
let lines = 0;
child.stdout.on('data', (chunk) => {
  lines += chunk.toString().split('\n').length - 1;
});
await wait(seconds * 1_000);
// proc(5): utime, stime, cutime and cstime are fields 14 to 17, in hundredths of a second.
const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
const used = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
child.kill('SIGINT');
await new Promise((done) => child.once('exit', done));
rmSync(directory, { recursive: true });
console.log(
  `${used.toFixed(2)} s of CPU in ${seconds} s: ${((100 * used) / seconds).toFixed(1)} % of one; ${lines} lines on the screen`,
);
