/** What runs and the launcher are found by, while somebody removes it. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { bootId, pidNamespace } from '../../src/platform/boot.js';
import { createClock } from '../../src/platform/clock.js';
import { findLauncher, keepLauncher } from '../../src/platform/launcher-record.js';
import { createProcessTable } from '../../src/platform/process-table.js';
import { claimProject } from '../../src/platform/runs.js';
import {
  type RunRecord,
  recordPath,
  removeClaims,
  runtimeDirectory,
  writeRecord,
} from '../../src/platform/runtime-dir.js';
import { isAnyUnlisted, unlistedRuns } from '../../src/platform/unlisted.js';
import { eventually } from '../support/eventually.js';

const started = createProcessTable().find(process.pid)?.started ?? '';
const record: RunRecord = {
  ...{ run: '12345678901', pid: process.pid, started, boot: bootId(), pids: pidNamespace(), root: '/here', name: '' },
  ...{ command: 'start', cgroup: '', within: '', ports: [], since: 1_000 },
};
const another: RunRecord = { ...record, run: '12345678902', since: 2_000 };

function place(): string {
  const home = mkdtempSync(join(tmpdir(), 'proclet-listed-'));
  vi.stubEnv('XDG_RUNTIME_DIR', home);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true });
  });
  return runtimeDirectory();
}

test('a claim refuses another start also while the record of its run is not there, until it is given back', () => {
  const directory = place();
  writeRecord(directory, record);
  const release = claimProject(directory, record);
  expect(isAnyUnlisted(directory)).toBe(false);
  rmSync(recordPath(directory, record.run));
  expect(() => claimProject(directory, another)).toThrow(`a proclet runs /here already (pid ${process.pid}`);
  release();
  claimProject(directory, another)();
  expect(readdirSync(directory)).toEqual([]);
});

test('a run that lives and has no claim is known, and a dead one is not taken for that', () => {
  const directory = place();
  writeRecord(directory, { ...record, started: `${started}0` });
  expect(isAnyUnlisted(directory)).toBe(false);
  writeRecord(directory, record);
  expect(isAnyUnlisted(directory)).toBe(true);
});

test('the claim of a dead run is taken over, and goes with what else that run has left', () => {
  const directory = place();
  const dead = { ...record, started: `${started}0` };
  claimProject(directory, dead);
  claimProject(directory, another);
  removeClaims(directory, dead.run);
  expect(readdirSync(directory)).toHaveLength(1);
  removeClaims(directory, another.run);
  expect(readdirSync(directory)).toEqual([]);
});

test('a run that listens and has no record is known, also when the whole directory was removed', async () => {
  const directory = place();
  const server = net.createServer();
  await new Promise<void>((done) => server.listen(join(directory, `${record.run}.sock`), done));
  expect(unlistedRuns(directory)).toEqual([record.run]);
  writeRecord(directory, record);
  expect(unlistedRuns(directory)).toEqual([]);
  rmSync(directory, { recursive: true });
  expect(unlistedRuns(directory)).toEqual([record.run]);
  await new Promise((done) => server.close(done));
  expect(unlistedRuns(directory)).toEqual([]);
});

test('what the launcher is found by is made again, and goes with its end', async () => {
  const directory = place();
  const clock = createClock();
  const said: string[] = [];
  const release = keepLauncher('http://localhost:1/', clock, (text) => said.push(text));
  rmSync(directory, { recursive: true });
  await eventually(() => expect(said).toHaveLength(1));
  expect(said[0]).toContain('is there again');
  expect(findLauncher()?.pid).toBe(process.pid);
  release();
  expect(existsSync(join(directory, 'launcher.claim'))).toBe(false);
  clock.close();
});
