import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { procletWith, shell, statusOf } from '../support/launch.js';
import { workspace } from '../support/workspace.js';

const Procfile = 'web: echo web on $PORT; exit 4\nworker: exec node names-signals.mjs';

describe('the exit status', () => {
  test.each([
    ['0 of a command that did well', 'true', 0],
    ['the code of a command that failed', 'exit 7', 7],
    ['128 and the number of the signal that killed it', 'kill -KILL $$', 137],
    ['that also for SIGSEGV', 'kill -SEGV $$', 139],
  ])('is %s', async (_, command, status) => {
    const app = workspace({ Procfile }).proclet('run', '--', 'sh', '-c', command);
    expect(await statusOf(app)).toBe(status);
    expect(app.stdout).toBe('');
  });

  test('is 127 when there is no such program, and the name is said', async () => {
    const app = workspace({ Procfile }).proclet('run', '--', 'no-such-program');
    expect(await statusOf(app)).toBe(127);
    expect(app.stderr).toContain('no-such-program');
    expect(app.stderr).toContain('not found');
  });
});

describe('a service of the Procfile', () => {
  test('runs with nothing before its lines, on the port it has under start, and is not restarted', async () => {
    const app = workspace({ Procfile: `clock: true\n${Procfile}` }).proclet('run', 'web');
    expect(await statusOf(app)).toBe(4);
    expect(app.stdout).toBe('web on 5100\n');
    expect(app.stderr).toBe('');
  });

  test('that does not exist is an error that names those that do', async () => {
    const app = workspace({ Procfile }).proclet('run', 'wroker');
    expect(await statusOf(app)).toBe(2);
    expect(app.stderr).toBe("proclet: Procfile: there is no service 'wroker' (it has web, worker)\n");
    expect(app.stdout).toBe('');
  });

  test('has what proclet.yml says about it', async () => {
    const ws = workspace({
      Procfile: 'web: pwd; umask; echo $GREETING',
      'proclet.yml': 'services: {web: {directory: inner, umask: "027", env: {GREETING: hello}}}',
      'inner/file': '',
    });
    const app = ws.proclet('run', 'web');
    expect(await statusOf(app)).toBe(0);
    expect(app.stdout).toBe(`${ws.directory}/inner\n0027\nhello\n`);
  });
});

describe('a command after --', () => {
  test('has its arguments as they are, also those that look like flags of proclet', async () => {
    const args = ['--ttl', '1s', '-e', 'x', 'two  words', '$HOME', '*', '--', '--help', ''];
    const program = 'console.log(JSON.stringify(process.argv.slice(2)))';
    const app = workspace({ 'args.mjs': program }).proclet('run', '--', 'node', 'args.mjs', ...args);
    expect(await statusOf(app)).toBe(0);
    expect(JSON.parse(app.stdout)).toEqual(args);
  });

  test('runs in the environment of the project', async () => {
    const ws = workspace({ Procfile, '.env': 'GREETING="hello world"\nFROM_BOTH=file\n' });
    const app = procletWith(
      ws,
      { FROM_BOTH: 'environment' },
      'run',
      '--',
      'sh',
      '-c',
      'echo $GREETING, $FROM_BOTH, $PORT',
    );
    expect(await statusOf(app)).toBe(0);
    expect(app.stdout).toBe('hello world, environment, 5000\n');
  });

  test('needs no Procfile', async () => {
    const app = workspace({ '.env': 'GREETING=hello' }).proclet('run', '--', 'sh', '-c', 'echo $GREETING');
    expect(await statusOf(app)).toBe(0);
    expect(app.stdout).toBe('hello\n');
  });

  test('gets the files of -e and the port of -p', async () => {
    const ws = workspace({ '.env': 'A=env', '.env.x': 'A=x' });
    const app = ws.proclet('run', '-e', '.env.x', '-p', '8000', '--', 'sh', '-c', 'echo $A $PORT');
    expect(await statusOf(app)).toBe(0);
    expect(app.stdout).toBe('x 8000\n');
  });
});

describe('the streams', () => {
  test('are the program’s: stdin in, stdout and stderr out, byte by byte, and nothing of proclet’s', async () => {
    const script = 'cat; echo out; echo err >&2';
    const app = workspace({ Procfile }).proclet('run', '--', 'sh', '-c', script);
    app.child.stdin?.end('first\nno newline, ');
    expect(await statusOf(app)).toBe(0);
    expect(app.stdout).toBe('first\nno newline, out\n');
    expect(app.stderr).toBe('err\n');
  });

  test('may be pipes on both sides: echo hi | proclet run -- cat | tr a-z A-Z', async () => {
    const app = shell(workspace({ Procfile }), 'echo hi | proclet run -- cat | tr a-z A-Z');
    expect(await statusOf(app)).toBe(0);
    expect(app.stdout).toBe('HI\n');
    expect(app.stderr).toBe('');
  });

  test('carry every byte of a binary file', async () => {
    const ws = workspace({ Procfile });
    const make = `require('fs').writeFileSync('in', Buffer.from(Array.from({ length: 500000 }, (_, i) => (i * 7) % 256)))`;
    const app = shell(ws, `node -e "${make}"; proclet run -- cat <in >out; cmp in out && echo same`);
    expect(await statusOf(app)).toBe(0);
    expect(app.stdout).toBe('same\n');
  });

  test('closed by their reader end the program as in any pipe', async () => {
    const app = shell(workspace({ Procfile }), 'proclet run -- sh -c "while echo tick; do :; done" | head -n 1');
    expect(await statusOf(app)).toBe(0);
    expect(app.stdout).toBe('tick\n');
  });
});

describe('a signal to proclet without a terminal', () => {
  test.each(['SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const)(
    '%s is passed on and ends nothing by itself',
    async (signal) => {
      const app = workspace({ Procfile }).proclet('run', 'worker');
      await app.line('ready');
      app.signal(signal);
      await app.line(`got ${signal}`);
      app.signal('SIGTERM');
      expect(await statusOf(app)).toBe(9);
      expect(app.stdout).toBe(`ready\ngot ${signal}\ngot SIGTERM\n`);
    },
  );

  test('TERM to a program that does not catch it is its death, 143', async () => {
    const app = workspace({ Procfile }).proclet('run', '--', 'node', 'exits-after.mjs', '0', '600000');
    await app.line('ready');
    app.signal('SIGTERM');
    expect(await statusOf(app)).toBe(143);
  });

  test('INT to a program that does not catch it is its death, 130', async () => {
    const app = workspace({ Procfile }).proclet('run', '--', 'node', 'exits-after.mjs', '0', '600000');
    await app.line('ready');
    app.signal('SIGINT');
    expect(await statusOf(app)).toBe(130);
  });

  test('HUP ends the whole tree, 129', async () => {
    const ws = workspace({ Procfile });
    const app = ws.proclet('run', '-t', '200ms', '--', 'node', 'spawns-a-setsid-grandchild.mjs');
    await app.line('ready');
    app.signal('SIGHUP');
    expect(await statusOf(app)).toBe(129);
    expect(ws.survivors()).toEqual([]);
  });

  test('TERM to a deaf program is followed by SIGKILL after --timeout', async () => {
    const app = workspace({ Procfile }).proclet('run', '-t', '200ms', '--', 'node', 'ignores-sigterm.mjs');
    await app.line('ready');
    app.signal('SIGTERM');
    expect(await statusOf(app)).toBe(137);
  });
});

describe('nothing is left', () => {
  test('of what the program leaves behind when it ends', async () => {
    const ws = workspace({ Procfile });
    const app = ws.proclet('run', '-p', String(ws.port), '--', 'node', 'leaves-a-child.mjs', '5');
    expect(await statusOf(app), app.text).toBe(5);
    expect(ws.survivors()).toEqual([]);
    expect(app.stdout).toBe(`holding ${ws.port}\n`);
    expect(app.stderr).toMatch(/^proclet: run\.1 exited with code 5 and left 1 process behind; ending it$/m);
  });

  test('when proclet is killed with SIGKILL', async () => {
    const ws = workspace({ Procfile });
    const app = ws.proclet('run', '--', 'node', 'spawns-a-setsid-grandchild.mjs');
    await app.line('ready');
    app.signal('SIGKILL');
    await eventually(() => expect(ws.survivors()).toEqual([]));
    expect(await statusOf(app)).toBe('SIGKILL');
  });
});

describe('--ttl', () => {
  test('ends a whole tree, says so on stderr, and the status is 0', async () => {
    const ws = workspace({ Procfile: 'web: node spawns-a-setsid-grandchild.mjs' });
    const app = ws.proclet('run', 'web', '--ttl', '1s', '-t', '200ms');
    expect(await statusOf(app)).toBe(0);
    expect(app.stdout).toMatch(/^ready \d+\n$/);
    expect(app.stderr.split('\n')).toEqual([
      expect.stringMatching(/^proclet: web expires in \d+ms \(proclet extend \w+ 30m\)$/),
      expect.stringMatching(
        /^proclet: web\.1 expired after 1s: it ignored SIGTERM for \S+, so it was killed \(2 processes\)$/,
      ),
      '',
    ]);
    expect(ws.survivors()).toEqual([]);
  });

  test('ends a command too, with --expire-status', async () => {
    const app = workspace({}).proclet('run', '--alarm', '300ms', '--expire-status', '75', '--', 'sleep', '600');
    expect(await statusOf(app)).toBe(75);
    expect(app.stderr).toContain('expired after 300ms');
  });

  test('that is not reached says nothing', async () => {
    const app = workspace({}).proclet('run', '--ttl', '1h', '--', 'sh', '-c', 'exit 3');
    expect(await statusOf(app)).toBe(3);
    expect(app.text).toBe('');
  });
});

describe('bad usage is told on stderr with 2, and runs nothing', () => {
  test.each([
    { args: [], says: 'run what?\n  proclet run TAG, or proclet run -- COMMAND' },
    { args: ['--'], says: 'there is no command after --' },
    {
      args: ['echo', 'hi'],
      says: 'one service at a time, and without arguments; to run a command: proclet run -- echo hi',
    },
    { args: ['web', '--', 'touch', 'ran'], says: 'either the service web or the command after --, not both' },
    {
      args: ['--ttl', 'soon', '--', 'touch', 'ran'],
      says: "--ttl: 'soon' is not a duration; write 30m, 1h30m, 90s or 500ms",
    },
  ])('proclet run $args', async ({ args, says }) => {
    const ws = workspace({ Procfile });
    const app = ws.proclet('run', ...args);
    expect(await statusOf(app)).toBe(2);
    expect(app.stderr).toBe(`proclet: ${says}\n`);
    expect(app.stdout).toBe('');
    const ls = ws.start('ls', ['ran']);
    expect(await statusOf(ls)).not.toBe(0);
  });
});
