import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readRecords } from '../../../src/platform/runtime-dir.js';

test('a record of an earlier version, which says less, is read', () => {
  const directory = mkdtempSync(join(tmpdir(), 'proclet-records-'));
  try {
    writeFileSync(join(directory, '12345678901.run'), JSON.stringify({ run: '12345678901', pid: 7 }));
    expect(readRecords(directory)).toEqual([{ run: '12345678901', pid: 7, within: '' }]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
