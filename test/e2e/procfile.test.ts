/** The promise: the Procfile and the .env that you have work as they are. */
import { describe, expect, test } from 'vitest';
import { linesOf, procletWith, shell, statusOf, variablesOf } from '../support/launch.js';
import { workspace } from '../support/workspace.js';

describe('a Procfile', () => {
  test.each([
    { how: 'with CRLF line ends', text: 'web: echo one\r\nworker: echo two\r\n', web: 'one', worker: 'two' },
    { how: 'with a byte order mark', text: '\uFEFFweb: echo one\nworker: echo two', web: 'one', worker: 'two' },
    { how: 'with tabs', text: 'web:\techo\tone\n\tworker\t:\techo two\t\n', web: 'one', worker: 'two' },
    { how: 'without spaces after the colon', text: 'web:echo one\nworker:echo two', web: 'one', worker: 'two' },
    {
      how: 'with comments and blank lines',
      text: '# all\n\nweb: echo one # first\n  # x\n\nworker: echo two',
      web: 'one',
      worker: 'two',
    },
    { how: 'with colons and # in commands', text: 'web: echo a:b#c\nworker: echo "# d"', web: 'a:b#c', worker: '# d' },
    {
      how: 'with pipes and &&',
      text: 'web: echo one | tr a-z A-Z\nworker: true && echo two || echo three',
      web: 'ONE',
      worker: 'two',
    },
    {
      how: 'with variables set before the command',
      text: 'web: A=one; echo $A\nworker: B=two node -p process.env.B',
      web: 'one',
      worker: 'two',
    },
    {
      how: 'with quotes and escapes',
      text: `web: echo "it's"\nworker: echo 'a "b"' c\\ d`,
      web: "it's",
      worker: 'a "b" c d',
    },
    {
      how: 'with redirections',
      text: 'web: echo one >&2\nworker: cat <missing 2>/dev/null || echo two',
      web: 'one',
      worker: 'two',
    },
  ])('$how runs', async ({ text, web, worker }) => {
    const app = workspace({ Procfile: text }).proclet('start');
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'web.1')).toContain(web);
    expect(linesOf(app, 'worker.1')).toContain(worker);
  });

  test('with a default for PORT gets proclet’s port instead', async () => {
    const app = workspace({ Procfile: `web: echo "-p \${PORT:-3000} \${NOTHING:-default}"` }).proclet('start');
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'web.1')).toEqual(['-p 5000 default']);
  });

  test('of a real project runs: a program with $PORT among its arguments, signalled itself when it is stopped', async () => {
    const program = `
      process.on('SIGTERM', () => { console.log('bye'); process.exit(0); });
      console.log(JSON.stringify(process.argv.slice(2)));
      setInterval(() => {}, 1000);`;
    const ws = workspace({ Procfile: 'psgi: node plackup.mjs -p $PORT app.psgi -L Shotgun', 'plackup.mjs': program });
    const app = ws.proclet('start');
    await app.line('psgi.1 | ["-p","5000","app.psgi","-L","Shotgun"]');
    app.signal('SIGINT');
    expect(await statusOf(app)).toBe(130);
    expect(linesOf(app, 'psgi.1').at(-1)).toBe('bye');
  });

  test('command is run by the shell that --shell names', async () => {
    const ws = workspace({ Procfile: 'web: anything at all' });
    const app = shell(
      ws,
      `printf '#!/bin/sh\\necho "shell got: $*"\\n' >mysh; chmod +x mysh; proclet start --shell ./mysh`,
    );
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'web.1')).toEqual([expect.stringMatching(/^shell got: -c (exec )?anything at all$/)]);
  });
});

describe('a .env', () => {
  test('is read in its whole dialect', async () => {
    const dotenv = [
      '# comment',
      'PLAIN=a value # comment',
      'export EXPORTED=yes',
      "RAW='$HOME \\n # raw'",
      'ESCAPED="tab\\tquote\\" dollar\\$HOME"',
      'URL=http://example.com/#fragment',
      'EMPTY=',
      'SPACED = around ',
      'KEY="-----BEGIN KEY-----',
      'line two',
      '-----END KEY-----"',
      'LAST=one\r',
    ].join('\n');
    const program = `
      const { PLAIN, EXPORTED, RAW, ESCAPED, URL: address, EMPTY, SPACED, KEY, LAST } = process.env;
      console.log(JSON.stringify({ PLAIN, EXPORTED, RAW, ESCAPED, address, EMPTY, SPACED, KEY, LAST }));`;
    const ws = workspace({ Procfile: 'web: node show.mjs', 'show.mjs': program, '.env': dotenv });
    const app = ws.proclet('start');
    expect(await statusOf(app)).toBe(0);
    expect(JSON.parse(linesOf(app, 'web.1')[0] ?? '')).toEqual({
      PLAIN: 'a value',
      EXPORTED: 'yes',
      RAW: '$HOME \\n # raw',
      ESCAPED: 'tab\tquote" dollar$HOME',
      address: 'http://example.com/#fragment',
      EMPTY: '',
      SPACED: 'around',
      KEY: '-----BEGIN KEY-----\nline two\n-----END KEY-----',
      LAST: 'one',
    });
  });

  test('that cannot be read starts nothing, and names each line', async () => {
    const app = workspace({ Procfile: 'web: true', '.env': 'A=1\nB C\nD\n' }).proclet('start');
    expect(await statusOf(app)).toBe(2);
    expect(app.stderr).toMatch(/^proclet: \.env:2: 'B C' is not 'KEY=value'/);
    expect(app.stderr).toMatch(/^proclet: \.env:3: 'D' is not 'KEY=value'/m);
    expect(app.stdout).toBe('');
  });
});

describe('proclet.yml', () => {
  const config = (text: string) => `services:\n  web:\n${text.replace(/^/gm, '    ')}\n`;

  test('port: false gives a service no PORT, and the others keep theirs', async () => {
    const ws = workspace({ Procfile: 'web: env\nother: env', 'proclet.yml': config('port: false') });
    const app = procletWith(ws, { PORT: '7000' }, 'start');
    expect(await statusOf(app)).toBe(0);
    expect(variablesOf(app, 'web.1')).not.toHaveProperty('PORT');
    expect(variablesOf(app, 'web.1')).toMatchObject({ PS: 'web.1', PROCLET_PORT_OTHER: '7100' });
    expect(variablesOf(app, 'other.1')).toMatchObject({ PORT: '7100' });
    expect(linesOf(app, 'proclet').join('\n')).toMatch(/web\.1 started \(pid \d+\)$/m);
  });

  test('env wins over env-file, its later files over the earlier ones, and these over .env and the environment', async () => {
    const ws = workspace({
      Procfile: 'web: env\nother: env',
      '.env': 'A=dotenv\nB=dotenv\nC=dotenv\nD=dotenv',
      '.env.all': 'A=all\nB=all\nC=all\nE=all',
      '.env.web': 'A=file\nB=file\nC=file',
      'proclet.yml': config('env-file: [.env.all, .env.web]\nenv: {A: service, N: 1.10, FLAG: true}'),
    });
    const app = procletWith(ws, { B: 'environment', D: 'environment' }, 'start');
    expect(await statusOf(app)).toBe(0);
    expect(variablesOf(app, 'web.1')).toMatchObject({
      A: 'service',
      B: 'file',
      C: 'file',
      D: 'environment',
      E: 'all',
      N: '1.10',
      FLAG: 'true',
    });
    expect(variablesOf(app, 'other.1')).toMatchObject({ A: 'dotenv', B: 'environment', C: 'dotenv', D: 'environment' });
  });

  test('directory, umask, instances and port are as it says', async () => {
    const ws = workspace({
      Procfile: 'web: echo $(pwd) $(umask) $PORT\nother: echo $PROCLET_PORT_WEB $PORT',
      'proclet.yml': config('directory: inner\numask: 027\ninstances: 2\nport: 9022'),
      'inner/file': '',
    });
    const app = ws.proclet('start');
    expect(await statusOf(app)).toBe(0);
    expect(linesOf(app, 'web.1')).toEqual([`${ws.directory}/inner 0027 9022`]);
    expect(linesOf(app, 'web.2')).toEqual([`${ws.directory}/inner 0027 9023`]);
    expect(linesOf(app, 'other.1')).toEqual(['9022 5100']);
  });

  test('stop-signal and grace are as it says, and -t wins over grace', async () => {
    const web = `trap 'echo got TERM' TERM; trap 'echo got USR1; exit 0' USR1; echo ready; sleep 600 & wait; wait`;
    const ws = workspace({
      Procfile: `web: ${web}\ndeaf: node ignores-sigterm.mjs`,
      'proclet.yml': `${config('stop-signal: USR1')}  deaf: {grace: 1h}\n`,
    });
    const app = ws.proclet('start', '-t', '1s');
    await app.line('web.1 | ready');
    await app.line('deaf.1 | ready');
    app.signal('SIGINT');
    expect(await statusOf(app)).toBe(130);
    expect(linesOf(app, 'web.1')).toEqual(['ready', 'got USR1']);
    expect(app.text).toMatch(/web\.1 stopped \(2 processes, USR1 /);
    expect(app.text).toMatch(/deaf\.1 ignored SIGTERM for (1|1\.\d)s/);
  });

  test('grace of a service is its own', async () => {
    const ws = workspace({ Procfile: 'web: node ignores-sigterm.mjs', 'proclet.yml': config('grace: 300ms') });
    const app = ws.proclet('start');
    await app.line('web.1 | ready');
    app.signal('SIGINT');
    expect(await statusOf(app)).toBe(130);
    expect(app.text).toMatch(/web\.1 ignored SIGTERM for (\d+ms|0\.\ds)/);
  });

  test('a directory that does not exist is said in the line about the start', async () => {
    const ws = workspace({ Procfile: 'web: true', 'proclet.yml': config('directory: nowhere\nrestart: never') });
    const app = ws.proclet('start');
    expect(await statusOf(app)).toBe(127);
    expect(app.text).toContain(`web.1 could not be started: its directory ${ws.directory}/nowhere does not exist`);
  });

  test.skipIf(process.getuid?.() !== 0)(
    'user is who the service runs as (only where the tests run as root)',
    async () => {
      const ws = workspace({
        Procfile: 'web: id -un; echo $HOME',
        'proclet.yml': config('user: nobody\ndirectory: /'),
      });
      const app = ws.proclet('start');
      expect(await statusOf(app)).toBe(0);
      expect(linesOf(app, 'web.1')[0]).toBe('nobody');
    },
  );
});
