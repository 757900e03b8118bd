/** Pages of somebody else, open in the browser of a person whose launcher runs. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openPage } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { launcherOf } from '../support/launching.js';
import { has } from '../support/terminal.js';
import { workspace } from '../support/workspace.js';

const attacker = (html: string) =>
  serverOf((_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end(html));
const redirector = (status: number, location: string) =>
  serverOf((_request, response) => void response.writeHead(status, { location }).end());

async function serverOf(answer: http.RequestListener): Promise<string> {
  const server = http.createServer(answer);
  await new Promise<void>((go) => void server.listen(0, '127.0.0.1', go));
  onTestFinished(() => new Promise<void>((go) => void server.close(() => go()).closeAllConnections()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const web = 'node ../serves.mjs';

describe.skipIf(!has('chromium'))('a page of somebody else', () => {
  test('starts nothing and reads nothing by its images, frames, scripts, forms and requests', async () => {
    const ws = workspace({});
    const { port, get } = await launcherOf(ws, { hoge: { Procfile: `web: ${web}\n` } });
    const at = `http://localhost:${port}`;
    const launch = `${at}/launch?project=hoge&service=web`;
    const url = await attacker(`<!doctype html><body>
<img src="${launch}"><img src="http://hoge.localhost:${port}/"><iframe src="${launch}"></iframe><iframe src="${at}/"></iframe>
<script src="${at}/.proclet/board.js"></script><link rel="prefetch" href="${launch}">
<form id="f" method="post" action="${at}/act" target="t"><input name="project" value="hoge"><input name="service" value="web"><input name="act" value="start"></form><iframe name="t"></iframe>
<script>
window.heard = [];
const tell = (what) => (answer) => heard.push(what + ' ' + answer);
const form = new URLSearchParams({ project: 'hoge', service: 'web', act: 'start', token: '' });
document.getElementById('f').submit();
Promise.allSettled([
  fetch('${launch}', { mode: 'no-cors', credentials: 'include' }).then((r) => r.text()).then(tell('launch')),
  fetch('${at}/', { }).then((r) => r.text()).then(tell('page')),
  fetch('${at}/act', { method: 'POST', mode: 'no-cors', body: form }).then((r) => r.text()).then(tell('act')),
  fetch('${at}/act', { method: 'POST', body: form, headers: { accept: 'application/json' } }).then((r) => r.text()).then(tell('act with headers')),
  new Promise((go) => { const s = new EventSource('${at}/.proclet/stream'); s.onmessage = s.onopen = () => go('stream'); s.onerror = () => go(''); }).then(tell('stream')),
  new Promise((go) => { const s = new WebSocket('ws://hoge.localhost:${port}/'); s.onopen = () => go('socket'); s.onerror = () => go(''); }).then(tell('socket')),
]).then(() => { window.isOver = true; });
</script>`);
    const page = await openPage();
    await page.goto(url);
    await expect.poll(() => page.evaluate('window.isOver'), { timeout: 10_000 }).toBe(true);
    const heard = (await page.evaluate('window.heard')) as string[];
    expect(heard.map((each) => each.trim()).sort()).toEqual(['socket', 'stream']);
    expect(
      await page
        .frames()
        .map((frame) => frame.url())
        .filter((each) => each.startsWith(`${at}/`)),
    ).toEqual([]);
    expect((await get('/')).text).toContain('data-phase="down"');
    expect(ws.survivors().filter(({ command }) => command.includes('serves.mjs'))).toEqual([]);
  });

  test('that leads a person here, by whatever way, asks before it starts anything', async () => {
    const ws = workspace({});
    const { port, get } = await launcherOf(ws, { hoge: { Procfile: `web: ${web}\n` } });
    const launch = `http://localhost:${port}/launch?project=hoge`;
    const name = `http://hoge.localhost:${port}/`;
    // Somebody was here before, and says that it was meant.
    const page = await openPage();
    await page.goto(`http://localhost:${port}/`);
    const ways: Record<string, (target: string) => Promise<void>> = {
      async link(target) {
        await page.goto(await attacker(`<a href="${target}">a prize</a>`));
        await page.getByText('a prize').click();
      },
      async 'window.open'(target) {
        await page.goto(await attacker(`<button onclick="window.open('${target}', '_self')">a prize</button>`));
        await page.getByText('a prize').click();
      },
      async form(target) {
        await page.goto(
          await attacker(`<form action="${target}"><input name="project" value="hoge"><button>a prize</button></form>`),
        );
        await page.getByText('a prize').click();
      },
      async 'meta refresh'(target) {
        await page.goto(await attacker(`<meta http-equiv="refresh" content="0;url=${target}">`));
      },
      async typed(target) {
        await page.goto(target);
      },
    };
    for (const status of [301, 302, 303, 307, 308]) {
      ways[`typed, ${status}`] = async (target) => void (await page.goto(await redirector(status, target)));
    }
    for (const target of [launch, name]) {
      for (const [way, go] of Object.entries(ways)) {
        await go(target);
        await page.getByRole('heading', { name: 'Start hoge/web?' }).waitFor();
        expect(
          ws.survivors().filter(({ command }) => command.includes('serves.mjs')),
          `${way} to ${target}`,
        ).toEqual([]);
      }
    }
    // One click is enough.
    await page.getByRole('link', { name: 'Start hoge/web' }).click();
    await page.waitForURL(name);
    await expect.poll(async () => Number(await page.textContent('body'))).toBeGreaterThan(1);
    expect((await get('/')).text).toMatch(/data-phase="(?:starting|up)"/);
  });

  test('knows no bookmark, which starts at once, with another launcher too', async () => {
    const ws = workspace({});
    const { port, app, roots } = await launcherOf(ws, { hoge: { Procfile: `web: ${web}\n` } });
    const page = await openPage();
    await page.goto(`http://localhost:${port}/`);
    const bookmark = await page.getByRole('link', { name: 'Open hoge web' }).getAttribute('href');
    app.signal('SIGTERM');
    await app.exited;
    await launcherOf(ws, { hoge: roots['hoge'] ?? '' });
    await page.goto(await redirector(302, `http://localhost:${port}${bookmark?.replace(/key=./, 'key=')}`));
    await page.getByRole('heading', { name: 'Start hoge/web?' }).waitFor();
    await page.goto(`http://localhost:${port}${bookmark}`);
    await expect
      .poll(async () => `${page.url()} ${await page.textContent('body')}`, { timeout: 20_000 })
      .toMatch(new RegExp(`^http://hoge.localhost:${port}/ \\d+\\s*$`));
  });

  test('is not this launcher when its name leads to this machine', async () => {
    const ws = workspace({});
    const { port } = await launcherOf(ws, { hoge: { Procfile: `web: ${web}\n` } });
    const page = await openPage();
    for (const path of ['/', '/launch?project=hoge', '/.proclet/board.js']) {
      const answer = await page.goto(`http://evil.example:${port}${path}`);
      expect(answer?.status()).toBe(421);
      expect(await page.textContent('body')).not.toContain('hoge');
    }
    await eventually(() => expect(ws.survivors().filter(({ command }) => command.includes('serves.mjs'))).toEqual([]));
  });
});
