/** A real browser: headless Chromium, which finds nobody but this machine. One for a file of tests, a context for each. */
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, expect } from 'vitest';

let browser: Promise<Browser> | undefined;
const pages: { page: Page; problems: string[] }[] = [];

/** A page in a context of its own. What a script of it throws, and what its policy forbids, fails the test. */
export async function openPage(options: BrowserContextOptions = {}): Promise<Page> {
  browser ??= chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync'],
      // A name of somebody else's that leads to this machine.
      '--host-resolver-rules=MAP evil.example 127.0.0.1',
    ],
  });
  const context = await (await browser).newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', ({ message }) => problems.push(message));
  page.on('console', (message) => {
    const isOurs = /^Refused to|Content Security Policy/.test(message.text()) && !message.text().startsWith('Framing');
    if (isOurs) problems.push(message.text());
  });
  pages.push({ page, problems });
  return page;
}

/** Goes to an address that starts something, and means it: browsers do not say that nobody else led there. */
export async function startAt(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByRole('link', { name: /^Start / }).click();
}

/** What axe finds that keeps people out, as sentences. */
export async function barriersOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = (await page.evaluate('axe.run(document)')) as {
    violations: { id: string; impact: string; nodes: { target: string[] }[] }[];
  };
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}

afterEach(async () => {
  const all = pages.splice(0);
  await Promise.all(all.map(({ page }) => page.context().close()));
  expect(all.flatMap(({ problems }) => problems)).toEqual([]);
});

afterAll(async () => {
  await (await browser)?.close();
  browser = undefined;
});
