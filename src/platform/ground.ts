/**
 * What a run stands on: its number, its control group if there can be one, its record, its guardian. Opened
 * before anything is started and closed when nothing of it is left.
 */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { closeAll } from '../close-all.js';
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';
import { describeTrouble } from '../system-error.js';
import { bootId, pidNamespace } from './boot.js';
import { type Cgroups, openCgroups, plannedGroup } from './cgroup.js';
import { createDetachment, type Detachment } from './detach.js';
import { type Guarded, type Guardian, guardianLost, startGuardian } from './guardian.js';
import type { Kept } from './keep-there.js';
import { lookOnce } from './last-look.js';
import { LifeNumbers } from './life-numbers.js';
import { openListing } from './listing.js';
import { createLivesFile, type LivesFile } from './lives-file.js';
import { draftSuffix } from './maker.js';
import { newRun, runOf } from './mark.js';
import { type ProcessTable, tableKind } from './process-table.js';
import { searchRun } from './run-search.js';
import { draftDirectory, livesPath, type RunRecord, recordPath, runtimeDirectory } from './runtime-dir.js';

export interface Ground {
  readonly identity: RunRecord;
  /** Where the run may listen for requests; '' where there is no place for that. */
  readonly socket: string;
  readonly run: string;
  readonly cgroups: Cgroups | undefined;
  readonly numbers: LifeNumbers;
  readonly detachment: Detachment;
  readonly guardian: Pick<Guardian, 'born' | 'ended'>;
  /** Follows another plan: what others read of the run. */
  follow(terms: Terms): void;
  /** From now on what others find the run by is made again when it was removed, and these besides. */
  keep(besides: readonly Kept[], notice: (text: string) => void): void;
  /** Looks once more, when every life has ended: see last-look.ts. */
  sweep(notice: (text: string) => void): Promise<void> | undefined;
  /** At the end of the run. The record and the guardian stay if anything of it is still there. */
  close(): Promise<void>;
}

/** What a run is known and guarded by, as far as its plan decides it. */
export interface Terms {
  readonly ports: RunRecord['ports'];
  /** Absolute paths. */
  readonly sockets: readonly string[];
}

export interface Builders extends Terms {
  readonly clock: Clock;
  readonly table: ProcessTable;
  /** The project's directory, for `proclet reap` to name; what the run is called, and which command it is. */
  readonly root: string;
  readonly name: string;
  readonly command: RunRecord['command'];
  /** Told what the run has to do without. */
  readonly warn: (text: string) => void;
}

/** The longest time that a guardian gives a service to end, and in a run within another one, which has 3 s for that. */
const guardedGrace: Millis = 5_000;
const nestedGrace: Millis = 1_000;

function graceOf({ within }: RunRecord): Millis {
  return within === '' ? guardedGrace : nestedGrace;
}

/** How long a guardian that was let go is waited for: what it cannot end in that time is left to it. */
const tidiesWithin: Millis = 8_000;

/** Between two attempts to remove a control group. */
const longestPause: Millis = 50;

/** The mark of the life of another run that this process is part of, by itself or by who started it; '' if it is none. */
function lifeAround(table: ProcessTable): string {
  const seen = new Set<number>();
  for (let pid = process.pid; pid > 1 && !seen.has(pid); ) {
    seen.add(pid);
    const row = table.find(pid);
    if (runOf(row?.mark) !== undefined) return row?.mark ?? '';
    pid = row?.ppid ?? 0;
  }
  return '';
}

/** Warns that orphans stay zombies: the kernel gives them to process 1, and Node waits for its own children alone. */
function warnOfZombies(warn: Builders['warn']): void {
  if (process.pid !== 1) return;
  warn('proclet is process 1 here, and leaves the zombies of processes whose parents have ended: docker run --init');
}

function warnOfBlindness(warn: Builders['warn']): void {
  if (tableKind() !== 'groups') return;
  warn('no /proc and no ps shows a process here: only the process group of a service is ended, not what has left it');
}

function openGroup(run: string): Cgroups | undefined {
  const groups = openCgroups(run);
  return 'directory' in groups ? groups : undefined;
}

/** Beside the record, with which it goes; without one it is a draft. */
function detachDirectory(record: string): string {
  return record === '' ? join(draftDirectory(), `proclet-detach${draftSuffix()}`) : `${record}.detach`;
}

/** A number that no run has of which anything is still known. */
function unusedRun(): string {
  let directory: string | undefined;
  try {
    directory = runtimeDirectory();
  } catch {
    // The run goes on without a record, and says why.
  }
  const hasRecord = (run: string) => directory !== undefined && existsSync(recordPath(directory, run));
  return newRun((run) => hasRecord(run) || existsSync(plannedGroup(run)));
}

function realpathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // gone since
  }
}

/** A run goes on without one, and says so. */
function guard(guarded: Guarded): Guardian {
  try {
    return startGuardian(guarded);
  } catch {
    guarded.onTrouble(guardianLost); // ENOMEM: no process can be made of it
    const close = async () => {};
    return { born() {}, ended() {}, close, release: close };
  }
}

function openLives(record: string, run: string, warn: Builders['warn']): LivesFile {
  return createLivesFile(livesPath(dirname(record), run), (error) =>
    warn(`proclet reap would not find all of this run, should its guardian be killed too: ${describeTrouble(error)}`),
  );
}

function toldBoth(guardian: Guardian, lives: LivesFile | undefined): Pick<Guardian, 'born' | 'ended'> {
  return {
    born(life) {
      guardian.born(life);
      lives?.born(life);
    },
    ended(leader) {
      guardian.ended(leader);
      lives?.ended(leader);
    },
  };
}

/** Also when that cannot be seen: then the record is to stay. */
function isAnythingLeft(record: RunRecord, table: ProcessTable): boolean {
  try {
    return searchRun(record, table.read()).rows.length > 0;
  } catch {
    return true;
  }
}

/** A group stays for a moment after its last process, until that one has been reaped. */
async function removeGroup(cgroups: Cgroups, clock: Clock): Promise<void> {
  let pause: Millis = 1;
  for (let n = 0; n < 20 && existsSync(cgroups.directory); n += 1) {
    if (n > 0) await new Promise<void>((go) => void clock.wakeAt(clock.now() + pause, go));
    pause = Math.min(pause * 2, longestPause);
    cgroups.close();
  }
}

/** Throws ProcletError when another `start` of the project runs. */
export function openGround({ clock, table, root, name, command, ports, sockets, warn }: Builders): Ground {
  const run = unusedRun();
  let identity: RunRecord = {
    ...{
      run,
      root: realpathOf(root),
      name,
      command,
      ports,
      sockets,
      cgroup: process.env['PROCLET_CGROUP'] === 'off' ? '' : plannedGroup(run),
      pid: process.pid,
      started: table.find(process.pid)?.started ?? '',
    },
    ...{ boot: bootId(), pids: pidNamespace(), within: lifeAround(table), since: clock.wall() },
  };
  // The record first: whoever finds a group without one knows that nobody is about to use it.
  const listing = openListing(identity, { clock, table, warn });
  const { record } = listing;
  const cgroups = identity.cgroup === '' ? undefined : openGroup(run);
  if (identity.cgroup !== '' && cgroups === undefined) {
    identity = { ...identity, cgroup: '' };
    listing.update(identity);
  }
  const cgroup = cgroups?.directory ?? '';
  const numbers = new LifeNumbers(run, table);
  const detachment = createDetachment(detachDirectory(record), cgroup && dirname(cgroup));
  warnOfBlindness(warn);
  warnOfZombies(warn);
  const lives = record === '' ? undefined : openLives(record, run, warn);
  const guardian = guard({ clock, run, grace: graceOf(identity), cgroup, record, onTrouble: warn });

  return {
    identity,
    socket: record === '' ? '' : record.replace(/\.run$/, '.sock'),
    run,
    cgroups,
    numbers,
    detachment,
    guardian: toldBoth(guardian, lives),
    sweep: (notice) => lookOnce({ clock, table, run, cgroups, numbers }, notice),
    follow: (terms) => listing.update({ ...identity, ...terms }),
    keep: (besides, notice) => listing.keep([detachment, ...(lives ? [lives] : []), ...besides], notice),
    async close() {
      listing.leave();
      if (isAnythingLeft(identity, table)) {
        // The guardian tries again, and removes the record if it can.
        const tidied = guardian.release();
        listing.release();
        await Promise.race([tidied, new Promise<void>((go) => void clock.wakeAt(clock.now() + tidiesWithin, go))]);
        return;
      }
      const removed = () => cgroups && removeGroup(cgroups, clock);
      const [failure] = await closeAll(guardian.close, detachment.close, removed, listing.release, listing.forget);
      if (failure !== undefined) throw failure;
    },
  };
}
