/** The promise: in a real terminal, interactive programs work under `proclet run` as they do without it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { environment, home } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { has, type Terminal, terminal } from '../support/terminal.js';
import { workspace } from '../support/workspace.js';

const missing = ['tmux', 'bash', 'python3', 'less', 'vi'].filter((program) => !has(program));

/** A test that only runs where these programs are; which are not is told on the console. */
function testWith(...programs: string[]) {
  return test.skipIf(programs.some((program) => missing.includes(program)));
}

/** The program itself: a version manager's stand-in looks for its files in a home directory that tests replace. */
function pythonItself(): string {
  return execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
    encoding: 'utf8',
    env: environment({ HOME: home }),
  }).trim();
}

/** The shell is back, answers, echoes what is typed, and the last command's status is this. */
async function isSane(screen: Terminal, status: number): Promise<void> {
  await screen.isBack();
  screen.enter(
    'echo "status $?"; stty -a | tr ";" "\\n" | grep -ow -e "-*echo" -e "-*icanon" -e "-*isig" -e "-*opost" | xargs echo modes',
  );
  await screen.shows(`status ${status}`);
  await screen.shows(/^modes /);
  const modes = screen.rows().findLast((row) => row.startsWith('modes '));
  expect(modes?.split(' ').slice(1).sort()).toEqual(['echo', 'icanon', 'isig', 'opost']);
}

describe('proclet run', () => {
  testWith('tmux')(
    'gives a program the terminal: it answers, lives on after Ctrl-C, and its status is passed on',
    async () => {
      const screen = await terminal(workspace({}));
      screen.enter('proclet run -- node answers.mjs');
      await screen.shows('ready, with a terminal');
      screen.enter('hello');
      await screen.shows('you said hello');
      screen.press('C-c');
      await screen.shows(/interrupted$/);
      screen.enter('still there');
      await screen.shows('you said still there');
      screen.enter('exit 3');
      await isSane(screen, 3);
      expect(screen.rows().filter((row) => row.includes('interrupted'))).toHaveLength(1);
    },
  );

  testWith('tmux')('gives a service of the Procfile the terminal too', async () => {
    const screen = await terminal(workspace({ Procfile: 'console: node answers.mjs' }));
    screen.enter('proclet run console');
    await screen.shows('ready, with a terminal');
    screen.enter('hello');
    await screen.shows('you said hello');
    screen.press('C-d');
    await isSane(screen, 0);
  });

  testWith('tmux')('stops with Ctrl-Z: the shell has its prompt back, and fg goes on', async () => {
    const screen = await terminal(workspace({}));
    screen.enter('proclet run -- node answers.mjs');
    await screen.shows('ready, with a terminal');
    screen.press('C-z');
    await screen.shows(/Stopped/);
    await screen.isBack();
    screen.enter('echo the shell is back');
    await screen.shows('the shell is back');
    screen.enter('fg');
    await screen.shows(/^proclet run/);
    screen.enter('hello again');
    await screen.shows('you said hello again');
    screen.enter('exit 0');
    await isSane(screen, 0);
  });

  testWith('tmux')('ends with 130 when Ctrl-C ends the program', async () => {
    const screen = await terminal(workspace({}));
    screen.enter("proclet run -- sh -c 'echo ready; sleep 600 | sleep 600'");
    await screen.shows('ready');
    screen.press('C-c');
    await isSane(screen, 130);
  });

  testWith('tmux')('--ttl ends a program that made the terminal raw, and the terminal is as it was', async () => {
    const screen = await terminal(workspace({}));
    screen.enter('proclet run --ttl 1s -t 200ms -- node goes-raw.mjs');
    await screen.shows('raw');
    await screen.shows(
      /^proclet: run\.1 expired after 1s: it ignored SIGTERM for \S+, so it was killed \(1 process\)$/,
    );
    await isSane(screen, 0);
    screen.enter('cat');
    screen.type('echoed');
    await screen.shows('echoed');
    screen.press('C-c');
  });

  testWith('tmux')('ends with its terminal: closing the window leaves nothing', async () => {
    const ws = workspace({});
    const screen = await terminal(ws);
    screen.enter('proclet run -t 200ms -- node spawns-a-setsid-grandchild.mjs');
    await screen.shows(/^ready \d+$/);
    screen.close();
    await eventually(() => expect(ws.survivors()).toEqual([]));
  });
});

testWith('tmux')('a job that was stopped with Ctrl-Z ends with its terminal too', async () => {
  const ws = workspace({ Procfile: 'web: echo ready; exec sleep 600' });
  const screen = await terminal(ws);
  screen.enter('proclet run -- node answers.mjs');
  await screen.shows('ready, with a terminal');
  screen.press('C-z');
  await screen.isBack();
  screen.enter('proclet start');
  await screen.shows(/ web\.1 +\| ready$/);
  screen.press('C-z');
  await screen.isBack();
  screen.close();
  await eventually(() => expect(ws.survivors()).toEqual([]));
});

describe('under proclet run', () => {
  // dash does not put the terminal's modes back when a job is stopped, with or without proclet.
  const bash = 'bash --norc --noprofile';

  testWith(
    'tmux',
    'bash',
    'python3',
  )('python3: Ctrl-C raises KeyboardInterrupt, python lives on, Ctrl-Z and fg work', async () => {
    const screen = await terminal(workspace({}), bash);
    screen.enter(`proclet run -- ${pythonItself()} -q`);
    await screen.shows('>>>');
    screen.enter('while True: pass');
    screen.enter('');
    screen.press('C-c');
    await screen.shows('KeyboardInterrupt');
    screen.enter('print(6 * 7)');
    await screen.shows('42');
    screen.press('C-z');
    await screen.shows(/Stopped/);
    screen.enter('fg');
    screen.enter('print(6 * 8)');
    await screen.shows('48');
    screen.enter('exit(5)');
    await isSane(screen, 5);
  });

  testWith(
    'tmux',
    'bash',
    'less',
  )('less: pages, survives Ctrl-C and Ctrl-Z, and leaves the screen as it was', async () => {
    const text = Array.from({ length: 200 }, (_, n) => `line ${n + 1} of the text`).join('\n');
    const screen = await terminal(workspace({ text }), bash);
    screen.enter('proclet run -- less text');
    await screen.shows('line 1 of the text');
    screen.type('G');
    await screen.shows('line 200 of the text');
    screen.press('C-c');
    // less throws away what it reads while it handles the signal.
    await eventually(() => {
      screen.type('g');
      expect(screen.rows()).toContain('line 1 of the text');
    });
    screen.press('C-z');
    await screen.shows(/Stopped/);
    await screen.isBack();
    screen.enter('fg');
    await screen.shows('line 2 of the text');
    screen.type('q');
    await isSane(screen, 0);
  });

  testWith(
    'tmux',
    'bash',
    'vi',
  )('vi: edits, survives Ctrl-C and Ctrl-Z, and writes the file', async () => {
    const ws = workspace({ text: 'first\n' });
    const screen = await terminal(ws, bash);
    screen.enter('proclet run -- vi text');
    await screen.shows('first');
    screen.type('osecond');
    await screen.shows('second');
    screen.press('Escape');
    screen.press('C-z');
    await screen.shows(/Stopped/);
    await screen.isBack();
    screen.enter('fg');
    await screen.shows('second');
    screen.press('C-c');
    screen.enter(':wq');
    await isSane(screen, 0);
    expect(readFileSync(join(ws.directory, 'text'), 'utf8')).toBe('first\nsecond\n');
  });
});

describe('proclet start', () => {
  const Procfile = 'web: echo ready; exec sleep 600\nworker: node ignores-sigterm.mjs';

  testWith('tmux')('in a terminal is in colour, and Ctrl-C ends everything and gives the prompt back', async () => {
    const ws = workspace({ Procfile });
    const screen = await terminal(ws);
    screen.enter('proclet start -t 200ms');
    await screen.shows(/ web\.1 +\| ready$/);
    await screen.shows(/ worker\.1 +\| ready$/);
    expect(screen.coloured()).toMatch(/\[[\d;]+m[\d:]+ web\.1/);
    screen.press('C-c');
    await screen.shows(/worker\.1 ignored SIGTERM for \S+, so it was killed/);
    await isSane(screen, 130);
    expect(ws.survivors().filter(({ command }) => /sleep|ignores/.test(command))).toEqual([]);
  });

  testWith('tmux')('keeps a prompt on the last row while others print above it', async () => {
    const ws = workspace({
      Procfile: 'asker: printf "name? "; exec sleep 600\ntalker: while :; do echo talk; sleep 0.2; done',
    });
    const screen = await terminal(ws);
    screen.enter('proclet start');
    await screen.shows(/ asker\.1 +\| name\?$/);
    const talks = () => screen.rows().filter((row) => / talker\.1 +\| talk$/.test(row)).length;
    await eventually(() => expect(talks()).toBeGreaterThan(3));
    await eventually(() => expect(screen.rows().findLast((row) => row !== '')).toMatch(/ asker\.1 +\| name\?$/));
    screen.press('C-c');
    await isSane(screen, 130);
  });

  testWith('tmux')('ends with its terminal: closing the window leaves nothing', async () => {
    const ws = workspace({ Procfile });
    const screen = await terminal(ws);
    screen.enter('proclet start -t 200ms');
    await screen.shows(/ worker\.1 +\| ready$/);
    screen.close();
    await eventually(() => expect(ws.survivors()).toEqual([]));
  });

  testWith('tmux')('stops with Ctrl-Z and goes on with fg', async () => {
    const screen = await terminal(workspace({ Procfile: 'web: echo ready; exec sleep 600' }));
    screen.enter('proclet start');
    await screen.shows(/ web\.1 +\| ready$/);
    screen.press('C-z');
    await screen.shows(/Stopped/);
    await screen.isBack();
    screen.enter('fg');
    await screen.shows(/^proclet start/);
    screen.press('C-c');
    await isSane(screen, 130);
  });

  describe.each(['sh', 'bash --norc --noprofile'])('in the background of %s', (shell) => {
    const ws = () =>
      workspace({ Procfile: 'web: echo ready; n=0; while :; do n=$((n+1)); echo $n >count; sleep 0.1; done' });
    /** The ticks of processor time that it has used. */
    const ticksOf = (pid: string) => {
      const fields = readFileSync(`/proc/${pid.trim()}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
      return Number(fields[11]) + Number(fields[12]);
    };
    const isFor = testWith('tmux', ...(shell.startsWith('bash') ? ['bash'] : []));

    isFor('it leaves the keys to the shell, takes them again with fg, and scales nothing', async () => {
      const one = ws();
      const screen = await terminal(one, shell);
      screen.enter('proclet start --no-timestamp --pid-file pid');
      await screen.shows(/web\.1 +\| ready/);
      screen.press('C-z');
      await screen.shows(/Stopped/);
      screen.enter('bg; echo the shell is back');
      await screen.shows('the shell is back');
      const before = ticksOf(one.read('pid'));
      const count = Number(one.read('count'));
      screen.type('p');
      await eventually(() => expect(Number(one.read('count'))).toBeGreaterThan(count + 10));
      expect(ticksOf(one.read('pid')) - before, 'a hundredth of a second each').toBeLessThan(50);
      screen.press('C-u');
      screen.enter('fg');
      await eventually(() => {
        screen.type('p');
        expect(screen.rows().join('\n')).toMatch(/web\.1 up \(pid/);
      });
      screen.press('C-c');
      await isSane(screen, 130);
      expect(screen.rows().join('\n')).not.toMatch(/web\.2/);
    });

    isFor('it ends with its terminal, of which a shell that exits and the kernel tell it nothing', async () => {
      const one = ws();
      const screen = await terminal(one, shell);
      screen.enter('proclet start --no-timestamp & proclet run -- sh -c "echo runs; exec sleep 600" &');
      await screen.shows(/web\.1 +\| ready/);
      await screen.shows(/runs$/);
      screen.enter('exit');
      await eventually(() => expect(one.survivors()).toEqual([]));
    });

    isFor(
      'a terminal that stops who writes from there hurts nothing: it prints, scales for a process, and ends',
      async () => {
        const one = ws();
        const screen = await terminal(one, shell);
        screen.enter('stty tostop; proclet start --no-timestamp --pid-file pid &');
        await screen.shows(/web\.1 +\| ready/);
        screen.enter('kill -TTIN $(cat pid)');
        await screen.shows(/web\.2 +\| ready/);
        screen.enter('kill -TTOU $(cat pid)');
        await screen.shows(/proclet +\| web\.2 stopped/);
        screen.enter('kill $(cat pid); wait; echo it ended');
        await screen.shows('it ended');
        await isSane(screen, 0);
      },
    );
  });
});
