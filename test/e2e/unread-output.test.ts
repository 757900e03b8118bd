/** The promise: nobody has to read the output for anything to end, or to be asked. */
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { statusOf } from '../support/launch.js';
import { type App, bin, type Workspace, workspace } from '../support/workspace.js';

const loud = `loud: i=0; while :; do i=$((i+1)); printf '%01000d\\n' 0; echo $i >progress; done`;

/** A run whose output nobody reads, once more is waiting than all pipes on the way hold. */
async function unread(ws: Workspace, ...args: string[]): Promise<App> {
  const app = ws.start(process.execPath, [bin, 'start', ...args], { unread: true });
  await eventually(() => expect(Number(ws.read('progress'))).toBeGreaterThan(350), 30_000);
  return app;
}

function fresh(): Workspace {
  return workspace({ Procfile: `${loud}\ncalm: sleep 600` });
}

describe('output that nobody reads does not keep a run from ending', () => {
  test.each([
    ['INT', 'SIGINT', 130],
    ['TERM', 'SIGTERM', 143],
  ] as const)('by %s, and what is lost is counted', async (_, signal, status) => {
    const ws = fresh();
    const app = await unread(ws);
    app.signal(signal);
    expect(await statusOf(app)).toBe(status);
    expect(app.stderr).toMatch(/^proclet: \d{5,} bytes of output are lost: nobody read them$/m);
    expect(ws.survivors()).toEqual([]);
  });

  test('by the end of a lease, as JSON, with standard error as full', async () => {
    const ws = fresh();
    const app = ws.start('sh', ['-c', `exec "$0" "$1" start --log-format json --ttl 3s 2>&1`, process.execPath, bin], {
      unread: true,
    });
    expect(await statusOf(app)).toBe(0);
    expect(ws.survivors()).toEqual([]);
  });
});

test('verbs are answered though nobody reads the output', async () => {
  const ws = fresh();
  const app = await unread(ws);
  for (const verb of [
    ['restart', 'loud'],
    ['stop', 'loud'],
    ['restart', 'calm'],
    ['logs', '-n', '1', 'loud'],
    ['stop'],
  ]) {
    expect(await statusOf(ws.proclet(...verb)), verb.join(' ')).toBe(0);
  }
  expect(await statusOf(app)).toBe(0);
});
