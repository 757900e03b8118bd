import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { claim } from '../../src/platform/claim.js';

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function place(): string {
  directories.push(mkdtempSync(join(tmpdir(), 'proclet-claim-')));
  return join(directories.at(-1) ?? '', 'web.claim');
}

/** Only these are alive. */
const alive = (...names: string[]) => ({
  mode: 0o600,
  assertStale(text: string) {
    if (names.includes(text)) throw new Error(`${text} lives`);
  },
});

test('a claim is whole, and gone when it is given up', () => {
  const path = place();
  const release = claim({ path, text: 'a', ...alive('a') });
  expect(readFileSync(path, 'utf8')).toBe('a');
  release();
  expect(readdirSync(join(path, '..'))).toEqual([]);
});

test('one of the living is theirs, and trying leaves nothing behind', () => {
  const path = place();
  claim({ path, text: 'a', ...alive('a') });
  expect(() => claim({ path, text: 'b', ...alive('a', 'b') })).toThrow('a lives');
  expect(readdirSync(join(path, '..'))).toEqual(['web.claim']);
});

test('one of the dead is taken over, and the dead cannot give up what is not theirs any more', () => {
  const path = place();
  const release = claim({ path, text: 'a', ...alive() });
  claim({ path, text: 'b', ...alive('b') });
  release();
  expect(readFileSync(path, 'utf8')).toBe('b');
  expect(readdirSync(join(path, '..'))).toEqual(['web.claim']);
});

test('a file that was cut short is taken over', () => {
  const path = place();
  writeFileSync(path, '');
  claim({ path, text: 'b', ...alive('b') });
  expect(readFileSync(path, 'utf8')).toBe('b');
});
