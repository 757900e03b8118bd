import { mkdirSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { openBeacon } from '../../src/platform/watch-beacon.js';
import { FakeClock } from '../support/fake-clock.js';
import { workspace } from '../support/workspace.js';

afterEach(() => vi.unstubAllEnvs());

test('a beacon that somebody took away is made again, and still comes after the news before it', async () => {
  const { directory } = workspace({});
  const place = join(directory, 'run');
  mkdirSync(place);
  vi.stubEnv('XDG_RUNTIME_DIR', place);
  const seen: (string | null)[] = [];
  const watched = join(directory, 'watched');
  mkdirSync(watched);
  const watcher = watch(watched, (_, name) => seen.push(name));
  // Nothing but the news lets anybody pass: the clock stands still.
  const beacon = openBeacon(new FakeClock());
  try {
    await beacon.passed();
    for (const file of ['a', 'b']) {
      rmSync(place, { recursive: true });
      writeFileSync(join(watched, file), '');
      await beacon.passed();
      expect(seen).toContain(file);
    }
  } finally {
    watcher.close();
    beacon.close();
  }
  expect(readdirSync(join(place, 'proclet'))).toEqual([]);
});
