import { describe, expect, test } from 'vitest';
import { shellLine } from '../../../src/plan/shell-line.js';

describe('a command', () => {
  test.each([
    'node server.js',
    'bundle exec puma -C config/puma.rb',
    './bin/web',
    'plackup -p $PORT app.psgi -L Shotgun',
    `perl -e 'print 1'`,
    'redis-server',
  ])('that is one program takes the place of the shell: %s', (command) => {
    expect(shellLine(command)).toBe(`exec ${command}`);
  });

  test.each([
    'a && b',
    'a | b',
    'a; b',
    'a > log',
    'a &',
    'FOO=1 a',
    'cd web && npm start',
    'cd web',
    'echo hi',
    '(a)',
    '{ a; }',
    '! a',
    '$PROGRAM a',
    '"my program" a',
    'a $(b)',
    'a `b`',
    'a # comment',
    ['a $', '{PORT:-3000}'].join(''),
    'a \\',
    'while true; do a; done',
    'exec a',
  ])('that needs the shell is left to it: %s', (command) => {
    expect(shellLine(command)).toBe(command);
  });

  test('is left as it is for a shell that may not know exec', () => {
    expect(shellLine('node server.js', '/usr/bin/python3')).toBe('node server.js');
    expect(shellLine('node server.js', '/bin/bash')).toBe('exec node server.js');
  });
});
