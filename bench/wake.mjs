/**
 * What waking a sleeping service costs beside the service's own start: time from connect to the first byte of an
 * on-access service, minus the time from spawning the same program to its first byte when it is asked every
 * millisecond.
 *   node bench/wake.mjs [rounds]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const rounds = Number(process.argv[2] ?? 15);
const bin = resolve(import.meta.dirname, '../bin/proclet.cjs');
const directory = mkdtempSync(join(tmpdir(), 'proclet-bench-'));
const port = 21_700;
const own = 21_900;
writeFileSync(
  join(directory, 'serve.mjs'),
  "import http from 'node:http'; http.createServer((_, answer) => answer.end('x')).listen(Number(process.env.PORT), '127.0.0.1');",
);
writeFileSync(join(directory, 'Procfile'), 'web: node serve.mjs\n');
writeFileSync(join(directory, 'proclet.yml'), 'services: {web: {start: on-access, idle: 300ms}}\n');

const firstByte = (at) =>
  new Promise((done, fail) => {
    const request = get({ host: '127.0.0.1', port: at, agent: false }, (answer) => {
      answer.once('data', () => done(performance.now()));
    });
    request.once('error', fail);
  });

async function bare() {
  const begin = performance.now();
  const child = spawn('/bin/sh', ['-c', 'exec node serve.mjs'], { cwd: directory, env: { ...process.env, PORT: own } });
  for (;;) {
    const answered = await firstByte(own).catch(() => undefined);
    if (answered !== undefined) {
      child.kill('SIGKILL');
      await new Promise((gone) => child.once('exit', gone));
      return answered - begin;
    }
    await wait(1);
  }
}

const runner = spawn(process.execPath, [bin, 'start', '-p', String(port)], { cwd: directory });
let text = '';
runner.stdout.on('data', (chunk) => {
  text += chunk;
});
const asleep = async (times) => {
  while ((text.match(/expired/g)?.length ?? 0) < times) await wait(5);
  await wait(50);
};

async function woken(round) {
  const begin = performance.now();
  const took = (await firstByte(port)) - begin;
  await asleep(round + 1);
  return took;
}

for (let up = false; !up; )
  up = await firstByte(port).then(
    () => true,
    () => wait(20),
  );
await asleep(1);
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const times = { bare: [], woken: [] };
for (let round = 1; round <= rounds; round += 1) {
  times.bare.push(await bare());
  times.woken.push(await woken(round));
}
runner.kill('SIGINT');
await new Promise((done) => runner.once('exit', done));
rmSync(directory, { recursive: true });
const [own_, all] = [median(times.bare), median(times.woken)];
console.log(
  `the program alone ${own_.toFixed(0)} ms, woken ${all.toFixed(0)} ms: waking costs ${(all - own_).toFixed(0)} ms (medians of ${rounds})`,
);
