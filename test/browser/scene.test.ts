/** The scene that this is for: one page, a click, the project runs on a free port, and lets itself vanish. */
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { openPage } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { launcherOf } from '../support/launching.js';
import { has } from '../support/terminal.js';
import { workspace } from '../support/workspace.js';

const isListening = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** What a page of the launcher shows of a service. */
const service = (page: Page, id: string) => page.locator(`#${id}`);
/** Every number of seconds left that a page shows of a service from here on, in order. */
const countdownOf = async (page: Page, id: string) => {
  await page.evaluate(`
    globalThis.shown = [];
    const look = () => {
      const left = Number.parseInt(document.querySelector('#${id} time.left')?.textContent, 10);
      if (left !== shown.at(-1) && !Number.isNaN(left)) shown.push(left);
    };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
    look();`);
  return () => page.evaluate('shown') as Promise<number[]>;
};

describe.skipIf(!has('chromium') || !has('plackup'))('plackup -L Shotgun', () => {
  test('starts at a click, lives while it is used, is gone when it is not, and comes back', async () => {
    const ws = workspace({});
    const { port: launcher } = await launcherOf(ws, {
      HogeProject: {
        Procfile: 'psgi: echo booting; sleep 1.5; exec plackup script/app.psgi -L Shotgun -p $PORT\n',
        'proclet.yml': 'services: {psgi: {idle: 8s}}\n',
        'script/app.psgi': `my $n = $$; sub { [200, ['Content-Type' => 'text/html'], ["<h1>Hoge $n at $_[0]{HTTP_HOST}</h1>"]] };\n`,
      },
    });
    const home = `http://localhost:${launcher}/`;
    const id = 'p-hogeproject--psgi';
    const [board, visitor] = [await openPage(), await openPage()];
    await board.goto(home);
    expect(await service(board, id).locator('.phase').textContent()).toBe('down');

    await visitor.goto(home);
    await visitor.getByRole('link', { name: 'Open HogeProject psgi' }).click();
    await visitor.getByText('Starting HogeProject/psgi').waitFor();
    await visitor.locator('#lines').getByText('booting').waitFor();
    await visitor.getByRole('heading', { name: /^Hoge \d+ at hogeproject\.localhost:\d+$/ }).waitFor();
    expect(visitor.url()).toBe(`http://hogeproject.localhost:${launcher}/`);
    await service(board, id).locator('.phase-up').waitFor();
    const port = Number(await service(board, id).locator('dd').first().textContent());
    expect(port).not.toBe(launcher);

    // Every access is fresh code in a process of its own, and renews the time that is left.
    const first = await visitor.textContent('h1');
    await service(board, id).locator('.phase-up').waitFor();
    const countdown = await countdownOf(board, id);
    await eventually(async () => expect((await countdown()).length).toBeGreaterThanOrEqual(3));
    await visitor.reload();
    expect(await visitor.textContent('h1')).not.toBe(first);
    await eventually(async () => {
      const all = await countdown();
      expect(all.some((left, index) => left > (all[index - 1] ?? left))).toBe(true);
    });
    expect(await service(board, id).getByText(String(port)).count()).toBe(1);
    const tree = ws.survivors().filter(({ command }) => command.includes('plackup'));
    expect(tree.length).toBeGreaterThan(0);

    // Nobody asks any more.
    await board.getByText(/psgi\.1 expired: idle for 8s/).waitFor({ timeout: 40_000 });
    expect(await service(board, id).locator('.phase').textContent()).toBe('down');
    expect(tree.map(({ pid }) => pid).filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(ws.survivors().filter(({ command }) => /plackup|psgi/.test(command))).toEqual([]);
    await eventually(async () => expect(await isListening(port)).toBe(false));

    await service(board, id).getByRole('link', { name: 'Open' }).click();
    await board.getByRole('heading', { name: /^Hoge \d+ at hogeproject\.localhost:\d+$/ }).waitFor();
  });
});
