import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findLauncher } from '../../../src/platform/launcher-record.js';
import { placesOf, type System } from '../../../src/platform/places.js';
import { liveRuns } from '../../../src/platform/runs.js';

const cacheDirectory = createRequire(import.meta.url)('../../../bin/cache-directory.cjs');

const person: System = { home: '/home/ann', temporary: '/tmp', user: 1000 };
const stranger: System = { ...person, home: '' };

describe('the places of', () => {
  test.each<[string, NodeJS.ProcessEnv, System, Partial<ReturnType<typeof placesOf>>]>([
    [
      'somebody with a home are below it',
      {},
      person,
      {
        runtime: '/tmp/proclet-1000',
        home: '/home/ann',
        own: '/home/ann/.config/proclet',
        cache: '/home/ann/.cache/proclet',
        state: '/home/ann/.local/state/proclet',
      },
    ],
    [
      'somebody without one are beside the records of runs, and nothing is cached',
      {},
      stranger,
      {
        home: '/tmp/proclet-1000/home',
        own: '/tmp/proclet-1000/home/.config/proclet',
        cache: undefined,
        state: '/tmp/proclet-1000/home/.local/state/proclet',
      },
    ],
    [
      'who names them are there',
      { XDG_RUNTIME_DIR: '/r', XDG_CONFIG_HOME: '/c', XDG_CACHE_HOME: '/k', XDG_STATE_HOME: '/s' },
      stranger,
      { runtime: '/r/proclet', home: '/r/proclet/home', own: '/c/proclet', cache: '/k/proclet', state: '/s/proclet' },
    ],
    [
      'who names them by no absolute paths are the usual ones',
      { XDG_RUNTIME_DIR: 'r', XDG_CONFIG_HOME: '', XDG_CACHE_HOME: './k', XDG_STATE_HOME: 's' },
      person,
      {
        runtime: '/tmp/proclet-1000',
        own: '/home/ann/.config/proclet',
        cache: '/home/ann/.cache/proclet',
        state: '/home/ann/.local/state/proclet',
      },
    ],
  ])('%s', (_who, env, system, places) => {
    expect(placesOf(env, system)).toMatchObject(places);
    // What runs before anything is loaded has the code cache at the same place.
    expect(cacheDirectory(env, system.home)).toBe(placesOf(env, system).cache);
  });
});

test('who only looks for runs makes no place for them', () => {
  const directory = mkdtempSync(join(tmpdir(), 'proclet-looks-'));
  const before = process.env['XDG_RUNTIME_DIR'];
  process.env['XDG_RUNTIME_DIR'] = directory;
  onTestFinished(() => {
    if (before === undefined) delete process.env['XDG_RUNTIME_DIR'];
    else process.env['XDG_RUNTIME_DIR'] = before;
    rmSync(directory, { recursive: true });
  });
  expect([liveRuns(), findLauncher()]).toEqual([[], undefined]);
  expect(existsSync(join(directory, 'proclet'))).toBe(false);
});
