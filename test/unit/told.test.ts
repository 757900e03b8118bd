/** What proclet says of a run, word for word, from a Procfile on: nothing is left out but the processes and the time. */
import { describe, expect, test } from 'vitest';
import type { Config, ServiceConfig, Settings } from '../../src/model.js';
import { createTail } from '../../src/observers/tail.js';
import { createTerminal } from '../../src/observers/terminal.js';
import { buildPlan } from '../../src/plan/build-plan.js';
import { parseProcfile } from '../../src/procfile/parse-procfile.js';
import { code, signal } from '../support/fake-children.js';
import { memorySink } from '../support/memory-sink.js';
import { settingsWith } from '../support/settings.js';
import { supervised } from '../support/supervised.js';

/** A run of a Procfile, and what it has said so far. */
function told(text: string, over: Partial<Settings> = {}, services: Record<string, ServiceConfig> = {}) {
  const parsed = parseProcfile(text, 'Procfile');
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  const config: Config = { path: 'proclet.yml', defaults: {}, services, places: {} };
  const plan = buildPlan({
    ...{ procfile: parsed.value, settings: settingsWith(over), config, root: '/project' },
    ...{ env: {}, dotenv: {}, envFiles: {} },
  });
  const sink = memorySink();
  const tail = createTail();
  const terminal = createTerminal({
    ...{ sink, color: false, childColor: 'pass', timestamp: false, quiet: [], lastWords: tail.last },
    ids: plan.services.flatMap(({ instances }) => instances.map(({ id }) => id)),
    positions: new Map(plan.services.map(({ tag, position }) => [tag, position])),
  });
  const run = supervised(plan);
  let from = 0;
  /** What proclet said since it was asked last, without what it says about starts. */
  const news = () => {
    for (const event of run.events.slice(from)) {
      tail.observe(event);
      terminal.observe(event);
    }
    from = run.events.length;
    const lines = sink.text.split('\n').flatMap((line) => /^proclet +\| (.*)$/.exec(line)?.[1] ?? []);
    return lines.filter((line) => !/ started \(/.test(line));
  };
  return { ...run, news };
}

describe('a service that never works', () => {
  test('has failed after five starts, ever later; its last words are shown; its neighbour runs on', async () => {
    const { children, clock, news, status } = told('broken: exit 65\nweb: serve\n');
    const starts: number[] = [];
    for (let start = 1; start <= 5; start += 1) {
      starts.push(clock.now());
      children.print('broken.1', 'reading app.js\n');
      children.print('broken.1', 'SyntaxError: missing )\n');
      children.exit('broken.1', code(65));
      while (start < 5 && !children.alive.includes('broken.1')) clock.advance(100);
    }
    expect(starts).toEqual([0, 1_000, 3_000, 7_000, 15_000]);
    clock.advance(1e6);
    expect(news()).toEqual([
      'broken.1 exited with code 65 after 0s, restarting in 1s (1st failure)',
      'broken.1 exited with code 65 after 0s with the same 2 lines again, restarting in 2s (2nd failure)',
      'broken.1 exited with code 65 after 0s with the same 2 lines again, restarting in 4s (3rd failure)',
      'broken.1 exited with code 65 after 0s with the same 2 lines again, restarting in 8s (4th failure)',
      'broken.1 failed: 5 starts in a row ended too early, the last with code 65',
      '  reading app.js',
      '  SyntaxError: missing )',
    ]);
    expect(children.alive).toEqual(['web.1']);
    expect(await status()).toBeUndefined();
  });
});

describe('a ttl', () => {
  test('is warned of before it is over, once for each service, and has an obituary', async () => {
    const { children, clock, news, status } = told('web: serve\nworker: work\n', { ttl: { all: 600, tags: {} } });
    clock.advance(540);
    const warnings = [
      'web expires in 60ms (proclet extend web 30m)',
      'worker expires in 60ms (proclet extend worker 30m)',
    ];
    expect(news()).toEqual(warnings);
    clock.advance(60);
    expect(news()).toEqual(warnings);
    children.exit('web.1', signal('SIGTERM'));
    children.exit('worker.1', signal('SIGTERM'));
    expect(news().slice(2)).toEqual([
      expect.stringMatching(/^web\.1 expired after 600ms \(1 process, TERM .*\)$/),
      expect.stringMatching(/^worker\.1 expired after 600ms \(1 process, TERM .*\)$/),
    ]);
    expect(await status()).toBe(0);
  });

  test('is not renewed by a restart, and its end is followed by none', async () => {
    const { children, clock, news, status } = told('web: crash\n', { ttl: { all: 1_800, tags: {} } });
    clock.advance(500);
    children.exit('web.1', code(1));
    clock.advance(1_000);
    expect(children.alive).toEqual(['web.1']);
    clock.advance(300);
    children.exit('web.1', signal('SIGTERM'));
    clock.advance(1e6);
    expect(children.log.filter((line) => line === 'web.1 spawn')).toHaveLength(2);
    expect(news()).toEqual([
      'web.1 exited with code 1 after 500ms, restarting in 1s (1st failure)',
      'web expires in 180ms (proclet extend web 30m)',
      expect.stringMatching(/^web\.1 expired after 1\.8s/),
    ]);
    expect(await status()).toBe(0);
  });

  test('that comes while a restart is waited for leaves no other life, and still has its line', async () => {
    const { children, clock, news, status } = told('web: crash\n', { ttl: { all: 500, tags: {} } });
    children.exit('web.1', code(1));
    clock.advance(1e6);
    expect(children.log).toEqual(['web.1 spawn']);
    expect(news().at(-1)).toMatch(/^web\.1 expired after 500ms/);
    expect(await status()).toBe(0);
  });
});

test('the obituary of what was deaf to the end of its ttl says what it took', () => {
  const { children, clock, news } = told('deaf: serve\n', {
    ttl: { all: 500, tags: {} },
    grace: { all: 200, tags: {} },
  });
  clock.advance(700);
  children.exit('deaf.1', signal('SIGKILL'));
  expect(children.log).toEqual(['deaf.1 spawn', 'deaf.1 passed SIGTERM', 'deaf.1 rest SIGTERM', 'deaf.1 kill']);
  expect(news().at(-1)).toBe('deaf.1 expired after 500ms: it ignored SIGTERM for 200ms, so it was killed (1 process)');
});

test('an idle window is warned of before it is over', () => {
  const { clock, news, use } = told('web: serve\n', { idle: { all: 2_000, tags: {} } });
  Object.assign(use, { listens: true });
  clock.advance(1_800);
  expect(news()).toEqual(['web expires in 200ms unless it is used (proclet extend web 30m)']);
});
