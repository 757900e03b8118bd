/**
 * Takes the pictures of the launcher's pages in this folder, with real programs in every state. Needs Debian's chromium,
 * libplack-perl, gunicorn and redis-server.
 *   node docs/screenshots/take.mjs
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { chromium } from 'playwright-core';

const bin = resolve(import.meta.dirname, '../../bin/proclet.cjs');
const home = mkdtempSync(join(tmpdir(), 'proclet-pictures-'));
const env = { ...process.env, HOME: home, XDG_RUNTIME_DIR: join(home, 'run'), XDG_CONFIG_HOME: '', XDG_STATE_HOME: '' };
mkdirSync(env.XDG_RUNTIME_DIR, { mode: 0o700 });
const port = 2000;

const files = {
  'HogeProject/Procfile':
    'psgi: plackup script/app.psgi -L Shotgun -p $PORT\nslow: echo "building assets"; sleep 5; echo "still building"; exec sleep 600\n',
  'HogeProject/script/app.psgi': "sub { [200, ['Content-Type' => 'text/html'], ['<h1>Hoge</h1>']] };\n",
  'blog/Procfile': "web: gunicorn -b 127.0.0.1:$PORT app:app\nredis: redis-server --port $PORT --save ''\n",
  'blog/proclet.yml': 'services: {web: {after: [redis]}, redis: {ready: {tcp: true}}}\n',
  'blog/app.py':
    "def app(env, start):\n    start('200 OK', [('Content-Type', 'text/html')])\n    return [b'<h1>Blog</h1>']\n",
  'shop/Procfile': 'web: echo "loading config"; echo "Error: DATABASE_URL is not set" >&2; exit 3\n',
  'api/Procfile':
    "web: node server.js\nworker: while :; do printf '\\033[32mdone\\033[0m job %s in \\033[33m%s ms\\033[0m\\n' $$ 12; sleep 0.3; done\n",
  'api/server.js':
    "require('http').createServer((_, answer) => answer.end('api')).listen(process.env.PORT, () => console.log('listening'));\n",
};
for (const [path, text] of Object.entries(files)) {
  mkdirSync(dirname(join(home, 'project', path)), { recursive: true });
  writeFileSync(join(home, 'project', path), text);
}
const proclet = (...args) => spawnSync(process.execPath, [bin, ...args], { env, cwd: home, encoding: 'utf8' });
for (const name of ['HogeProject', 'blog', 'shop']) proclet('project', 'add', join('project', name));
const launcher = spawn(process.execPath, [bin, 'launcher', '--port', String(port)], { env });
await new Promise((go) => launcher.stdout.once('data', go));
// One that a terminal started, and that nobody registered.
const terminal = spawn(process.execPath, [bin, 'start', '-d', join(home, 'project/api'), '-p', '5300', '--ttl', '2h'], {
  env,
});

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
  ],
});
const url = `http://localhost:${port}/`;
const sizes = { desk: { width: 1280, height: 860 }, narrow: { width: 390, height: 844 } };
try {
  await fetch(`${url}launch?project=HogeProject&service=psgi`).then((answer) => answer.text());
  await fetch(`${url}launch?project=blog&service=web`).then((answer) => answer.text());
  await fetch(`${url}launch?project=shop&service=web`).then((answer) => answer.text());
  for (const [kind, colorScheme, viewport] of [
    ['light', 'light', sizes.desk],
    ['dark', 'dark', sizes.desk],
    ['narrow', 'light', sizes.narrow],
  ]) {
    const page = await (await browser.newContext({ colorScheme, viewport })).newPage();
    const shot = (name) => page.screenshot({ path: join(import.meta.dirname, `${name}-${kind}.png`) });
    await page.goto(url);
    await page.locator('#p-blog--redis .phase-up').waitFor();
    await page.locator('dd', { hasText: /MB$/ }).first().waitFor();
    await shot('page');
    await page.getByRole('link', { name: 'Log of api worker' }).click();
    await page.locator('#log-lines p').nth(6).waitFor();
    await shot('log');
    await page.goto(`${url}launch?project=HogeProject&service=slow`);
    await page.getByRole('link', { name: /^Start / }).click();
    await page.locator('#lines p').first().waitFor();
    await shot('booting');
    proclet('stop', 'slow', '-d', join(home, 'project/HogeProject'));
    await page.getByRole('alert').waitFor();
    await page.goto(`${url}launch?project=shop&service=web`);
    await page.getByRole('link', { name: /^Start / }).click();
    await page.getByText('DATABASE_URL').waitFor();
    await shot('failed');
    await page.context().close();
  }
} finally {
  await browser.close();
  for (const child of [launcher, terminal]) {
    child.kill('SIGTERM');
    await new Promise((go) => child.once('exit', go));
  }
  rmSync(home, { recursive: true, force: true });
}
