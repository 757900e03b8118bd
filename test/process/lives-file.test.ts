import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { bootId, pidNamespace } from '../../src/platform/boot.js';
import { createLivesFile, readLives } from '../../src/platform/lives-file.js';
import { desertedOf } from '../../src/platform/pipe-ends.js';
import { createPipes } from '../../src/platform/pipes.js';
import { pipeKey } from '../../src/platform/proc-table.js';
import { livesPath, type RunRecord, runtimeDirectory } from '../../src/platform/runtime-dir.js';
import { environment } from '../support/environment.js';

const record = { run: '12345678901', boot: bootId(), pids: pidNamespace() } as RunRecord;
const terms = { signal: 'SIGINT', to: 'leader', grace: 5 } as const;
const life = (pid: number) => ({
  ...{ pid, started: '1 2,3', mark: '123456789010001', ownsGroup: true, cgroup: '/a b,c', terms, pipes: ['1:2:3.5'] },
});

function place() {
  const home = mkdtempSync(join(tmpdir(), 'proclet-lives-'));
  vi.stubEnv('XDG_RUNTIME_DIR', home);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true });
  });
  const directory = runtimeDirectory();
  const troubles: unknown[] = [];
  const file = createLivesFile(livesPath(directory, record.run), (error) => troubles.push(error));
  const pids = () => readLives(directory, record).map(({ pid }) => pid);
  return { directory, file, troubles, pids, path: livesPath(directory, record.run) };
}

test('lives are read as they were told, but for the terms of their end; not in another boot or pid namespace', () => {
  const { directory, file } = place();
  const inside = { pid: 8, started: 'x' };
  file.born(life(7));
  file.born({ ...life(9), inside });
  const read = readLives(directory, record);
  expect(read.map(({ terms: _, ...rest }) => rest)).toEqual(
    [life(7), { ...life(9), inside }].map(({ terms: _, ...rest }) => rest),
  );
  expect(readLives(directory, { ...record, boot: 'another' })).toEqual([]);
  expect(readLives(directory, { ...record, pids: 'another' })).toEqual([]);
});

test('half a line and what is no life are passed over', () => {
  const { file, path, pids } = place();
  file.born(life(7));
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, `${text}nonsense\n\n${text.slice(0, -5)}`);
  expect(pids()).toEqual([7]);
});

test('what is told again is not written again, and the file does not grow with the lives that have ended', () => {
  const { file, path, pids } = place();
  for (let pid = 1; pid < 1_000; pid += 1) {
    file.born(life(pid));
    file.born({ ...life(pid), terms: { ...terms, grace: 9 } });
    if (pid > 1) file.ended(pid);
  }
  expect(pids()).toContain(1);
  expect(readFileSync(path, 'utf8').split('\n').length).toBeLessThan(100);
});

test('it is made again with what lives when it was removed, and its absence is no trouble', () => {
  const { directory, file, troubles, pids } = place();
  file.born(life(7));
  rmSync(directory, { recursive: true });
  file.born(life(8));
  file.ended(7);
  expect([file.isThere(), troubles]).toEqual([false, []]);
  file.remake();
  expect([file.isThere(), pids()]).toEqual([true, [8]]);
});

test('a pipe is deserted when nobody has the end any more that proclet had', async () => {
  const pipes = createPipes(3);
  const [made] = pipes.take(1) ?? [];
  if (made === undefined) throw new Error('no pipe was made');
  const key = pipeKey(fstatSync(made.write));
  const child = spawn('sleep', ['60'], { stdio: ['ignore', made.write, 'ignore'], env: environment() });
  await new Promise((done) => child.once('spawn', done));
  closeSync(made.write);
  const pids = [process.pid, child.pid ?? 0];
  expect(desertedOf(new Map([[key, 'write']]), pids)).toEqual(new Set());
  closeSync(made.read);
  expect(desertedOf(new Map([[key, 'write']]), pids)).toEqual(new Set([key]));
  expect(desertedOf(new Map([[key, 'read']]), pids)).toEqual(new Set());
  pipes.close();
  child.kill('SIGKILL');
  await new Promise((done) => child.once('exit', done));
});
