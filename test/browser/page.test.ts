/** The launcher's pages as people use them: with and without scripts, by keyboard, in the dark, on a phone. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { barriersOf, openPage, startAt } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { launcherOf } from '../support/launching.js';
import { has } from '../support/terminal.js';
import { workspace } from '../support/workspace.js';

const web = 'node ../serves.mjs';
const slow = 'echo booting; sleep 0.6; exec node ../serves.mjs';
const fails = 'echo "no <i>config</i>"; sleep 0.4; exit 3';

/** What a page has of the browser, which the types of Node do not know. */
interface Styles {
  getComputedStyle(element: unknown): { readonly color: string };
}

const phase = (page: Page, id: string) => page.locator(`#${id} .phase`);
const isWide = (page: Page) => page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth');

describe.skipIf(!has('chromium'))('the page', () => {
  test('starts, extends, keeps, restarts and stops by its buttons, and shows it without being loaded again', async () => {
    const ws = workspace({});
    const { port } = await launcherOf(ws, { hoge: { Procfile: `web: ${web}\n` } });
    const page = await openPage();
    await page.goto(`http://localhost:${port}/`);
    await page.evaluate('window.mark = 1');
    const row = page.locator('#p-hoge--web');
    const press = (name: string) => row.getByRole('button', { name }).click();
    await press('Start');
    await page.locator('#p-hoge--web .phase-up').waitFor();
    await row.locator('time.left', { hasText: /^(10m|9m\d+s)$/ }).waitFor();
    const memory = row.locator('dd').nth(3);
    await eventually(async () => expect(await memory.textContent()).toMatch(/MB$/));
    await press('+30m');
    await row.locator('time.left', { hasText: /^(40m|39m\d+s)$/ }).waitFor();
    await press('Keep');
    await row.locator('dd', { hasText: /^kept$/ }).waitFor();
    await press('Restart');
    await row.locator('dd', { hasText: /^1$/ }).waitFor();
    await press('Stop');
    await page.locator('#p-hoge--web .phase-down').waitFor();
    expect(await page.evaluate('window.mark')).toBe(1);
  });

  test('shows what terminals start, and forgets it when it is over', async () => {
    const ws = workspace({ 'other/Procfile': `api: ${web}\n` });
    const { port } = await launcherOf(ws, {});
    const page = await openPage();
    await page.goto(`http://localhost:${port}/`);
    await page.getByText('no project is registered').waitFor();
    const app = ws.proclet('start', '-d', 'other', '-p', String(ws.port + 10), '--ttl', '1h');
    await page.getByRole('heading', { name: 'other' }).waitFor();
    await page.getByText(`proclet start, pid ${app.pid}`).waitFor();
    await page.locator('.service .phase-up').waitFor();
    expect(await page.locator('time.left').textContent()).toMatch(/^(1h|59m\d*s?)$/);
    app.signal('SIGTERM');
    await page.getByRole('heading', { name: 'other' }).waitFor({ state: 'detached' });
  });

  test('the log has colours, a search and a pause, and what a service prints is text', async () => {
    const ws = workspace({ go: '' });
    const { port } = await launcherOf(ws, {
      hoge: {
        Procfile:
          'web: printf "\\033[31mred\\033[0m <img src=x onerror=alert(1)>\\n\\033]0;title\\007\\033[2Jneedle\\n"; while :; do read -r line <../pipe; echo "$line"; done\n',
      },
    });
    ws.start('mkfifo', ['pipe']);
    const page = await openPage();
    await page.goto(`http://localhost:${port}/`);
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('link', { name: 'Log of hoge web' }).click();
    const lines = page.locator('#log-lines p');
    await lines.filter({ hasText: 'red <img src=x onerror=alert(1)>' }).waitFor();
    expect(await page.locator('#log-lines img').count()).toBe(0);
    expect(await lines.nth(1).textContent()).toBe('web.1needle');
    const colour = await page
      .locator('#log-lines span', { hasText: /^red$/ })
      .evaluate((element) => (globalThis as unknown as Styles).getComputedStyle(element).color);
    expect(colour).toBe('rgb(229, 83, 75)');
    await page.getByLabel('Search the log').fill('NEED');
    await expect.poll(() => page.locator('#log-lines p:visible').count()).toBe(1);
    expect(await page.locator('#log-found').textContent()).toBe('1 line');
    await page.getByLabel('Search the log').fill('');

    await page.getByRole('button', { name: 'Pause' }).click();
    const say = (text: string) => ws.start('sh', ['-c', `echo ${text} >pipe`]).exited;
    await say('meanwhile');
    await expect
      .poll(async () => (await fetch(`http://localhost:${port}/log?project=hoge&service=web`)).text())
      .toContain('meanwhile');
    expect(await lines.filter({ hasText: 'meanwhile' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Pause' }).click();
    await lines.filter({ hasText: 'meanwhile' }).waitFor();
  });

  test('the log ends with the last line, and stays short, however much is printed at once', async () => {
    const ws = workspace({});
    const { port } = await launcherOf(ws, {
      hoge: {
        Procfile:
          'web: echo first; sleep 2; seq -f "line %.0f of a flood of output that nobody can read" 1 200000; sleep 1000\n',
      },
    });
    const page = await openPage();
    await page.goto(`http://localhost:${port}/`);
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('link', { name: 'Log of hoge web' }).click();
    await page.locator('#log-lines p', { hasText: 'first' }).waitFor();
    await expect
      .poll(() => page.locator('#log-lines p').last().textContent(), { timeout: 20_000 })
      .toContain('line 200000 of');
    expect(await page.locator('#log-lines p').count()).toBeLessThanOrEqual(2000);
  });

  test('is used by keyboard alone', async () => {
    const ws = workspace({});
    const { port } = await launcherOf(ws, {
      fuga: { Procfile: `web: ${web}\n` },
      hoge: { Procfile: `web: ${web}\napi: ${web}\n` },
    });
    const page = await openPage();
    await page.goto(`http://localhost:${port}/`);
    await page.keyboard.press('/');
    await page.keyboard.type('hoge');
    expect(await page.locator('.group:visible h2').allTextContents()).toEqual(['hoge']);
    await page.keyboard.press('Enter');
    await page.keyboard.press('j');
    await page.keyboard.press('s');
    await page.locator('#p-hoge--api .phase-up').waitFor();
    await page.keyboard.press('l');
    await page.getByRole('heading', { name: 'Log of hoge/api' }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#log').waitFor({ state: 'hidden' });
    await page.keyboard.press('s');
    await page.locator('#p-hoge--api .phase-down').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'Keyboard' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    await page.keyboard.press('Escape');
    expect(await page.locator('.group:visible').count()).toBe(2);
  });

  test('lists, starts and stops without scripts, and leads there', async () => {
    const ws = workspace({});
    const { port } = await launcherOf(ws, { hoge: { Procfile: `web: ${slow}\n` } });
    const page = await openPage({ javaScriptEnabled: false });
    await page.goto(`http://localhost:${port}/`);
    await page.getByRole('link', { name: 'Open hoge web' }).click();
    await page.getByText('Starting hoge/web').waitFor();
    await page.waitForURL(`http://hoge.localhost:${port}/`);
    expect(Number(await page.textContent('body'))).toBeGreaterThan(1);
    await page.goto(`http://localhost:${port}/`);
    await page.getByRole('button', { name: 'Stop' }).click();
    await expect
      .poll(async () => {
        await page.goto(`http://localhost:${port}/`);
        return phase(page, 'p-hoge--web').textContent();
      })
      .toBe('down');
    await page.getByRole('link', { name: 'Log of hoge web' }).click();
    await page.getByText('booting').first().waitFor();
  });

  test('what does not start says why, and starts at a retry once it is mended', async () => {
    const ws = workspace({});
    const { port, roots } = await launcherOf(ws, { hoge: { Procfile: `web: ${fails}\n` } });
    const page = await openPage();
    await startAt(page, `http://localhost:${port}/launch?project=hoge`);
    await page.getByText('Starting hoge/web').waitFor();
    await page.getByRole('heading', { name: 'hoge/web did not start' }).waitFor();
    expect(await page.getByRole('alert').textContent()).toMatch(/^web\.1 exited with code 3 after/);
    await page.getByText('no <i>config</i>').waitFor();
    expect(await barriersOf(page)).toEqual([]);
    ws.write(`${roots['hoge']?.split('/').at(-1)}/Procfile`, `web: ${web}\n`);
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.waitForURL(`http://hoge.localhost:${port}/`);
  });

  test('a project has a name of its own, at which a browser is kept', async () => {
    const ws = workspace({});
    const { port } = await launcherOf(ws, { Hoge_Project: { Procfile: `web: ${slow}\napi: ${web}\n` } });
    const page = await openPage();
    await startAt(page, `http://hoge-project.localhost:${port}/deep?a=1`);
    await page.getByText('Starting Hoge_Project/web').waitFor();
    await page.waitForURL(`http://hoge-project.localhost:${port}/deep?a=1`);
    await expect.poll(async () => Number(await page.textContent('body'))).toBeGreaterThan(1);
    await startAt(page, `http://api.hoge-project.localhost:${port}/`);
    await expect.poll(async () => Number(await page.textContent('body'))).toBeGreaterThan(1);
  });

  test.each(['light', 'dark'] as const)('keeps nobody out, in %s, on a desk and on a phone', async (colorScheme) => {
    const ws = workspace({});
    const { port } = await launcherOf(ws, {
      hoge: { Procfile: `web: ${web}\nfails: ${fails}\n` },
      'a-project-with-a-long-name': { Procfile: 'slow: echo booting; sleep 1000\n' },
    });
    for (const viewport of [
      { width: 1280, height: 800 },
      { width: 360, height: 740 },
    ]) {
      const page = await openPage({ colorScheme, viewport });
      await page.goto(`http://localhost:${port}/`);
      await page
        .locator('#p-hoge--web')
        .getByRole('button', { name: /Start|Restart/ })
        .first()
        .click();
      await page.locator('#p-hoge--fails').getByRole('button', { name: 'Start' }).click();
      await page.locator('#p-hoge--web .phase-up').waitFor();
      await page.locator('#p-hoge--fails .note.failure').waitFor();
      expect(await barriersOf(page)).toEqual([]);
      expect(await isWide(page)).toBe(false);
      await page.getByRole('link', { name: 'Log of hoge web' }).click();
      await page.locator('#log-lines p').first().waitFor();
      expect(await barriersOf(page)).toEqual([]);
      expect(await isWide(page)).toBe(false);
      const slow = `http://localhost:${port}/launch?project=a-project-with-a-long-name`;
      await (viewport.width > 1000 ? startAt(page, slow) : page.goto(slow));
      await page.locator('#lines').getByText('booting').waitFor();
      expect(await barriersOf(page)).toEqual([]);
      expect(await isWide(page)).toBe(false);
    }
  });
});
