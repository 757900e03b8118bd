import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { readEnvDirectory } from '../../../src/platform/env-directory.js';
import { Ignores } from '../../../src/platform/ignores.js';
import { createRules } from '../../../src/platform/watch-rules.js';

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true });
});

function project(files: Record<string, string>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'proclet-watch-')));
  made.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

function matched(files: Record<string, string>, patterns: readonly string[], paths: readonly string[]): string[] {
  const root = project(files);
  const rules = createRules(root, patterns, new Ignores(root));
  return paths.filter((path) => rules.matches(join(root, path)));
}

const tree = { 'lib/A.pm': '', 'lib/deep/B.pm': '', 'script/app.psgi': '', 'app.psgi': '', 'web/lib/x.js': '' };

describe('a pattern', () => {
  test.each([
    ['the name of a directory is all below it, and no other of that name', ['lib'], ['lib/A.pm', 'lib/deep/B.pm']],
    ['with ./ and / it is the same', ['./lib/'], ['lib/A.pm', 'lib/deep/B.pm']],
    ['a file is that file', ['app.psgi'], ['app.psgi']],
    ['without a slash a wildcard is at any depth', ['*.psgi'], ['app.psgi', 'script/app.psgi']],
    ['behind a slash it is there', ['lib/*.pm'], ['lib/A.pm']],
    ['** is any depth', ['lib/**/*.pm'], ['lib/A.pm', 'lib/deep/B.pm']],
    ['{a,b} is either', ['{lib,script}/*.{pm,psgi}'], ['lib/A.pm', 'script/app.psgi']],
    ['. is everything', ['.'], Object.keys(tree)],
    ['! takes out again', ['.', '!web', '!*.psgi'], ['lib/A.pm', 'lib/deep/B.pm']],
    ['several add up', ['app.psgi', 'web/**'], ['app.psgi', 'web/lib/x.js']],
  ])('%s', (_, patterns, wanted) => {
    expect(matched(tree, patterns, Object.keys(tree)).sort()).toEqual([...wanted].sort());
  });

  test('may lead out of the project', () => {
    const root = project({ 'app/Procfile': '', 'shared/x.js': '' });
    const rules = createRules(join(root, 'app'), ['../shared'], new Ignores(join(root, 'app')));
    expect(rules.matches(join(root, 'shared/x.js'))).toBe(true);
    expect(rules.matches(join(root, 'app/Procfile'))).toBe(false);
  });
});

describe('what is ignored', () => {
  const droppings = [
    '.git/HEAD',
    'node_modules/a/i.js',
    'a.swp',
    'a~',
    '4913',
    '.#a',
    '#a#',
    'a.pyc',
    'x/___jb_tmp___',
  ];

  test.each(droppings)('%s, although nothing says so', (path) => {
    expect(matched({}, ['.'], [path, 'a'])).toEqual(['a']);
  });

  test('what .gitignore names, those of inner directories included, the inner one first', () => {
    const files = { '.git/HEAD': '', '.gitignore': 'build\n*.css\n', 'web/.gitignore': '!keep.css\nout\n' };
    const paths = ['build/a.js', 'a.css', 'web/b.css', 'web/keep.css', 'web/out/x', 'web/a.js'];
    expect(matched(files, ['.'], paths)).toEqual(['web/keep.css', 'web/a.js']);
  });

  test('that of the repository around the project', () => {
    const root = project({ '.git/HEAD': '', '.gitignore': 'dist\n', 'app/Procfile': '' });
    const rules = createRules(join(root, 'app'), ['.'], new Ignores(join(root, 'app')));
    expect(rules.matches(join(root, 'app/dist/x.js'))).toBe(false);
  });

  test('not what is named itself', () => {
    const files = { '.gitignore': 'dist\n', 'dist/x.js': '', 'node_modules/lib/x.js': '' };
    expect(matched(files, ['dist', 'node_modules/lib'], ['dist/x.js', 'node_modules/lib/x.js'])).toHaveLength(2);
  });

  test('directories that cannot hold anything are not entered', () => {
    const root = project({ 'lib/a': '', 'web/b': '' });
    const rules = createRules(root, ['lib'], new Ignores(root));
    expect(['', 'lib', 'lib/x', 'web'].map((path) => rules.enters(join(root, path)))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(rules.tops).toEqual([root]);
  });

  test('what does not exist yet is waited for, within the project from its root, else above what there is', () => {
    const root = project({ 'a/x': '' });
    const rules = createRules(root, ['a/b/c.txt'], new Ignores(root));
    expect(rules.tops).toEqual([root]);
    expect(rules.enters(join(root, 'a/b'))).toBe(true);
    expect(rules.matches(join(root, 'a/b/c.txt'))).toBe(true);
    const outside = createRules(join(root, 'app'), ['../a/b/c.txt'], new Ignores(join(root, 'app')));
    expect(outside.tops).toEqual([root]);
  });
});

test('git is at work while it holds its index, also where it was not there before', () => {
  const root = project({ 'app/Procfile': '' });
  const ignores = new Ignores(join(root, 'app'));
  expect(ignores.isGitBusy()).toBe(false);
  mkdirSync(join(root, '.git'));
  writeFileSync(join(root, '.git/index.lock'), '');
  expect(ignores.isGitBusy()).toBe(true);
  rmSync(join(root, '.git/index.lock'));
  expect(ignores.isGitBusy()).toBe(false);
});

test('an env directory gives a variable for each file: the first line, without blanks at its end', () => {
  const root = project({ A: 'one  \nmore', B: 'a\0b', EMPTY: '', '.hidden': 'x', 'dir/x': 'y' });
  expect(readEnvDirectory(root)).toEqual({ A: 'one', B: 'a\nb', EMPTY: undefined });
  expect(readEnvDirectory(join(root, 'none'))).toEqual({});
});
