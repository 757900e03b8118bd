/** Keys, terminals of services, and the verbs as a person types them, in tmux. */
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { has, type Terminal, terminal } from '../support/terminal.js';
import { workspace } from '../support/workspace.js';

const isTmuxThere = has('tmux');
const isScriptThere = has('script');
const testHere = test.skipIf(!isTmuxThere);

/** The shell is back and sane. */
async function isSane(screen: Terminal): Promise<void> {
  await screen.isBack();
  screen.enter('stty -a | tr ";" "\\n" | grep -ow -e "-*echo" -e "-*icanon" | xargs echo modes');
  await eventually(() => expect(screen.rows()).toContain('modes icanon echo'));
}

describe('keys while proclet is in front', () => {
  testHere('restart, extend, ask, send a line, explain and quit; the terminal is as before', async () => {
    const ws = workspace({ Procfile: 'web: echo up; sleep 600\necho: cat\n' });
    const screen = await terminal(ws);
    screen.enter('proclet start --no-timestamp --ttl web=1h');
    await screen.shows('web.1   | up');
    await eventually(() => {
      screen.type('?');
      expect(screen.rows().join('\n')).toContain('restart a service');
    });
    screen.type('r');
    await screen.shows(/restart which\? 1 web {2}2 echo/);
    screen.type('1');
    await screen.shows(/web\.1 stopped .*starting again/);
    screen.type('l');
    await screen.shows(/web has 1h9m\d* ?left|web has 1h9m\d+s left|web has 1h\d+m left/);
    screen.type('s2');
    await screen.shows(/a line for echo, then Enter/);
    screen.type('good day');
    screen.press('Enter');
    await screen.shows('echo.1  | good day');
    screen.type('p');
    await screen.shows(/web\.1 (up|starting) \(pid \d+\), 1h\d+m/);
    screen.type('qq');
    await isSane(screen);
    expect(screen.rows().join('\n')).toMatch(/echo\.1 stopped/);
  });

  testHere('are nothing with --no-keys', async () => {
    const screen = await terminal(workspace({ Procfile: 'web: echo up; sleep 600' }));
    screen.enter('proclet start --no-timestamp --no-keys');
    await screen.shows('web.1   | up');
    screen.type('qq');
    screen.press('C-c');
    await screen.shows(/stopping web\.1: SIGINT \(Ctrl-C\)/);
    await screen.isBack();
    await isSane(screen);
  });
});

describe('a service with a terminal of its own', () => {
  test.skipIf(!isTmuxThere || !isScriptThere)(
    'is attached like pdb in front of one, has its size, and is left again',
    async () => {
      const program =
        "import sys, os\nprint(sys.stdin.isatty(), os.get_terminal_size().columns, flush=True)\nx = 41\nbreakpoint()\nprint('went on', flush=True)\nimport time; time.sleep(600)\n";
      const ws = workspace({
        Procfile: 'web: exec python3 debugged.py\nother: sleep 600',
        'debugged.py': program,
        'proclet.yml': 'services: {web: {tty: true}}',
      });
      const screen = await terminal(ws);
      screen.enter('proclet start -D && proclet wait -q && proclet logs web --no-timestamp');
      await screen.shows(/web\.1 +\| True/);
      screen.enter('proclet attach web');
      await screen.shows(/leave it with Ctrl-\]/);
      screen.enter('p x + 1');
      await screen.shows('42');
      screen.enter('import os; os.get_terminal_size()');
      await screen.shows(/columns=100, lines=30/);
      screen.enter('c');
      await screen.shows('went on');
      screen.press('C-]');
      await screen.shows('proclet: left web');
      await isSane(screen);
      screen.enter('proclet attach other');
      await screen.shows(/other\.1 started/);
      screen.press('C-c');
      await screen.isBack();
      screen.enter('clear; proclet stop');
      await screen.shows(/^web\.1 stopped \(1 process/);
      await screen.isBack();
    },
  );
});

describe('a session', () => {
  testHere('of the verbs reads well, on a narrow terminal too', async () => {
    const ws = workspace({ Procfile: 'web: echo up; sleep 600\nworker: sleep 600\necho: cat\n' });
    const screen = await terminal(ws);
    screen.enter('proclet start -D --ttl web=1h; proclet wait');
    await screen.shows('web.1, worker.1, echo.1: up (nothing listens)');
    screen.enter('clear; proclet ps');
    await screen.shows(/^web\.1 +up \(nothing listens\) +\d+ +\d+ +- +\d+s/);
    for (const row of screen.rows()) expect(row.length).toBeLessThanOrEqual(100);
    expect(screen.coloured()).toContain('\x1b[');
    screen.enter(
      'clear; proclet send echo "good day"; proclet scale worker=2; proclet signal CONT worker; proclet extend web 5m; proclet keep web; proclet touch worker',
    );
    await screen.shows('worker: 2 instances');
    await screen.shows('SIGCONT to worker.1, worker.2');
    await screen.shows(/^web has 1h\d+m.* left$/);
    await screen.shows('web is kept: it runs until it is stopped');
    await screen.shows('worker has no end');
    await screen.isBack();
    screen.enter('proclet ps --watch');
    await screen.shows(/^worker\.2/);
    screen.type('q');
    await isSane(screen);
    screen.enter(
      'clear; proclet restart web; proclet expire worker; proclet logs -n 1 web --no-timestamp; proclet events -n 1 echo; proclet stop; proclet ps',
    );
    await screen.shows('web.1: up (nothing listens)');
    await screen.shows('worker expires now');
    await screen.shows(/^web\.1 +\| up$/m);
    await screen.shows(/"type":"output","id":"echo\.1"/);
    await screen.shows(/^web\.1 stopped/);
    await screen.shows(/^proclet: no proclet runs for/);
    await screen.isBack();
  });
});
