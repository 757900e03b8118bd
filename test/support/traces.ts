/** What a run of proclet has on the machine besides its services: a record, a guardian, a control group. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRecord } from '../../src/platform/runtime-dir.js';
import { childrenOf, isRunning } from './survivors.js';
import type { App, Workspace } from './workspace.js';

/** The records of every run in this workspace. */
export function recordsIn(ws: Workspace): RunRecord[] {
  const directory = join(ws.directory, '.run', 'proclet');
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith('.run'))
    .map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')));
}

export function recordOf(ws: Workspace, app: App): RunRecord {
  const record = recordsIn(ws).find(({ pid }) => pid === app.pid);
  if (record === undefined) throw new Error(`there is no record of ${app.pid}`);
  return record;
}

export function guardianOf(app: App): number {
  const guardian = childrenOf(app.pid).find(({ pid }) => isGuardian(pid));
  if (guardian === undefined) throw new Error(`${app.pid} has no guardian`);
  return guardian.pid;
}

/** Its command line does not tell. */
export function isGuardian(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes('PROCLET_GUARDIAN=');
  } catch {
    return false; // ENOENT: gone
  }
}

/** The guardians of every run in this workspace, whether their proclets live or not. */
export function guardiansIn(ws: Workspace): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => isGuardian(pid) && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(ws.directory));
}

/** What of a run is still there, in words. */
export function tracesOf(ws: Workspace, { run, cgroup }: RunRecord, guardian: number): string[] {
  const traces = readdirSync(join(ws.directory, '.run', 'proclet')).filter((name) => name.startsWith(run));
  if (cgroup !== '' && existsSync(cgroup)) traces.push(cgroup);
  if (isRunning(guardian)) traces.push(`guardian ${guardian}`);
  return traces;
}

/** The processes that hold a file open.  * @public */
export function holdersOf(path: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      try {
        return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === path);
      } catch {
        return false; // ENOENT, ESRCH: it ended, or closed the file, while we looked
      }
    });
}
