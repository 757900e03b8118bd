/** The promise: `--log-format json` is for programs: one event a line, and nothing else. */
import { expect, test } from 'vitest';
import { statusOf } from '../support/launch.js';
import { type App, workspace } from '../support/workspace.js';

type Event = Record<string, unknown> & { readonly type: string };

/** Every line of stdout; a line that is not an event fails the test. */
function eventsOf(app: App): Event[] {
  expect(app.stdout.endsWith('\n')).toBe(true);
  const events = app.stdout
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
  for (const event of events) {
    expect(event).toMatchObject({ type: expect.any(String), time: expect.any(String) });
    expect(new Date(String(event['time'])).toISOString()).toBe(event['time']);
  }
  return events;
}

test('every line is an event, from the first start to the status of the run', async () => {
  const ws = workspace({ Procfile: `web: echo 'a "quoted" \\\\ line'; echo trouble >&2; printf 'žluť'` });
  const app = ws.proclet('start', '--log-format', 'json');
  expect(await statusOf(app)).toBe(0);
  const events = eventsOf(app);
  expect(events[0]).toMatchObject({ type: 'spawned', id: 'web.1', pid: expect.any(Number), port: 5000 });
  const output = events.filter(({ type }) => type === 'output').map(({ stream, text }) => ({ stream, text }));
  expect(output).toHaveLength(3);
  expect(output).toContainEqual({ stream: 'stdout', text: 'a "quoted" \\ line' });
  expect(output).toContainEqual({ stream: 'stdout', text: 'žluť' });
  expect(output).toContainEqual({ stream: 'stderr', text: 'trouble' });
  expect(events.at(-2)).toMatchObject({ type: 'exited', exit: { how: 'code', code: 0 }, next: { is: 'done' } });
  expect(events.at(-1)).toEqual({ time: expect.any(String), type: 'stopped', status: 0 });
  expect(app.stderr).toBe('');
});

test('a crash, an expiry and a kill are events with their numbers', async () => {
  const ws = workspace({ Procfile: 'web: exit 3\ndeaf: node ignores-sigterm.mjs' });
  const app = ws.proclet('start', '--log-format', 'json', '--ttl', '700ms', '-t', '200ms');
  expect(await statusOf(app)).toBe(0);
  const events = eventsOf(app);
  const cause = { reason: 'ttl', window: 700 };
  expect(events).toContainEqual(
    expect.objectContaining({
      id: 'web.1',
      exit: { how: 'code', code: 3 },
      next: { is: 'restart', delay: 1000, failures: 1 },
    }),
  );
  expect(events).toContainEqual(expect.objectContaining({ type: 'expiring', tag: 'deaf', reason: 'ttl' }));
  expect(events).toContainEqual(expect.objectContaining({ type: 'stopping', id: 'deaf.1', cause, grace: 200 }));
  expect(events).toContainEqual(expect.objectContaining({ type: 'killed', id: 'deaf.1', signal: 'SIGTERM' }));
  expect(events).toContainEqual(expect.objectContaining({ type: 'exited', id: 'deaf.1', cause, survivors: [] }));
});

test('durations are whole milliseconds', async () => {
  const app = workspace({ Procfile: 'web: true' }).proclet('start', '--log-format', 'json');
  expect(await statusOf(app)).toBe(0);
  const exited = eventsOf(app).find(({ type }) => type === 'exited');
  expect(exited).toBeDefined();
  expect(Number.isInteger(exited?.['ran'])).toBe(true);
});

test('colours, prompts and the stop are not in the way', async () => {
  const ws = workspace({ Procfile: 'web: printf "name? "; exec sleep 600\nworker: echo ready; exec sleep 600' });
  const app = ws.proclet('start', '--log-format', 'json', '--color');
  await app.line('"text":"ready"');
  app.signal('SIGINT');
  expect(await statusOf(app)).toBe(130);
  const events = eventsOf(app);
  expect(events.filter(({ id, type }) => id === 'web.1' && type === 'output')).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({ type: 'stopped', status: 130 });
});

test('what is wrong with the project is said on stderr', async () => {
  const app = workspace({ Procfile: 'web node' }).proclet('start', '--log-format', 'json');
  expect(await statusOf(app)).toBe(2);
  expect(app.stdout).toBe('');
  expect(app.stderr).toContain('Procfile:1:');
});
