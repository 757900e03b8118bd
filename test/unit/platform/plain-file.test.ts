import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { readEnvDirectory } from '../../../src/platform/env-directory.js';
import { readGiven, readPlain } from '../../../src/platform/plain-file.js';
import { readRecords } from '../../../src/platform/runtime-dir.js';
import { readShared } from '../../../src/platform/shared-file.js';
import { writeWhole } from '../../../src/platform/whole-file.js';
import { environment } from '../../support/environment.js';

const directory = mkdtempSync(join(tmpdir(), 'proclet-plain-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** A FIFO that nobody writes into. */
function fifo(name: string): string {
  const path = join(directory, name);
  execFileSync('mkfifo', [path], { env: environment() });
  return path;
}

describe('a file that others may have put there', () => {
  test.each([
    ['a FIFO', () => fifo('pipe'), 'ENOTPLAIN'],
    ['a device', () => '/dev/zero', 'ENOTPLAIN'],
    ['a directory', () => directory, 'EISDIR'],
  ])('is not read when it is %s', (_what, path, code) => {
    expect(() => readPlain(path())).toThrow(expect.objectContaining({ code }));
  });

  test('is not read when it is larger than it may be', () => {
    const path = join(directory, 'large');
    writeFileSync(path, 'x'.repeat(11));
    expect(() => readPlain(path, 10)).toThrow(expect.objectContaining({ code: 'EFBIG' }));
    expect(readPlain(path, 11)).toBe('x'.repeat(11));
  });

  test('holds up nobody as a record, a variable or a shared file', () => {
    fifo('12345678901.run');
    expect(readRecords(directory)).toEqual([]);
    expect(Object.keys(readEnvDirectory(directory))).not.toContain('12345678901.run');
    expect(() => readShared(fifo('projects.json'))).toThrow('projects.json is not a plain file');
  });

  test('is replaced by nothing that is written whole when it is none', () => {
    expect(() => writeWhole(fifo('status'), 'web:1')).toThrow('status is not a plain file');
    expect(() => writeWhole('/dev/null', 'web:1')).toThrow('/dev/null is not a plain file');
  });

  test('is left after 16 MB when a person has named it', () => {
    const fd = openSync('/dev/zero', 'r');
    onTestFinished(() => closeSync(fd));
    expect(() => readGiven(`/dev/fd/${fd}`)).toThrow(expect.objectContaining({ code: 'EFBIG' }));
  });
});

describe('a file of a project', () => {
  test.each([
    ['a pipe that nobody writes into', () => fifo('unwritten'), 'EUNWRITTEN'],
    ['a device', () => '/dev/zero', 'ENOTPLAIN'],
    ['a directory', () => directory, 'EISDIR'],
  ])('is refused at once when it is %s', (_what, path, code) => {
    expect(() => readGiven(path())).toThrow(expect.objectContaining({ code }));
  });

  test('may be a pipe whose writer waits for us, or /dev/null', () => {
    const path = fifo('written');
    const writer = spawn('/bin/sh', ['-c', 'echo A=1 >"$1"', 'sh', path], { env: environment() });
    onTestFinished(() => void writer.kill());
    expect(readGiven(path)).toBe('A=1\n');
    expect(readGiven('/dev/null')).toBe('');
  });
});
