/** The promise: output arrives as it was written, behind the name of who wrote it. */
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { linesOf, procletWith, statusOf, variablesOf } from '../support/launch.js';
import { type App, workspace } from '../support/workspace.js';

const esc = String.fromCharCode(27);

describe('a line', () => {
  test('stands behind the time, its service’s name in a column, and a bar', async () => {
    const app = workspace({ Procfile: 'web: echo hello; echo "  two  spaces"\nlonger-name: echo hi' }).proclet('start');
    expect(await statusOf(app)).toBe(0);
    const lines = app.stdout.split('\n');
    expect(lines).toContainEqual(expect.stringMatching(/^\d\d:\d\d:\d\d web\.1 {9}\| hello$/));
    expect(lines).toContainEqual(expect.stringMatching(/^\d\d:\d\d:\d\d web\.1 {9}\| {3}two {2}spaces$/));
    expect(lines).toContainEqual(expect.stringMatching(/^\d\d:\d\d:\d\d longer-name\.1 \| hi$/));
    expect(lines).toContainEqual(expect.stringMatching(/^\d\d:\d\d:\d\d proclet {7}\| web\.1 started/));
    expect(app.stderr).toBe('');
  });

  test('has no time with --no-timestamp', async () => {
    const app = workspace({ Procfile: 'web: echo hello' }).proclet('start', '--no-timestamp');
    expect(await statusOf(app)).toBe(0);
    expect(app.stdout).toMatch(/^web\.1 {3}\| hello$/m);
    expect(app.stdout).toMatch(/^proclet \| web\.1 started/m);
  });

  test('of standard error stands among the others', async () => {
    const app = workspace({ Procfile: 'web: echo trouble >&2' }).proclet('start');
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'web.1')).toEqual(['trouble']);
    expect(app.stderr).toBe('');
  });

  test('without a newline at the very end is printed when the service has ended', async () => {
    const app = workspace({ Procfile: 'web: printf "one\\nlast words"' }).proclet('start');
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'web.1')).toEqual(['one', 'last words']);
  });

  test('is shown while it is a prompt, and the service waits', async () => {
    const app = workspace({ Procfile: 'web: printf "name? "; exec sleep 600' }).proclet('start');
    await app.line('web.1 | name?');
    expect(app.stdout.endsWith('| name? ')).toBe(true);
    expect(app.child.exitCode).toBe(null);
    app.signal('SIGINT');
    expect(await statusOf(app)).toBe(130);
    expect(linesOf(app, 'web.1')).toEqual(['name? ']);
  });

  test('that begins as a prompt and is finished later is whole on one row', async () => {
    const ws = workspace({ Procfile: 'web: mkfifo go; printf "working ..."; read line <go; echo " $line"' });
    const app = ws.proclet('start');
    await app.line('web.1 | working ...');
    ws.start('sh', ['-c', 'echo done >go']);
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'web.1')).toEqual(['working ... done']);
  });

  test('with characters torn over many writes arrives whole', async () => {
    const text = 'žluťoučký kůň 日本語 🙂 naïve';
    const app = workspace({ Procfile: `web: node tears-characters.mjs '${text}'` }).proclet('start');
    await eventually(() => expect(linesOf(app, 'web.1').at(-1)).toBe(text));
    expect(app.stdout).not.toContain('\uFFFD');
    app.signal('SIGINT');
    expect(await statusOf(app)).toBe(130);
    expect(linesOf(app, 'web.1').at(-1)).toBe(text);
  });

  test('of a megabyte is complete', async () => {
    const program = `process.stdout.write('x'.repeat(1_000_000) + '\\n')`;
    const app = workspace({ Procfile: 'web: node long.mjs', 'long.mjs': program }).proclet('start');
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'web.1').map((line) => line.length)).toEqual([1_000_000]);
  });
});

test('--quiet hides what a service prints, and not what becomes of it', async () => {
  const app = workspace({ Procfile: 'web: echo hello\nworker: echo noise' }).proclet('start', '-q', 'worker');
  expect(await statusOf(app)).toBe(0);
  expect(linesOf(app, 'web.1')).toEqual(['hello']);
  expect(linesOf(app, 'worker.1')).toEqual([]);
  expect(app.text).toMatch(/proclet \| worker\.1 exited with code 0/);
});

describe('colour', () => {
  const files = { Procfile: `web: printf '\\033[31mred\\n'; echo next; env` };
  const isColoured = ({ stdout }: App) => stdout.split('\n').some((line) => /^\S*\[[\d;]+m.*web\.1/.test(line));
  const start = async (env: Record<string, string>, ...args: string[]) => {
    const app = procletWith(workspace(files), env, 'start', '--no-timestamp', ...args);
    expect(await statusOf(app)).toBe(0);
    return app;
  };

  test('is not in a pipe, the service is not asked for any, and its own passes', async () => {
    const app = await start({});
    expect(isColoured(app)).toBe(false);
    expect(variablesOf(app, 'web.1')).not.toHaveProperty('FORCE_COLOR');
    expect(linesOf(app, 'web.1')[0]).toBe(`${esc}[31mred`);
  });

  test('is in a pipe with --color, and the service is asked for it', async () => {
    const app = await start({}, '--color');
    expect(isColoured(app)).toBe(true);
    expect(app.stdout).toContain('FORCE_COLOR=1');
  });

  test('is in a pipe with FORCE_COLOR, and the service is asked for it', async () => {
    const app = await start({ FORCE_COLOR: '1' });
    expect(isColoured(app)).toBe(true);
    expect(app.stdout).toContain('FORCE_COLOR=1');
  });

  test.each([
    { how: 'NO_COLOR', env: { NO_COLOR: '1' }, args: [] },
    { how: '--no-color, whatever FORCE_COLOR says,', env: { FORCE_COLOR: '1' }, args: ['--no-color'] },
  ])('with $how is nowhere, also not of the services', async ({ env, args }) => {
    const app = await start(env, ...args);
    expect(app.stdout).not.toContain(esc);
    expect(linesOf(app, 'web.1').slice(0, 2)).toEqual(['red', 'next']);
  });

  test('is asked of a service with one voice: --color leaves no NO_COLOR beside FORCE_COLOR', async () => {
    const app = await start({ NO_COLOR: '1' }, '--color');
    expect(app.stdout).toContain('FORCE_COLOR=1');
    expect(app.stdout).not.toContain('NO_COLOR=');
  });

  test('of a service does not bleed into what stands before the next line', async () => {
    const app = await start({}, '--color');
    const [red, next] = app.stdout.split('\n').filter((line) => line.includes('web.1') && /red|next/.test(line));
    expect(red).toContain(`${esc}[31mred${esc}[0m`);
    const name = red?.slice(0, red.indexOf('|'));
    expect(next?.startsWith(String(name))).toBe(true);
  });

  test('of a service is the same in every run and another for each', async () => {
    const colours = async (...tags: string[]) => {
      const ws = workspace({ Procfile: 'web: echo hi\nworker: echo hi\nclock: echo hi' });
      const app = ws.proclet('start', '--color', '--no-timestamp', ...tags);
      expect(await statusOf(app)).toBe(0);
      const of = (tag: string) =>
        /\[[\d;]+m/.exec(app.stdout.split('\n').find((l) => l.includes(`${tag}.1 `) && l.endsWith('hi')) ?? '')?.[0];
      return { web: of('web'), worker: of('worker'), clock: of('clock') };
    };
    const all = await colours();
    expect(new Set(Object.values(all)).size).toBe(3);
    expect(await colours('clock')).toEqual({ web: undefined, worker: undefined, clock: all.clock });
  });
});
