/** `eval "$(proclet alias)"` in the real shells: what is evaluated runs the service, and nothing else, whatever it is called. */
import { describe, expect, test } from 'vitest';
import { environment } from '../support/environment.js';
import { statusOf } from '../support/launch.js';
import { has } from '../support/terminal.js';
import { bin, type Workspace, workspace } from '../support/workspace.js';

const wild = `it's a "$(touch harmed)" \`touch harmed\` \\ & ; é`;

/** Evaluates the aliases, then runs the script, in which `proclet` is a command. */
const scripts: Record<string, (script: string) => string[]> = {
  bash: (script) => ['--norc', '-c', `shopt -s expand_aliases; eval "$(proclet alias --shell bash)"\n${script}`],
  zsh: (script) => ['-f', '-c', `setopt aliases; eval "$(proclet alias --shell zsh)"\neval ${quoted(script)}`],
  fish: (script) => ['--no-config', '-c', `proclet alias --shell fish | source\n${script}`],
};
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

function evaluate(ws: Workspace, shell: string, script: string) {
  ws.write('bin/proclet', `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`);
  const path = `${ws.directory}/bin:${environment()['PATH']}`;
  const run = `chmod +x bin/proclet; PATH=${quoted(path)} exec ${shell} ${scripts[shell]?.(script).map(quoted).join(' ')}`;
  return ws.start('sh', ['-c', run]);
}

describe.each(Object.keys(scripts))('%s', (shell) => {
  test.skipIf(!has(shell))('runs a service of a project by one word, in a directory of any name', async () => {
    const ws = workspace({
      [`${wild}/Procfile`]: 'web: echo "web in $(basename "$PWD")"\nd-b: echo db\n',
      'plain/Procfile': 'web: echo plain web\n',
    });
    expect(await statusOf(ws.proclet('project', 'add', wild, '--name', 'Wild_1'))).toBe(0);
    expect(await statusOf(ws.proclet('project', 'add', 'plain'))).toBe(0);
    const app = evaluate(ws, shell, 'plain-web; Wild_1-web; Wild_1-d-b');
    expect(await statusOf(app)).toBe(0);
    const printed = app.stdout.split('\n').filter((line) => line !== '');
    expect(printed).toEqual(['plain web', `web in ${wild}`, 'db']);
    expect(() => ws.read('harmed')).toThrow();
  });

  test.skipIf(!has(shell))('hears of names that are taken, and keeps what it had', async () => {
    const ws = workspace({
      'a/Procfile': 'b-c: echo first\n',
      'a-b/Procfile': 'c: echo second\n',
      'redis/Procfile': 'server: echo ours\n',
      'bin/redis-server': '#!/bin/sh\necho theirs\n',
    });
    for (const name of ['a', 'a-b', 'redis']) await ws.proclet('project', 'add', name).exited;
    const app = evaluate(ws, shell, 'a-b-c; sh bin/redis-server');
    expect(await statusOf(app)).toBe(0);
    expect(app.stdout).toBe('first\ntheirs\n');
    expect(app.stderr).toContain('a-b-c is the alias of a/b-c already, so a-b/c has none');
  });
});
