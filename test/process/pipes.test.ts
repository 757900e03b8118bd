import { closeSync, fstatSync, statSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createPipes } from '../../src/platform/pipes.js';
import { pipeKey } from '../../src/platform/proc-table.js';

test('a pipe has the same key at both ends and after it was written to, and not that of a later one with its number', () => {
  const pipes = createPipes(1);
  const [pipe] = pipes.take(1) ?? [];
  if (pipe === undefined) throw new Error('no pipe could be made');
  const before = fstatSync(pipe.write);
  writeSync(pipe.write, 'x');
  expect(pipeKey(fstatSync(pipe.read))).toBe(pipeKey(before));
  expect(pipeKey(statSync(`/proc/self/fd/${pipe.write}`))).toBe(pipeKey(before));
  expect(pipeKey({ ...before, birthtimeMs: before.birthtimeMs + 4 })).not.toBe(pipeKey(before));
  for (const fd of [pipe.read, pipe.write]) closeSync(fd);
  pipes.close();
});
