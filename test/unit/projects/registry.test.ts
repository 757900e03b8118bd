import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addProject,
  findProject,
  formatRegistry,
  labelOf,
  parseRegistry,
  type Registry,
  removeProject,
  suggestedName,
} from '../../../src/projects/registry.js';

const hoge = { name: 'hoge', root: '/home/me/Hoge' };
const fuga = { name: 'fuga', root: '/home/me/Fuga', procfile: 'Procfile.dev' };
const errorOf = (act: () => unknown): string => {
  try {
    return `no error: ${JSON.stringify(act())}`;
  } catch (error) {
    return (error as Error).message;
  }
};

describe('the text of the registry', () => {
  test('is read as it was written', () => {
    expect(parseRegistry(formatRegistry([fuga, hoge]), 'projects.json')).toEqual([fuga, hoge]);
  });

  test.each([undefined, '', ' \n'])('is empty when there is none: %j', (text) => {
    expect(parseRegistry(text, 'projects.json')).toEqual([]);
  });

  test.each([
    '{',
    '[]',
    '{"version":2,"projects":[]}',
    '{"version":1,"projects":[{"name":"../x","root":"/"}]}',
    '{"version":1,"projects":[{"name":"x","root":"relative"}]}',
    '{"version":1,"projects":[{"name":"x","root":"/a\\u0000b"}]}',
  ])('that proclet did not write is an error, and never an empty list: %s', (text) => {
    expect(errorOf(() => parseRegistry(text, 'projects.json'))).toBe(
      'projects.json is not a list of projects that proclet wrote',
    );
  });
});

describe('adding', () => {
  test('keeps the names in order, and the same directory under another name is renamed', () => {
    const both = addProject(addProject([], hoge), fuga);
    expect(both).toEqual([fuga, hoge]);
    expect(addProject(both, { ...hoge, name: 'abc' })).toEqual([{ ...hoge, name: 'abc' }, fuga]);
  });

  test('another Procfile of the same directory takes the place of the first', () => {
    const other = { ...hoge, name: 'hoge-dev', procfile: 'Procfile.dev' };
    expect(addProject([hoge], other)).toEqual([other]);
  });

  test('refuses a name whose host name is taken', () => {
    expect(errorOf(() => addProject([hoge], { name: 'HOGE', root: '/x' }))).toBe(
      '/home/me/Hoge is registered as hoge already',
    );
    expect(errorOf(() => addProject([{ ...hoge, name: 'a_b' }], { name: 'a-b', root: '/x' }))).toMatch(
      'as a_b already',
    );
  });

  test.each(['', '-x', 'a b', 'a/b', '$(x)', 'ä', 'x'.repeat(64)])('refuses the name %j', (name) => {
    expect(errorOf(() => addProject([], { name, root: '/x' }))).toMatch('is no name for a project');
  });

  test('a name suggested by any directory is one that is accepted', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (directory) => {
        const name = suggestedName(`/${directory}`);
        expect(addProject([], { name, root: '/x' })).toHaveLength(1);
        expect(labelOf(name)).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      }),
    );
  });
});

describe('removing and finding', () => {
  const registry: Registry = [fuga, hoge];

  test('is by name, or by directory', () => {
    expect(removeProject(registry, 'hoge', '/x')).toEqual([fuga]);
    expect(removeProject(registry, '.', '/home/me/Hoge')).toEqual([fuga]);
    expect(errorOf(() => removeProject(registry, 'x', '/x'))).toMatch('no project is named x');
  });

  test('never guesses', () => {
    expect(findProject(registry, 'HOGE')).toBe(hoge);
    expect(findProject(registry, 'hog')).toBeUndefined();
    expect(findProject(registry, '')).toBeUndefined();
    expect(findProject(registry, '/home/me/Hoge')).toBeUndefined();
  });
});
