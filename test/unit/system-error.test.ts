import { expect, test } from 'vitest';
import { causeOf, describeTrouble, isSystemError } from '../../src/system-error.js';

const systems = (code: string, more: object = {}) =>
  Object.assign(new Error(`${code}: as Node says it`), { code, ...more });

test.each([
  [
    systems('EMFILE', { syscall: 'open', path: '/a' }),
    '/a: proclet has too many files open (EMFILE); raise the limit with ulimit -n',
  ],
  [
    systems('EAGAIN', { syscall: 'spawn sh', path: 'sh' }),
    'this user may not have more processes (EAGAIN); end some, or raise the limit with ulimit -u',
  ],
  [systems('ENOENT', { syscall: 'open', path: '/b' }), '/b: no such file or directory (ENOENT)'],
  [systems('EXDEV'), 'EXDEV: as Node says it'],
  [new TypeError('not a function'), 'not a function'],
])('what went wrong is said with its cause, its file and the next step: %s', (error, text) => {
  expect(describeTrouble(error)).toBe(text);
});

test('what the system refuses is told from what is wrong in a program by the code alone', () => {
  expect(isSystemError(systems('EIO'))).toBe(true);
  expect(isSystemError(systems('ERR_INVALID_ARG_TYPE'))).toBe(false);
  expect(isSystemError(new Error('EMFILE'))).toBe(false);
  expect(isSystemError('EMFILE')).toBe(false);
  expect(causeOf('thrown')).toBe('thrown');
});
