/**
 * The launcher's page in Chromium: its first paint with many projects, and its memory while a service prints.
 * Needs Debian's chromium.
 *   node bench/page.mjs [--projects 100] [--rounds 9] [--lines 100000]
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values } = parseArgs({
  options: {
    projects: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '9' },
    lines: { type: 'string', default: '100000' },
  },
});
const [projects, rounds, lines] = [values.projects, values.rounds, values.lines].map(Number);
const bin = resolve(import.meta.dirname, '../bin/proclet.cjs');
const home = mkdtempSync(join(tmpdir(), 'proclet-bench-'));
const env = { ...process.env, HOME: home, XDG_RUNTIME_DIR: join(home, 'run'), XDG_CONFIG_HOME: '', XDG_STATE_HOME: '' };
mkdirSync(env.XDG_RUNTIME_DIR, { mode: 0o700 });
const port = 21_950;
const url = `http://localhost:${port}/`;
const median = (times) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)];

const registered = Array.from({ length: projects }, (_, n) => {
  const root = join(home, `project-${String(n).padStart(3, '0')}`);
  mkdirSync(root);
  writeFileSync(join(root, 'Procfile'), 'web: node server.js --port $PORT\nworker: node worker.js\n');
  return { name: `project-${n}`, root };
});
const printer = join(home, 'printer');
mkdirSync(printer);
writeFileSync(
  join(printer, 'Procfile'),
  "web: while :; do read -r n <../pipe; seq -f '\u001b[32mcoloured\u001b[0m output that is about as long as lines are, number %.0f' 1 $n; done\n",
);
spawnSync('mkfifo', [join(home, 'pipe')]);
mkdirSync(join(home, '.config/proclet'), { recursive: true });
writeFileSync(
  join(home, '.config/proclet/projects.json'),
  JSON.stringify({ version: 1, projects: [...registered, { name: 'printer', root: printer }] }),
);

const launcher = spawn(process.execPath, [bin, 'launcher', '--port', String(port), '--idle', '0'], { env });
await new Promise((go) => launcher.stdout.once('data', go));
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
try {
  const paints = [];
  const whole = [];
  for (let round = 0; round <= rounds; round += 1) {
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
    await page.goto(url);
    await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
    const [paint, loaded] = await page.evaluate(() => [
      performance.getEntriesByName('first-contentful-paint')[0].startTime,
      performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd,
    ]);
    if (round > 0) paints.push(paint);
    if (round > 0) whole.push(loaded);
    await page.context().close();
  }
  console.log(
    `first paint with ${projects} projects: ${median(paints).toFixed(0)} ms, all of it there after ${median(whole).toFixed(0)} ms (medians of ${rounds})`,
  );

  const page = await browser.newPage();
  await page.goto(url);
  const session = await page.context().newCDPSession(page);
  await page.locator('#p-printer--web').getByRole('button', { name: 'Start' }).click();
  await page.locator('#p-printer--web .phase-up').waitFor();
  await page.locator('#p-printer--web').getByRole('link', { name: 'Log' }).click();
  const memory = async () => {
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    const { nodes } = await session.send('Memory.getDOMCounters');
    const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${launcher.pid}/status`, 'utf8'))[1]) / 1024;
    return `page ${(usedSize / 1024 / 1024).toFixed(1)} MB of heap and ${nodes} nodes, launcher ${rss.toFixed(0)} MB`;
  };
  const steps = 5;
  for (let step = 1; step <= steps; step += 1) {
    const count = Math.round(lines / steps);
    writeFileSync(join(home, 'pipe'), `${count}\n`);
    // The number alone: from the second step on the same one was there before, so the log is emptied of it first.
    await page
      .locator('#log-lines p')
      .last()
      .filter({ hasText: `number ${count}` })
      .waitFor({ timeout: 60_000 });
    await wait(500);
    console.log(`after ${String(step * count).padStart(6)} lines: ${await memory()}`);
    await page.evaluate(() => document.getElementById('log-lines').lastChild.remove());
  }
} finally {
  await browser.close();
  launcher.kill('SIGTERM');
  await new Promise((go) => launcher.once('exit', go));
  rmSync(home, { recursive: true, force: true });
}
