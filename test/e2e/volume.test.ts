/** The promise: no line is lost, torn or out of order, however much there is and however slowly it is read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isAtRest } from '../support/at-rest.js';
import { eventually } from '../support/eventually.js';
import { linesOf, shell, statusOf } from '../support/launch.js';
import { type App, type Workspace, workspace } from '../support/workspace.js';

/** Megabytes. Node itself has 60 to 130 of them, by its version and by when it collects; what is read is 300. */
const limit = 250;

describe('300,000 lines of two services are complete and in order', () => {
  const files = { Procfile: 'left: node prints-numbers.mjs 150000 left\nright: node prints-numbers.mjs 150000 right' };

  test.each([
    ['in a file', 'proclet start >all'],
    ['through a pipe', 'proclet start | cat >all'],
    ['through a pipe as JSON', 'proclet start --log-format json | cat >all'],
  ])('%s', async (_, script) => {
    const ws = workspace(files);
    expect(await statusOf(shell(ws, script))).toBe(0);
    const next = { left: 1, right: 1 };
    for (const line of readFileSync(join(ws.directory, 'all'), 'utf8').split('\n')) {
      const [, name, n] = /(?:\| |"text":")(left|right) (\d+) (?:"\})?$/.exec(line) ?? [];
      if (name === undefined && !/(left|right)\.1 *\||"type":"output"/.test(line)) continue;
      if ((name !== 'left' && name !== 'right') || Number(n) !== next[name]) throw new Error(`torn or lost: ${line}`);
      next[name] += 1;
    }
    expect(next).toEqual({ left: 150_001, right: 150_001 });
  });
});

describe('a reader that does not read', () => {
  const lines = 3_000_000;
  const bytes = 300_000_000;

  test('holds the service back, proclet stays small, and in the end everything has arrived', async () => {
    const ws = workspace({ Procfile: `big: node prints-numbers.mjs ${lines} big 100` });
    const app = shell(ws, 'proclet start --no-timestamp | node reads-when-told.mjs');
    const proclet = await heldBack(ws);
    expect(Number(ws.read('big.taken'))).toBeLessThan(bytes / 10);
    expect(peakMegabytes(proclet)).toBeLessThan(limit);
    ws.write('read', '');
    const most = await peakUntilTheEnd(app, proclet);
    expect(await statusOf(app)).toBe(0);
    const margin = 'proclet | '.length;
    const [, read, size] = /(\d+) lines, (\d+) bytes/.exec(app.stdout)?.map(Number) ?? [];
    expect(read).toBe(lines + 2); // that it started, and that it ended
    expect(size).toBeGreaterThan(bytes + lines * margin);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(limit);
  });

  test('does not keep a stop from ending the services', async () => {
    const ws = workspace({ Procfile: 'big: node prints-numbers.mjs 3000000 big 100' });
    const app = shell(ws, '{ proclet start; echo "status $?" >status; } | node reads-when-told.mjs');
    process.kill(await heldBack(ws), 'SIGINT');
    const isHere = () => ws.survivors().some(({ command }) => command.includes('prints-numbers.mjs'));
    await eventually(() => expect(isHere()).toBe(false));
    ws.write('read', '');
    expect(await statusOf(app)).toBe(0);
    expect(readFileSync(join(ws.directory, 'status'), 'utf8')).toBe('status 130\n');
  });
});

test('a line of 300 MB does not fill the memory, and arrives whole', async () => {
  const program = `
    import { existsSync } from 'node:fs';
    while (!existsSync('read')) await new Promise((go) => setTimeout(go, 20));
    const chunk = 'x'.repeat(1_000_000);
    for (let n = 0; n < 300; n += 1) {
      if (!process.stdout.write(chunk)) await new Promise((go) => process.stdout.once('drain', go));
    }
    console.log('end');`;
  const ws = workspace({ Procfile: 'web: node long.mjs', 'long.mjs': program });
  const app = shell(ws, 'proclet start --no-timestamp | node reads-when-told.mjs');
  await eventually(() => expect(ws.survivors().map(({ command }) => command)).toContain('node long.mjs'));
  const proclet = pidOf(ws, 'proclet.cjs start');
  ws.write('read', '');
  const most = await peakUntilTheEnd(app, proclet);
  expect(await statusOf(app)).toBe(0);
  const [, lines, bytes] = /(\d+) lines, (\d+) bytes/.exec(app.stdout)?.map(Number) ?? [];
  expect(lines).toBe(3);
  expect(bytes).toBeGreaterThan(300_000_000);
  expect(bytes).toBeLessThan(300_000_500);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(limit);
});

describe('a reader that goes away', () => {
  const Procfile = 'web: while echo tick; do sleep 0.05; done\ndeaf: node ignores-sigterm.mjs';

  test('ends everything: proclet start | head -n 1', async () => {
    const ws = workspace({ Procfile });
    const app = shell(ws, '{ proclet start -t 200ms; echo "status $?" >&2; } | head -n 1');
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'proclet')).toEqual([expect.stringMatching(/^web\.1 started/)]);
    expect(app.stderr).toBe('status 141\n');
    expect(ws.survivors()).toEqual([]);
  });

  test('ends everything when it is killed', async () => {
    const ws = workspace({ Procfile });
    const app = shell(ws, '{ proclet start -t 200ms; echo "status $?" >&2; } | tee all');
    await app.line('web.1 | tick');
    process.kill(pidOf(ws, 'tee all'), 'SIGKILL');
    await app.exited;
    expect(app.stderr).toContain('status 141\n');
    expect(ws.survivors()).toEqual([]);
  });
});

test('a full disk ends everything, and says why on stderr', async () => {
  const ws = workspace({ Procfile: 'web: while echo tick; do sleep 0.05; done' });
  const app = shell(ws, 'proclet start >/dev/full');
  expect(await statusOf(app)).toBe(1);
  expect(app.stderr).toMatch(/^proclet: the output cannot be written: ENOSPC/);
  expect(ws.survivors()).toEqual([]);
});

test.each(['check', 'version', 'start --help'])('a full disk is an error of %s', async (command) => {
  const app = shell(workspace({ Procfile: 'web: true' }), `proclet ${command} >/dev/full`);
  expect(await statusOf(app)).toBe(1);
  expect(app.stderr).toMatch(/^proclet: the output cannot be written: ENOSPC.*\n$/);
});

function pidOf(ws: Workspace, command: string): number {
  const found = ws.survivors().filter((each) => each.command.includes(command) && !each.command.startsWith('sh '));
  expect(found).toHaveLength(1);
  return found[0]?.pid ?? 0;
}

/** Waits until the service and proclet wait for the reader; answers proclet's pid. */
async function heldBack(ws: Workspace): Promise<number> {
  await eventually(() => expect(Number(ws.read('big.taken'))).toBeGreaterThan(0));
  const proclet = pidOf(ws, 'proclet.cjs start');
  await isAtRest(pidOf(ws, 'node prints-numbers.mjs'));
  return proclet;
}

/** The most memory that a process ever had; NaN when it is gone. */
function peakMegabytes(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

/** The same, asked again and again as long as the app runs. */
async function peakUntilTheEnd(app: App, pid: number): Promise<number> {
  let most = 0;
  await eventually(() => {
    const megabytes = peakMegabytes(pid);
    if (megabytes > most) most = megabytes;
    expect(app.child.exitCode).not.toBe(null);
  }, 40_000);
  return most;
}
