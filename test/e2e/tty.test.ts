/** The promise: a service with a terminal is signalled, watched and ended like any other; what holds the terminal is not. */
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { linesOf, procletWith, statusOf } from '../support/launch.js';
import { has } from '../support/terminal.js';
import { type App, type Workspace, workspace } from '../support/workspace.js';

const withTty = test.skipIf(!has('script'));

test('script is installed', ({ skip }) => {
  skip(!has('script'), 'script (bsdutils) gives services their terminals');
});

/** Starts these services, each with a terminal and no second life. */
function start(
  commands: Record<string, string>,
  { keys = '', files = {}, env = {} } = {},
): { ws: Workspace; app: App } {
  const tags = Object.keys(commands);
  const Procfile = tags.map((tag) => `${tag}: ${commands[tag]}`).join('\n');
  const services = tags.map((tag) => `  ${tag}: {tty: true, restart: never${keys}}`).join('\n');
  const ws = workspace({ ...files, Procfile, 'proclet.yml': `services:\n${services}\n` });
  return { ws, app: procletWith(ws, env, 'start') };
}

async function end({ ws, app }: { ws: Workspace; app: App }): Promise<void> {
  app.signal('SIGTERM');
  expect(await statusOf(app)).toBe(143);
  expect(ws.survivors()).toEqual([]);
}

function verb(ws: Workspace, ...args: string[]): Promise<unknown> {
  return ws.proclet(...args).exited;
}

describe.each([
  ['with control groups', {}],
  ['without control groups', { PROCLET_CGROUP: 'off' }],
])('%s', (_, env) => {
  withTty('how the program ended is how the service ended, and its last words are not lost', async () => {
    const { ws, app } = start(
      {
        code: 'exit 7',
        good: 'exit 0',
        signal: 'kill -SEGV $$',
        many: 'i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo $i; done',
        closed: 'exec </dev/null >/dev/null 2>&1; sleep 0.2; exit 5',
      },
      { env },
    );
    await app.exited;
    expect(app.text).toMatch(/code\.1 exited with code 7 /);
    expect(app.text).toMatch(/good\.1 exited with code 0 /);
    expect(app.text).toMatch(/signal\.1 was killed by SIGSEGV /);
    expect(app.text).toMatch(/closed\.1 exited with code 5 /);
    expect(linesOf(app, 'many.1')).toHaveLength(3_000);
    expect(ws.survivors()).toEqual([]);
  });

  withTty('the program is the leader, of 80 columns, and gets the stop signal and nothing else does', async () => {
    const { ws, app } = start(
      { web: 'echo pid $$; stty size; trap "echo got INT; exit 4" INT; while :; do sleep 0.05; done' },
      { keys: ', stop-signal: INT, grace: 60s', env },
    );
    await app.line('web.1 | 24 80');
    const pid = /pid (\d+)/.exec(linesOf(app, 'web.1')[0] ?? '')?.[1];
    expect(app.text).toContain(`web.1 started (pid ${pid}, `);
    await end({ ws, app });
    expect(linesOf(app, 'web.1')).toEqual([`pid ${pid}`, '24 80', 'got INT']);
    expect(app.text).not.toContain('Session terminated');
  });

  withTty('a signal reaches the program, which may go on, and never what holds its terminal', async () => {
    const { ws, app } = start({ web: 'node names-signals.mjs' }, { keys: ', grace: 300ms, stop-signal: USR2', env });
    await app.line('web.1 | ready');
    await verb(ws, 'signal', 'INT', 'web');
    await verb(ws, 'signal', 'QUIT', 'web', '--leader');
    await eventually(() => expect(linesOf(app, 'web.1')).toEqual(['ready', 'got SIGINT', 'got SIGQUIT']));
    await end({ ws, app });
    expect(linesOf(app, 'web.1')).toEqual(['ready', 'got SIGINT', 'got SIGQUIT', 'got SIGUSR2']);
    expect(app.text).toMatch(/web\.1 ignored SIGUSR2 for \S+, so it was killed \(1 process\)/);
  });

  withTty('what was printed before SIGKILL is shown', async () => {
    const floods = `process.on('SIGTERM', () => { for (let i = 0; i < 3000; i += 1) console.log('no'); });
setInterval(() => {}, 1000); console.log('ready');`;
    const { ws, app } = start(
      { web: 'node floods.mjs' },
      { keys: ', grace: 1s', files: { 'floods.mjs': floods }, env },
    );
    await app.line('web.1 | ready');
    await end({ ws, app });
    expect(linesOf(app, 'web.1').filter((line) => line === 'no')).toHaveLength(3_000);
  });

  withTty('when what holds the terminal is killed the service ends, and says why', async () => {
    const { ws, app } = start({ web: "trap '' HUP; echo held by $PPID; while :; do sleep 0.05; done" }, { env });
    const holder = /held by (\d+)/.exec(await app.line('web.1 | held by'))?.[1];
    process.kill(Number(holder), 'SIGKILL');
    await app.exited;
    expect(app.text).toContain('web.1 lost its terminal: script, which held it, was killed by SIGKILL');
    expect(ws.survivors()).toEqual([]);
  });
});
