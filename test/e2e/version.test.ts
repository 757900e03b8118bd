import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { statusOf } from '../support/launch.js';
import { workspace } from '../support/workspace.js';

const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8'));

test.each(['version', '--version'])('%s says which proclet, on which system and which Node', async (word) => {
  const app = workspace({}).proclet(word);
  expect(await statusOf(app)).toBe(0);
  expect(app.stdout).toBe(`proclet/${version} ${process.platform}-${process.arch} node-${process.version}\n`);
  expect(app.stderr).toBe('');
});
