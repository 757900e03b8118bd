import { describe, expect, test } from 'vitest';
import { parseDotenv, unexpandedIn } from '../../../src/procfile/parse-dotenv.js';

function variables(text: string): Record<string, string> {
  const parsed = parseDotenv(text, '.env');
  if (!parsed.ok) throw new Error(parsed.problems.map(({ line, message }) => `${line}: ${message}`).join('; '));
  return { ...parsed.value };
}

function problems(text: string): string[] {
  const parsed = parseDotenv(text, '.env');
  if (parsed.ok) throw new Error(`it parsed: ${JSON.stringify(parsed.value)}`);
  return parsed.problems.map(({ line, message, hint }) => `${line}: ${message}${hint ? ` (${hint})` : ''}`);
}

describe('parseDotenv reads', () => {
  test.each<[string, string, Record<string, string>]>([
    ['nothing', '', {}],
    ['comments and blank lines', '# a\n\n  # b\n\t\n', {}],
    ['a plain value', 'KEY=value', { KEY: 'value' }],
    ['an empty value', 'KEY=\nB=""\nC=\'\'', { KEY: '', B: '', C: '' }],
    ['export', 'export KEY=value\n\texport\tB=2', { KEY: 'value', B: '2' }],
    ['a key named export', 'export=1\nexport = 2', { export: '2' }],
    ['spaces around =', '  KEY = a b  ', { KEY: 'a b' }],
    ['keys with dots, dashes and digits', 'a.b-c_1=x', { 'a.b-c_1': 'x' }],
    ['= in a value', 'URL=postgres://u:p@h/db?x=1&y=2', { URL: 'postgres://u:p@h/db?x=1&y=2' }],
    ['# in a value', 'URL=http://x/#frag', { URL: 'http://x/#frag' }],
    ['a value that begins with #', 'COLOR=#fff', { COLOR: '#fff' }],
    ['an inline comment', 'KEY=value # note\nB=2\t#note', { KEY: 'value', B: '2' }],
    ['an inline comment and no value', 'KEY= # note', { KEY: '' }],
    ['inline comments after quotes', 'A="x" # note\nB=\'y\'\t# note', { A: 'x', B: 'y' }],
    ['# within quotes', 'A="x # y"\nB=\'x # y\'', { A: 'x # y', B: 'x # y' }],
    ['single quotes raw', 'A=\'$HOME \\n "x"\'', { A: '$HOME \\n "x"' }],
    ['backticks as they are', 'A=`it\'s "x" # $y\n2`', { A: 'it\'s "x" # $y\n2' }],
    ['escapes in double quotes', String.raw`A="a\nb\rc\td\\e\"f\$g\`h"`, { A: 'a\nb\rc\td\\e"f$g`h' }],
    ['an unknown escape with its backslash', String.raw`A="\d+\w"`, { A: String.raw`\d+\w` }],
    ['an escaped backslash before an n', String.raw`A="\\n"`, { A: String.raw`\n` }],
    ['double quotes over lines', 'A="one\ntwo # no comment\n"\nB=3', { A: 'one\ntwo # no comment\n', B: '3' }],
    ['single quotes over lines', "A='-----BEGIN\nxyz\n-----END'\nB=3", { A: '-----BEGIN\nxyz\n-----END', B: '3' }],
    ['no expansion', 'A=$HOME/x\nB="$' + '{HOME}"', { A: '$HOME/x', B: '$' + '{HOME}' }],
    ['quotes in the middle of a value', `A=it's "so"`, { A: `it's "so"` }],
    ['backslashes of a plain value', String.raw`A=C:\new`, { A: String.raw`C:\new` }],
    ['CRLF', 'A=1\r\nB="x\r\ny" # c\r\n\r\n# d\r\nC=3\r\n', { A: '1', B: 'x\ny', C: '3' }],
    ['a CR at the very end', 'A=1\r', { A: '1' }],
    ['a byte order mark', '\uFEFFA=1', { A: '1' }],
    ['the later of two', 'A=1\nB=2\nA=3', { A: '3', B: '2' }],
    ['a value with a line separator that is no line feed', 'A=x\u2028y # z', { A: 'x\u2028y' }],
  ])('%s', (_, text, expected) => {
    expect(variables(text)).toEqual(expected);
  });

  test('names that objects have by nature, as names like any other', () => {
    const parsed = parseDotenv('__proto__=a\nconstructor=b', '.env');
    expect(parsed.ok && Object.entries(parsed.value)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    expect(parsed.ok && parsed.value['toString']).toBeUndefined();
    expect({}).not.toHaveProperty('a');
  });
});

describe('parseDotenv refuses', () => {
  test.each([
    ['a line without =', 'A=1\nnonsense\n', ["2: 'nonsense' is not 'KEY=value' (comments start with #)"]],
    ['export without =', 'export A', ["1: 'export A' is not 'KEY=value' (comments start with #)"]],
    ['a key that begins with a digit', '1A=2', ["1: '1A=2' is not 'KEY=value' (comments start with #)"]],
    ['no key', '=2', ["1: '=2' is not 'KEY=value' (comments start with #)"]],
    ['a key with a space', 'A B=2', ["1: 'A B=2' is not 'KEY=value' (comments start with #)"]],
    ['a quote that is never closed', 'A=1\nB="x\ny\n', ['2: the quote opened here is never closed']],
    ['a single quote that is never closed', "A='x", ['1: the quote opened here is never closed']],
    ['a quote closed only by an escape', 'A="x\\"', ['1: the quote opened here is never closed']],
    ['text after the quote', 'A="x"y', ["1: 'y' follows the closing quote (quote the whole value)"]],
    ['a comment that touches the quote', 'A="x"#y', ["1: '#y' follows the closing quote (quote the whole value)"]],
    [
      'a quote closed by the opening of another',
      'A="x\nB="y"\nC=1',
      ["2: 'y\"' follows the closing quote (the quote was opened on line 1)"],
    ],
    ['a NUL byte', 'A=x\0', ['1: A contains a NUL byte, which no variable can hold']],
  ])('%s', (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  test('everything that is wrong, up to a quote that never closes', () => {
    const found = problems('one\nA="b\nc"\ntwo\nB="x\nthree');
    expect(found.map((problem) => problem.split(':')[0])).toEqual(['1', '4', '5']);
  });

  test('a line that begins with a carriage return, rather than skip it', () => {
    expect(problems('\rA=1')).toHaveLength(1);
  });
});

test('of values that look as if they were to be expanded the first is named with its line, and the others', () => {
  const text = 'A=1\nPATH=$HOME/bin:$PATH\nB=\'$X\'\nC=`$X`\nD="${X}"\nE=$5\n';
  expect(unexpandedIn(text, '.env')).toEqual([expect.stringMatching(/^\.env:2: PATH \(and D\) keeps its \$ as it is/)]);
  expect(unexpandedIn('A=1', '.env')).toEqual([]);
});
