import { describe, expect, test } from 'vitest';
import { misuse, unknownCommand } from '../../../src/cli/usage.js';

const commands = ['start', 'stop', 'ps', 'project:add', 'project:list'];
const said = ({ message, hint, status }: ReturnType<typeof misuse>) => ({ message, hint, status });

describe('a command that does not exist', () => {
  test.each([
    [['strat'], 'there is no command strat', 'did you mean start?'],
    [['status'], 'there is no command status', 'here it is called: proclet ps'],
    [['down', 'web'], 'there is no command down', 'here it is called: proclet stop'],
    [['connect'], 'there is no command connect', 'here it is called: proclet attach'],
    [['frobnicate'], 'there is no command frobnicate', 'proclet --help lists them'],
    [['constructor'], 'there is no command constructor', 'proclet --help lists them'],
    [['project', 'lsit'], 'there is no command project lsit', 'did you mean list?'],
    [['project', 'frobnicate'], 'there is no command project frobnicate', 'proclet project --help lists them'],
    [['project'], 'project needs a command: add, list', 'proclet project --help'],
  ])('comes with the word that is: %j', (words, message, hint) => {
    expect(said(unknownCommand(words, commands))).toEqual({ message, hint, status: 2 });
  });
});

describe('words that a command does not take', () => {
  const parse = { input: { flags: { timeout: { char: 't' }, quiet: {} } } };
  test.each([
    [{ message: '', flags: ['--timout'], parse }, 'wait has no flag --timout', 'did you mean --timeout?'],
    [
      { message: '', flags: ['--frobnicate'], parse },
      'wait has no flag --frobnicate',
      'proclet wait --help lists them',
    ],
    [{ message: '', args: [{ name: 'tag' }], parse }, 'wait needs TAG', 'proclet wait --help'],
    [{ message: '', args: ['x', 'y'], parse }, 'wait takes fewer arguments: x y is too many', 'proclet wait --help'],
    [{ message: 'Flag --port expects a value' }, 'wait: --port expects a value', 'proclet wait --help'],
  ])('are named, with what it takes: %j', (error, message, hint) => {
    expect(said(misuse(error, 'wait'))).toEqual({ message, hint, status: 2 });
  });
});
