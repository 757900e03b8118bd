/** A supervisor of nothing real behind a real socket. */
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { createDesk } from '../../src/control/desk.js';
import { openControl } from '../../src/control/server.js';
import type { Plan } from '../../src/model.js';
import { createHistory } from '../../src/observers/history.js';
import { createClock } from '../../src/platform/clock.js';
import { Supervisor } from '../../src/supervisor/supervisor.js';
import { FakeChildren } from './fake-children.js';
import { FakeClock } from './fake-clock.js';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

export async function controlled(plan: Plan, { mayOverlap = false } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'proclet-control-'));
  const path = join(directory, 'run.sock');
  const clock = createClock();
  const children = new FakeChildren({ mayOverlap });
  const time = new FakeClock();
  const supervisor = new Supervisor(plan, {
    ...{
      clock: time,
      spawn: children.spawn,
      look: () => ({ last: -Infinity, busy: false, listens: false }),
    },
    ...{ hear: () => [], drain: async () => {}, listensItself: () => false, next: () => Infinity },
  });
  const history = createHistory();
  supervisor.subscribe(history.observe);
  supervisor.start();
  const info = {
    protocol: 1,
    version: '0',
    run: '12345678901',
    pid: 1,
    name: '',
    root: '/',
    command: 'start',
    since: 0,
  };
  const desk = createDesk({
    ...{ info: info as Parameters<typeof createDesk>[0]['info'], clock, supervision: supervisor, plan: () => plan },
    ...{ events: history.events, completeSince: history.completeSince, logFiles: () => [], secrets: () => [] },
    ...{ scale: async () => {}, inspect: () => new Map(), commandOf: () => '', ignores: () => false, resize() {} },
  });
  const server = await openControl(path, clock, async () => desk);
  closers.push(async () => {
    await server.close();
    clock.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return { path, supervisor, children, server, tick: () => time.advance(1_000) };
}

/** A connection that collects what it gets, line by line. */
export function talk(path: string) {
  const socket = net.connect({ path, allowHalfOpen: true });
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  return {
    socket,
    closed,
    say: (value: unknown) => void socket.write(typeof value === 'string' ? value : `${JSON.stringify(value)}\n`),
    get replies(): Record<string, unknown>[] {
      return text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}
