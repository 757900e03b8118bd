/**
 * What the launcher adds to a program's own start: time from GET /launch to the first byte of the page that it redirects
 * to, minus the time from spawning the same program to its first byte when it is asked every millisecond.
 *   node bench/launcher.mjs [--rounds 15]
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } });
const rounds = Number(values.rounds);
const bin = resolve(import.meta.dirname, '../bin/proclet.cjs');
const home = mkdtempSync(join(tmpdir(), 'proclet-bench-'));
const env = { ...process.env, HOME: home, XDG_RUNTIME_DIR: join(home, 'run'), XDG_CONFIG_HOME: '', XDG_STATE_HOME: '' };
mkdirSync(env.XDG_RUNTIME_DIR, { mode: 0o700 });
const [launcherPort, own] = [21_950, 21_960];

const programs = {
  node: {
    command: 'node serve.mjs',
    file: 'serve.mjs',
    text: "import http from 'node:http'; http.createServer((_, answer) => answer.end('x')).listen(Number(process.env.PORT), '127.0.0.1');",
  },
  'plackup -L Shotgun': {
    command: 'plackup app.psgi -L Shotgun -p $PORT',
    file: 'app.psgi',
    text: "sub { [200, ['Content-Type' => 'text/plain'], ['x']] };\n",
  },
};
const has = (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
const median = (times) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)];

/** Of the page itself, after all redirects. */
function firstByte(url) {
  return new Promise((done, fail) => {
    const request = get(url, { agent: false }, (answer) => {
      if (answer.statusCode === 302) {
        answer.resume();
        firstByte(answer.headers.location).then(done, fail);
      } else if (answer.statusCode !== 200) fail(new Error(`${url} answered ${answer.statusCode}`));
      else answer.once('data', () => done(performance.now()));
    });
    request.once('error', fail);
  });
}

async function bare(directory, command) {
  const begin = performance.now();
  const child = spawn('/bin/sh', ['-c', `exec ${command}`], {
    cwd: directory,
    env: { ...env, PORT: own },
    stdio: 'ignore',
  });
  for (;;) {
    const answered = await firstByte(`http://127.0.0.1:${own}/`).catch(() => undefined);
    if (answered !== undefined) {
      const gone = new Promise((go) => child.once('exit', go));
      child.kill('SIGKILL');
      await gone;
      return answered - begin;
    }
    await wait(1);
  }
}

const proclet = (...args) => spawnSync(process.execPath, [bin, ...args], { env, encoding: 'utf8' });

async function clicked(name, directory, path) {
  const begin = performance.now();
  const took = (await firstByte(`http://localhost:${launcherPort}${path(name)}`)) - begin;
  proclet('stop', '-d', directory);
  await wait(1200); // the process for the next start is made after this one
  return took;
}

const names = Object.keys(programs).filter((name) => has(name.split(' ')[0]));
const directories = Object.fromEntries(names.map((name, n) => [name, join(home, `project${n}`)]));
for (const name of names) {
  const { command, file, text } = programs[name];
  mkdirSync(directories[name]);
  writeFileSync(join(directories[name], 'Procfile'), `web: ${command}\n`);
  writeFileSync(join(directories[name], file), text);
  proclet('project', 'add', directories[name]);
}
const launcher = spawn(process.execPath, [bin, 'launcher', '--port', String(launcherPort)], { env });
await new Promise((go) => launcher.stdout.once('data', go));
await wait(1000);
try {
  for (const [n, name] of names.entries()) {
    const times = { bare: [], clicked: [] };
    for (let round = 0; round < rounds; round += 1) {
      times.bare.push(await bare(directories[name], programs[name].command));
      times.clicked.push(await clicked(name, directories[name], () => `/launch?project=project${n}&service=web`));
    }
    const [alone, all] = [median(times.bare), median(times.clicked)];
    console.log(
      `${name.padEnd(20)} alone ${alone.toFixed(0).padStart(4)} ms, from the click ${all.toFixed(0).padStart(4)} ms: ${(all - alone).toFixed(0)} ms are the launcher's (medians of ${rounds})`,
    );
  }
} finally {
  launcher.kill('SIGTERM');
  await new Promise((go) => launcher.once('exit', go));
  rmSync(home, { recursive: true, force: true });
}
