/** The promise: a directory is made with those above it, or it is said at once why not. */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeDirectory } from '../../../src/platform/make-directory.js';

let base = '';
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'proclet-make-'));
});
afterEach(() => rmSync(base, { recursive: true }));

test('all that is missing is made for its user alone', () => {
  makeDirectory(join(base, 'a/b/c'));
  expect(['a', 'a/b', 'a/b/c'].map((each) => statSync(join(base, each)).mode & 0o777)).toEqual([0o700, 0o700, 0o700]);
});

test('one that is there stays as it is', () => {
  mkdirSync(join(base, 'open'), { mode: 0o755 });
  makeDirectory(join(base, 'open'));
  expect(statSync(join(base, 'open')).mode & 0o777).toBe(0o755);
});

test('a file in its place or above it is an error', () => {
  writeFileSync(join(base, 'file'), '');
  expect(() => makeDirectory(join(base, 'file'))).toThrow('EEXIST');
  expect(() => makeDirectory(join(base, 'file/below'))).toThrow('ENOTDIR');
});

test.skipIf(process.platform !== 'linux')('a place that takes no directories is an error, and no endless loop', () => {
  expect(() => makeDirectory('/proc/proclet-none/a/b')).toThrow('ENOENT');
});
