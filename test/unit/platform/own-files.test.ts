import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { draftSuffix } from '../../../src/platform/maker.js';
import { ownFiles } from '../../../src/platform/own-files.js';

const made: string[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true });
});

function project(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'proclet-own-')));
  made.push(root);
  return root;
}

test('what proclet writes for itself is its own wherever it lies, also behind a link', () => {
  const root = project();
  mkdirSync(join(root, 'real'));
  symlinkSync('real', join(root, 'run'));
  vi.stubEnv('XDG_RUNTIME_DIR', join(root, 'run'));
  mkdirSync(join(root, 'run/proclet'));
  vi.stubEnv('HOME', root);
  const isOwn = ownFiles([]);
  const own = [
    'run/proclet/1.sock',
    'real/proclet/1.sock',
    '.config/proclet/projects.json',
    '.cache/proclet/x.v8.1',
    '.local/state/proclet/a/proclet.out',
    `lib/a.txt${draftSuffix()}`,
    `tmp/proclet-pipes${draftSuffix()}-x1/3`,
  ];
  expect(own.filter((path) => !isOwn(join(root, path)))).toEqual([]);
  for (const path of ['run/other', 'lib/a.txt', '.config/app.yml', 'proclet/a'])
    expect(isOwn(join(root, path))).toBe(false);
});

test('so is what it was told to write, rotated or half written', () => {
  const root = project();
  const isOwn = ownFiles([join(root, 'web.out'), join(root, 'state')]);
  for (const name of ['web.out', 'web.out.2', `state${draftSuffix()}`]) expect(isOwn(join(root, name))).toBe(true);
  for (const name of ['web.out.txt', 'states', 'web']) expect(isOwn(join(root, name))).toBe(false);
});
