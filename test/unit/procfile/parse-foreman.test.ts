import { describe, expect, test } from 'vitest';
import { parseForeman } from '../../../src/procfile/parse-foreman.js';

const names = ['procfile', 'port', 'formation', 'concurrency', 'env', 'root', 'timeout', 'color', 'timestamp'];

describe('parseForeman', () => {
  test('reads the options of foreman, each with its line', () => {
    const text =
      'procfile: Procfile.dev\nport: 3000\nconcurrency: web=2,worker=1\ncolor: false\nenv: .env,.env.local\n';
    expect(parseForeman(text, '.foreman', names)).toEqual({
      ok: true,
      value: {
        procfile: { text: 'Procfile.dev', origin: '.foreman:1:1' },
        port: { text: '3000', origin: '.foreman:2:1' },
        concurrency: { text: 'web=2,worker=1', origin: '.foreman:3:1' },
        color: { text: 'false', origin: '.foreman:4:1' },
        env: { text: '.env,.env.local', origin: '.foreman:5:1' },
      },
    });
  });

  test('passes over what only foreman export takes', () => {
    expect(parseForeman('app: x\nuser: me\nport: 1', '.foreman', names)).toEqual({
      ok: true,
      value: { port: { text: '1', origin: '.foreman:3:1' } },
    });
  });

  test.each([
    ['prot: 3000', { line: 1, column: 1, message: 'prot is not a setting', hint: 'did you mean port?' }],
    ['port: 1\nwhatever-else: x', { line: 2, column: 1, message: 'whatever-else is not a setting' }],
    ['port: {a: 1}', { line: 1, column: 1, message: 'port must be a text, a number, true, false or a list of those' }],
    ['- port', { line: 1, column: 1, message: 'the file must be a map of keys and values, such as services:' }],
  ])('refuses %j', (text, problem) => {
    expect(parseForeman(text, '.foreman', names)).toEqual({ ok: false, problems: [{ path: '.foreman', ...problem }] });
  });
});
