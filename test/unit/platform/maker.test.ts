import { expect, test } from 'vitest';
import { draftSuffix, isDraft, isMakerGone, makerOf } from '../../../src/platform/maker.js';
import { createProcessTable } from '../../../src/platform/process-table.js';

const table = createProcessTable();

test.each(['', '.', '.aB3_x-', '.123456'])('a living maker is not gone when %j follows its draft’s name', (behind) => {
  const name = `proclet-pipes${draftSuffix()}${behind}`;
  expect(isDraft(name)).toBe(true);
  expect(makerOf(name)).toBe(process.pid);
  expect(isMakerGone(name, table)).toBe(false);
});

test('a maker is gone when another process has its pid', () => {
  const name = draftSuffix().replace(/[\w-]+$/, '1');
  expect(isMakerGone(`web.claim${name}`, table)).toBe(true);
});
