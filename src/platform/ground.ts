/**
 * What a run stands on: its number, its control group if there can be one, its record, its guardian. Opened
 * before anything is started and closed when nothing of it is left.
 */
import { existsSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ProcletError } from '../errors.js';
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';
import { type Cgroups, openCgroups } from './cgroup.js';
import { createDetachment, type Detachment } from './detach.js';
import { startGuardian } from './guardian.js';
import { newRun } from './mark.js';
import type { ProcessTable } from './process-table.js';
import { claimProject } from './runs.js';
import { bootId, type RunRecord, removeRecord, runtimeDirectory, writeRecord } from './runtime-dir.js';

export interface Ground {
  readonly identity: RunRecord;
  /** Where the run may listen for requests; '' where there is no place for that. */
  readonly socket: string;
  readonly run: string;
  readonly cgroups: Cgroups | undefined;
  readonly detachment: Detachment;
  /** Only when nothing of the run is left. */
  close(): Promise<void>;
}

export interface Builders {
  readonly clock: Clock;
  readonly table: ProcessTable;
  /** The project's directory, for `proclet reap` to name; what the run is called, and which command it is. */
  readonly root: string;
  readonly name: string;
  readonly command: RunRecord['command'];
  readonly ports: RunRecord['ports'];
  /** Between TERM and KILL when it is the guardian that ends the run. */
  readonly grace: Millis;
  /** Told what the run has to do without. */
  readonly warn: (text: string) => void;
}

/** Between two attempts to remove a control group. */
const longestPause: Millis = 50;

/** Throws ProcletError when another `start` of the project runs. */
function realpathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // gone since
  }
}

export function openGround({ clock, table, root, name, command, ports, grace, warn }: Builders): Ground {
  const run = newRun();
  const groups = process.env['PROCLET_CGROUP'] === 'off' ? undefined : openCgroups(run);
  const cgroups = groups && 'directory' in groups ? groups : undefined;
  const cgroup = cgroups?.directory ?? '';
  const identity: RunRecord = {
    ...{
      run,
      root: realpathOf(root),
      name,
      command,
      ports,
      cgroup,
      pid: process.pid,
      started: table.find(process.pid)?.started ?? '',
    },
    ...{ boot: bootId(), since: clock.wall() },
  };
  const { path: record, release } = leaveRecord();
  const detachment = createDetachment(`${record || join(tmpdir(), run)}.detach`, cgroup && dirname(cgroup));
  const guardian = startGuardian({
    ...{ clock, run, grace, cgroup, record },
    onLost: () => warn('the guardian cannot be kept alive: what runs would outlive a kill -9 of proclet'),
  });

  function leaveRecord() {
    try {
      const directory = runtimeDirectory();
      const path = writeRecord(directory, identity);
      try {
        return { path, release: command === 'start' ? claimProject(directory, identity) : () => {} };
      } catch (error) {
        removeRecord(path);
        cgroups?.close();
        throw error;
      }
    } catch (error) {
      if (error instanceof ProcletError && error.code === 'REFUSED') throw error;
      warn(`proclet ps and proclet reap will not know of this run: ${(error as Error).message}`);
      return { path: '', release: () => {} };
    }
  }

  /** A group stays for a moment after its last process, until that one has been reaped. */
  async function removed(): Promise<void> {
    let pause: Millis = 1;
    for (let n = 0; n < 20 && cgroups !== undefined && existsSync(cgroups.directory); n += 1) {
      if (n > 0) await new Promise<void>((go) => void clock.wakeAt(clock.now() + pause, go));
      pause = Math.min(pause * 2, longestPause);
      cgroups.close();
    }
  }

  return {
    identity,
    socket: record === '' ? '' : record.replace(/\.run$/, '.sock'),
    run,
    cgroups,
    detachment,
    async close() {
      await guardian.close();
      detachment.close();
      await removed();
      release();
      if (record !== '') removeRecord(record);
    },
  };
}
