import { describe, expect, test } from 'vitest';
import { parseProcfile } from '../../../src/procfile/parse-procfile.js';

/** The entries as `line tag: command`, or the problems as `line: message (hint)`. */
function read(text: string): string[] {
  const parsed = parseProcfile(text, 'Procfile');
  if (parsed.ok) return parsed.value.entries.map(({ line, tag, command }) => `${line} ${tag}: ${command}`);
  return parsed.problems.map(({ line, message, hint }) => `${line ?? 'file'}: ${message}${hint ? ` (${hint})` : ''}`);
}

const rails = `web: bundle exec puma -C config/puma.rb -p \${PORT:-3000}
worker: bundle exec sidekiq -q default -q mailers
css: yarn build:css --watch
release: bundle exec rails db:migrate && bundle exec rails assets:precompile
`;

const django = `# Django
web: gunicorn mysite.wsgi --bind 0.0.0.0:$PORT --log-file -

worker:\tcelery -A mysite worker -l info 2>&1 | tee log/celery.log
beat: celery -A mysite beat # the scheduler
`;

const perl = `psgi: plackup -R lib,script -p $PORT app.psgi
starman: starman --workers 4 --env development app.psgi
job-queue: perl -Ilib script/worker.pl --once; sleep 1
`;

describe('parseProcfile reads', () => {
  test.each([
    [
      'a Rails Procfile',
      rails,
      [
        '1 web: bundle exec puma -C config/puma.rb -p $' + '{PORT:-3000}',
        '2 worker: bundle exec sidekiq -q default -q mailers',
        '3 css: yarn build:css --watch',
        '4 release: bundle exec rails db:migrate && bundle exec rails assets:precompile',
      ],
    ],
    [
      'a Django Procfile, and leaves comments in commands to the shell',
      django,
      [
        '2 web: gunicorn mysite.wsgi --bind 0.0.0.0:$PORT --log-file -',
        '4 worker: celery -A mysite worker -l info 2>&1 | tee log/celery.log',
        '5 beat: celery -A mysite beat # the scheduler',
      ],
    ],
    [
      'a Perl Procfile',
      perl,
      [
        '1 psgi: plackup -R lib,script -p $PORT app.psgi',
        '2 starman: starman --workers 4 --env development app.psgi',
        '3 job-queue: perl -Ilib script/worker.pl --once; sleep 1',
      ],
    ],
    ['no space after the colon', 'web:cmd', ['1 web: cmd']],
    ['spaces and tabs around everything', ' \tweb \t:\t cmd  arg \t', ['1 web: cmd  arg']],
    ['CRLF line ends', 'web: a\r\n# note\r\n\r\nworker: b\r\n', ['1 web: a', '4 worker: b']],
    ['a CR at the very end', 'web: a\r', ['1 web: a']],
    ['a byte order mark', '\uFEFFweb: a\n', ['1 web: a']],
    ['tags of every allowed character', 'Web_2-a: x\n_: y\n-: z\n0: n', ['1 Web_2-a: x', '2 _: y', '3 -: z', '4 0: n']],
    ['tags that differ only in case', 'web: a\nWeb: b', ['1 web: a', '2 Web: b']],
    ['tags that objects have by nature', '__proto__: a\nconstructor: b', ['1 __proto__: a', '2 constructor: b']],
    ['colons in a command', 'web: curl http://localhost:80', ['1 web: curl http://localhost:80']],
    ['a command that begins with a colon', 'web:: no-op', ['1 web: : no-op']],
    ['a command with a line separator that is no line feed', 'web: a\u2028b', ['1 web: a\u2028b']],
    ['indented comments', '  # web: no\nweb: yes', ['2 web: yes']],
  ])('%s', (_, text, entries) => {
    expect(read(text)).toEqual(entries);
  });

  test('the path goes through', () => {
    expect(parseProcfile('web: a', 'x/Procfile.dev')).toMatchObject({ ok: true, value: { path: 'x/Procfile.dev' } });
  });
});

describe('parseProcfile refuses', () => {
  test.each([
    [
      'a tag that is already there',
      'web: a\nworker: b\nweb: c',
      ["3: 'web' is already defined on line 1 (rename one, or run several of the same with --formation web=2)"],
    ],
    ['a tag without a command', 'web:\n', ["1: 'web' has no command (write it after the colon, or put # before web)"]],
    ['a line without a colon', 'web: a\nnpm start', ["2: 'npm start' is not 'tag: command' (comments start with #)"]],
    [
      'a command without a tag',
      ': npm start',
      ['1: there is no tag before the colon (write web: and then the command)'],
    ],
    ['a tag with a dot', 'my.app: a', ["1: 'my.app' is not a tag (a tag is made of letters, digits, - and _)"]],
    ['a tag with an umlaut', 'bücher: a', ["1: 'bücher' is not a tag (a tag is made of letters, digits, - and _)"]],
    ['words before the colon', 'run this: a', ["1: 'run this: a' is not 'tag: command' (comments start with #)"]],
    [
      'a continued line',
      'web: a \\\n  --flag',
      ["2: '--flag' is not 'tag: command' (a backslash does not continue a line here; write the command on one line)"],
    ],
    ['a NUL byte', 'web: a\0b', ['1: it contains a NUL byte, which no command can hold']],
    ['an empty file', '', ['file: it defines no services (write a line for each, such as web: npm start)']],
    ['only comments', '# a\n\n', ['file: it defines no services (write a line for each, such as web: npm start)']],
  ])('%s', (_, text, problems) => {
    expect(read(text)).toEqual(problems);
  });

  test('everything that is wrong, in one answer', () => {
    const problems = read('web: a\nnonsense\nworker:\nweb: b\nweb:\n');
    expect(problems.map((problem) => problem.split(':')[0])).toEqual(['2', '3', '4', '5']);
  });

  test('a long line, showing only its beginning', () => {
    expect(read('x'.repeat(5000))[0]).toContain(`'${'x'.repeat(40)}…'`);
  });

  test('a line with control characters, showing them', () => {
    expect(read('a\x1b[31m b')[0]).toContain("'a\\u001b[31m b'");
  });
});
