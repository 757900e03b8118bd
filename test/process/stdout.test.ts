import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { buildSync } from 'esbuild';
import { afterEach, describe, expect, test } from 'vitest';
import { createClock } from '../../src/platform/clock.js';
import { createOutput } from '../../src/platform/stdout.js';
import { environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';

const readers: ChildProcess[] = [];
afterEach(() => {
  for (const reader of readers.splice(0)) reader.kill('SIGKILL');
});

/** A program that reads what is written to `output`: a shell command on the other side of a real pipe. */
function readBy(command: string) {
  const child = spawn('sh', ['-c', command], { stdio: ['pipe', 'pipe', 'inherit'], env: environment() });
  readers.push(child);
  return { output: createOutput(child.stdin as unknown as NodeJS.WriteStream), child };
}

const clock = createClock();
const chunk = `${'x'.repeat(65_535)}\n`;

test('bytes arrive as they are, in order', async () => {
  const { output, child } = readBy('od -An -tx1');
  output.sink.write('\xff\x00');
  output.sink.write('\xc3\xa9\n');
  child.stdin.end();
  expect((await text(child.stdout)).trim()).toBe('ff 00 c3 a9 0a');
});

describe('a reader that is slow', () => {
  test('closes the gate before much waits in memory, and opens it again', async () => {
    const { output, child } = readBy('read -r go; kill -STOP $$; cat >/dev/null; echo done');
    output.sink.write('go\n');
    let written = 0;
    while (output.gate.isOpen) {
      output.sink.write(chunk);
      written += chunk.length;
      expect(written).toBeLessThan(4_000_000);
    }
    const order: number[] = [];
    output.gate.whenOpen(() => order.push(1));
    output.gate.whenOpen(() => order.push(2));
    expect(order).toEqual([]);
    await eventually(() => {
      child.kill('SIGCONT');
      expect(order).toEqual([1, 2]);
    });
    expect(output.gate.isOpen).toBe(true);
    output.gate.whenOpen(() => order.push(3));
    expect(order).toEqual([1, 2, 3]);
  });

  test('that closes the gate again while sources are let in leaves the others waiting', async () => {
    const { output, child } = readBy('read -r go; kill -STOP $$; cat >/dev/null');
    const fill = () => {
      while (output.gate.isOpen) output.sink.write(chunk);
    };
    output.sink.write('go\n');
    fill();
    const order: string[] = [];
    output.gate.whenOpen(() => {
      fill();
      order.push(`first, open: ${output.gate.isOpen}`);
    });
    output.gate.whenOpen(() => order.push(`second, open: ${output.gate.isOpen}`));
    await eventually(() => {
      child.kill('SIGCONT');
      expect(order).toEqual(['first, open: false', 'second, open: true']);
    });
  });

  test('gets everything before a close is over', async () => {
    const { output, child } = readBy('wc -c');
    for (let n = 0; n < 50; n += 1) output.sink.write(chunk);
    expect(await output.close(clock, Infinity)).toBe(0);
    child.stdin.destroy();
    expect((await text(child.stdout)).trim()).toBe(String(50 * chunk.length));
  });
});

describe('a reader that does not read', () => {
  test('is waited for until the deadline, and what it did not get is counted', async () => {
    const { output } = readBy('read -r go; kill -STOP $$');
    output.sink.write('go\n');
    let written = 3;
    while (output.gate.isOpen) {
      output.sink.write(chunk);
      written += chunk.length;
    }
    const lost = await output.close(clock, clock.now() + 50);
    expect(lost).toBeGreaterThan(0);
    expect(lost).toBeLessThanOrEqual(written);
  });

  test('costs no more memory than a bound, whatever is written to it', async () => {
    const { output, child } = readBy('read -r go; kill -STOP $$');
    output.sink.write('go\n');
    for (let n = 0; n < 200; n += 1) output.sink.write(chunk);
    expect(child.stdin.writableLength).toBeLessThan(6 * 1024 * 1024);
    expect(await output.close(clock, clock.now())).toBeGreaterThan(12 * 1024 * 1024);
  });
});

describe('a reader that goes away', () => {
  test('is noticed once, without an error, and nobody waits any longer', async () => {
    const { output, child } = readBy('exit 0');
    await once(child, 'exit');
    const closed: unknown[] = [];
    output.onClosed((why) => closed.push(why));
    output.sink.write(chunk);
    const emptied = output.close(clock, Infinity);
    await eventually(() => expect(closed).toEqual([{ why: 'reader-gone' }]));
    expect(await emptied).toBe(0);
    output.sink.write(chunk);
    expect(await output.close(clock, Infinity)).toBe(0);
    expect(output.gate.isOpen).toBe(true);
    output.onClosed((why) => closed.push(why));
    expect(closed).toEqual([{ why: 'reader-gone' }, { why: 'reader-gone' }]);
  });

  test('lets in the sources that waited for it', async () => {
    const { output, child } = readBy('read -r go; kill -STOP $$');
    output.sink.write('go\n');
    while (output.gate.isOpen) output.sink.write(chunk);
    let isIn = false;
    output.gate.whenOpen(() => {
      isIn = true;
    });
    child.kill('SIGKILL');
    await eventually(() => expect(isIn).toBe(true));
  });
});

test.skipIf(process.platform !== 'linux')('a full disc is reported with its error', async () => {
  const output = createOutput(createWriteStream('/dev/full') as unknown as NodeJS.WriteStream);
  const closed: unknown[] = [];
  output.onClosed((why) => closed.push(why));
  output.sink.write('text\n');
  await eventually(() => expect(closed).toMatchObject([{ why: 'error', error: { code: 'ENOSPC' } }]));
});

const hasPython = spawnSync('python3', ['-c', 'import pty'], { env: environment() }).status === 0;

test.skipIf(process.platform !== 'linux' || !hasPython)(
  'a terminal that was stopped with Ctrl-S does not stop proclet',
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'proclet-'));
    const program = join(directory, 'floods-its-terminal.mjs');
    const fixtures = resolve(import.meta.dirname, '../fixtures');
    try {
      const entry = join(fixtures, 'floods-its-terminal.ts');
      buildSync({ entryPoints: [entry], outfile: program, bundle: true, platform: 'node', format: 'esm' });
      const stalls = join(fixtures, 'stalls-a-terminal.py');
      const told = execFileSync('python3', [stalls, process.execPath, program], {
        encoding: 'utf8',
        env: environment(),
      });
      expect(told.trim()).toBe('10000 lines');
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);
