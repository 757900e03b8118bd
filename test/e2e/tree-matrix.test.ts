/**
 * The promise, in full: every adversary, by every way of ending, with control groups and without, and nothing is
 * left. ROUNDS repeats it; MATRIX_REPORT names a file for the numbers (see bench/matrix.mjs).
 */
import { writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { type Arena, adversaries, arena, missing } from '../support/adversaries.js';
import { question } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { linesOf, pressCtrlC, pressCtrlCAgain } from '../support/launch.js';
import type { App } from '../support/workspace.js';

const rounds = Number(question('ROUNDS') ?? 1);

interface Way {
  readonly args: readonly string[];
  readonly onTerminal?: boolean;
  /** Begins the end, and answers when nothing may be left any more. */
  end(app: App, fight: Arena): Promise<void>;
}

const soon = ['--timeout', '300ms'];
const exit = (app: App) => new Promise<void>((done) => void app.child.once('exit', () => done()));

function after(begin: () => void, app: App): Promise<void> {
  begin();
  return exit(app);
}

async function guarded(kill: () => void, app: App, fight: Arena): Promise<void> {
  await after(kill, app);
  // Not a failure yet: which ones are left is asked again, and reported, by the test.
  await eventually(() => expect(fight.left()).toEqual([]), 8_000).catch(() => {});
  await eventually(() => expect(fight.ws.survivors()).toEqual([]), 8_000).catch(() => {});
}

const ways: Record<string, Way> = {
  'Ctrl-C': { args: soon, end: (app) => after(() => pressCtrlC(app), app) },
  TERM: { args: soon, end: (app) => after(() => app.signal('SIGTERM'), app) },
  hangup: {
    args: soon,
    onTerminal: true,
    end: (app, fight) => guarded(() => app.signal('SIGKILL'), app, fight), // of `script`, whose terminal it is
  },
  'proclet stop': { args: soon, end: (app, fight) => stopped(app, fight, ['stop']) },
  'proclet stop of each service': { args: soon, end: (app, fight) => stopped(app, fight, ['stop', '*']) },
  // Not by waiting: how long it takes until all are ready is up to the machine.
  'the end of a ttl': {
    args: [...soon, '--ttl', '1h'],
    end: (app, fight) => after(() => void fight.proclet('expire', 'all'), app),
  },
  'a crash and the restart': { args: soon, end: crash },
  'a second Ctrl-C': {
    args: ['--timeout', '1h'],
    async end(app) {
      pressCtrlC(app);
      await app.line('proclet | stopping');
      await pressCtrlCAgain(app);
      await exit(app);
    },
  },
  'kill -9': { args: soon, end: (app, fight) => guarded(() => app.signal('SIGKILL'), app, fight) },
  'kill -9 of the group': {
    args: soon,
    end: (app, fight) => guarded(() => process.kill(-app.pid, 'SIGKILL'), app, fight),
  },
};

/** When the command ends, nothing is left: it waits for that. */
async function stopped(app: App, fight: Arena, args: readonly string[]): Promise<void> {
  const command = fight.proclet(...args);
  await exit(command);
  expect(fight.left(), `left when the command said: ${command.text}`).toEqual([]);
  if (app.child.exitCode === null && app.child.signalCode === null) await exit(app);
}

/** Kills every leader. Nothing of a first life may be left when the second one begins. */
async function crash(app: App, fight: Arena): Promise<void> {
  for (const line of linesOf(app, 'proclet')) {
    const [, name, pid] = /^(\S+)\.1 started \(pid (\d+)/.exec(line) ?? [];
    if (pid !== undefined && name !== 'leaves') process.kill(Number(pid), 'SIGKILL');
  }
  const overlaps = new Set<string>();
  await eventually(() => {
    for (const name of fight.left(1)) if (fight.hasBegun(name, 2)) overlaps.add(name);
    expect(
      adversaries.filter((name) => !fight.hasBegun(name, 2)),
      app.text,
    ).toEqual([]);
  }, 20_000);
  expect([...overlaps], 'still there when their next life began').toEqual([]);
  await fight.ready(app, 2);
  expect(app.text).not.toContain('the port is taken');
  app.signal('SIGINT');
  await exit(app);
}

const report: { cgroups: string; way: string; rounds: number; left: Record<string, number>; took: number[] }[] = [];

const modes: [string, Record<string, string>, ordinarily: boolean][] = [
  ['with control groups', {}, false],
  ['without control groups', { PROCLET_CGROUP: 'off' }, false],
];
// Without root a test run is the ordinary case by itself.
if (process.getuid?.() === 0 && question('NOTHING_SKIPS') === 'true')
  modes.push(['as an ordinary user', { PROCLET_CGROUP: 'off' }, true]);

describe.each(modes)('%s nothing is left of any adversary', (cgroups, env, ordinarily) => {
  test.each(Object.entries(ways))(
    'after %s',
    async (way, { args, onTerminal, end }) => {
      const left: Record<string, number> = {};
      const took: number[] = [];
      report.push({ cgroups, way, rounds, left, took });
      for (let round = 0; round < rounds; round += 1) {
        const fight = arena(adversaries, ordinarily);
        const app = await fight.fight(args, env, onTerminal);
        const began = performance.now();
        await end(app, fight);
        for (const name of fight.left()) left[name] = (left[name] ?? 0) + 1;
        took.push(Math.round(performance.now() - began));
        fight.close();
      }
      expect(left, `survivors in ${rounds} rounds`).toEqual({});
    },
    60_000 * rounds,
  );
});

test('every adversary can run here', ({ skip }) => {
  if (question('NOTHING_SKIPS') !== 'true') skip(missing.length > 0, missing.join(', '));
  expect(missing).toEqual([]);
});

afterAll(() => {
  const path = question('MATRIX_REPORT');
  if (path) writeFileSync(path, JSON.stringify({ adversaries, report }, undefined, 2));
});
