import { describe, expect, test } from 'vitest';
import { aliasesOf, aliasName } from '../../../src/projects/aliases.js';

const project = (name: string, ...tags: string[]) => ({ name, flags: ['--root', `/p/${name}`], tags });

describe('aliasesOf', () => {
  test('prints one for each service of each project', () => {
    const { text, problems } = aliasesOf([project('hoge', 'psgi', 'db'), project('fuga', 'web')], 'bash');
    expect(text).toBe(
      [
        "alias hoge-psgi='proclet run psgi --root /p/hoge'",
        "alias hoge-db='proclet run db --root /p/hoge'",
        "alias fuga-web='proclet run web --root /p/fuga'",
        '',
      ].join('\n'),
    );
    expect(problems).toEqual([]);
  });

  test('quotes a directory for both readings', () => {
    const odd = { name: 'x', flags: ['--root', `/it's a $HOME`], tags: ['web'] };
    expect(aliasesOf([odd], 'zsh').text).toBe(
      `alias x-web='proclet run web --root '\\''/it'\\''\\'\\'''\\''s a $HOME'\\'''\n`,
    );
    expect(aliasesOf([odd], 'fish').text).toBe(`alias x-web='proclet run web --root \\'/it\\\\\\'s a $HOME\\''\n`);
  });

  test('a name that two services want is that of the first, and the other one is reported', () => {
    const { text, problems } = aliasesOf([project('a', 'b-c'), project('a-b', 'c')], 'bash');
    expect(text).toBe("alias a-b-c='proclet run b-c --root /p/a'\n");
    expect(problems).toEqual(['a-b-c is the alias of a/b-c already, so a-b/c has none']);
  });

  test('a command is not hidden', () => {
    const { text, problems } = aliasesOf([project('git', 'shell')], 'bash', (name) => name === 'git-shell');
    expect(text).toBe('');
    expect(problems).toEqual(['git-shell is a command already, so git/shell has no alias']);
  });

  test('a name is one word that is no option', () => {
    expect(aliasName('--x', 'a b;c')).toBe('x-a-b-c');
  });
});
