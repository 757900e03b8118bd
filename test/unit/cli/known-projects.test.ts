import { expect, test } from 'vitest';
import { envFilesNamedIn } from '../../../src/cli/known-projects.js';

test.each([
  ['a name', 'services:\n  web:\n    env-file: .env.web # its own\n    port: 1', ['.env.web']],
  ['a name in quotes', 'env-file: "a b.env"\n', ['a b.env']],
  ['a name in a map', 'services: {web: {env: {A: b}, env-file: .env.web}}', ['.env.web']],
  ['a name in JSON', '{"web": {"env-file": ".env.web"}}', ['.env.web']],
  ['a list in brackets', "web: {env-file: [.env.all, '.env.web'], port: 1}", ['.env.all', '.env.web']],
  ['a list in brackets over several lines', 'env-file: [\n  .env.all,\n  .env.web\n]', ['.env.all', '.env.web']],
  [
    'a line for each',
    'env-file: # of both\r\n  - .env.all\r\n  # that of the web\r\n\r\n  - ".env.web" # own\r\nport: 1',
    ['.env.all', '.env.web'],
  ],
  ['the files of two services', 'a: {env-file: one}\nb:\n  env-file:\n  - two\n', ['one', 'two']],
  ['nothing', 'env-file:\nport: 1\nno-env-file: a', []],
])('the files of variables that a broken proclet.yml names: %s', (_, text, expected) => {
  expect(envFilesNamedIn(`{{${text}`)).toEqual(expected);
});
