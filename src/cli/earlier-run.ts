/** A start waits for earlier runs: until what a killed one has left is gone, and until one that is being listed anew is seen. */
import { ProcletError } from '../errors.js';
import type { Millis } from '../model.js';
import { isAttended } from '../platform/attendance.js';
import { bootId, pidNamespace } from '../platform/boot.js';
import { createClock } from '../platform/clock.js';
import { createProcessTable } from '../platform/process-table.js';
import { type RunRecord, readRecords, runtimePlace } from '../platform/runtime-dir.js';
import { isAnyUnlisted } from '../platform/unlisted.js';

/** A guardian gives what it ends less than this. */
const patience: Millis = 8_000;
const lookEvery: Millis = 50;

/** A run makes its record and its claim again a fifth of a second after they were removed. */
const listedWithin: Millis = 2_000;

/** Resolves once every run can be seen that lives, or after two seconds: one of them may be the project's. */
export async function untilAllListed(): Promise<void> {
  const clock = createClock();
  const pause = () => new Promise<void>((go) => void clock.wakeAt(clock.now() + lookEvery, go));
  try {
    const until = clock.now() + listedWithin;
    const directory = runtimePlace();
    for (let isLast = !isAnyUnlisted(directory); !isLast && clock.now() < until; ) {
      isLast = !isAnyUnlisted(directory);
      await pause(); // also once more, for the claim
    }
  } catch (error) {
    if (!(error instanceof ProcletError)) throw error; // no directory for records, as the run will say
  } finally {
    clock.close();
  }
}

/**
 * Resolves once no guardian ends what a killed run of this directory has left, or after eight seconds. `waits` is called
 * with the pid of that run's proclet, if there is something to wait for.
 */
export async function untilEarlierEnded(root: string, waits: (pid: number) => void): Promise<void> {
  const clock = createClock();
  try {
    const until = clock.now() + patience;
    let isTold = false;
    for (let earlier = beingEnded(root); earlier !== undefined && clock.now() < until; earlier = beingEnded(root)) {
      if (!isTold) waits(earlier.pid);
      isTold = true;
      await new Promise<void>((go) => void clock.wakeAt(clock.now() + lookEvery, go));
    }
  } finally {
    clock.close();
  }
}

/** A run of the directory whose proclet is gone and whose guardian is not. */
function beingEnded(root: string): RunRecord | undefined {
  try {
    const table = createProcessTable();
    const isHere = ({ root: own, boot, pids }: RunRecord) =>
      own === root && boot === bootId() && pids === pidNamespace();
    const dead = readRecords(runtimePlace()).filter(
      (record) => isHere(record) && table.find(record.pid)?.started !== record.started,
    );
    if (dead.length === 0) return undefined;
    const processes = table.read();
    return dead.find((record) => isAttended({ run: record.run, record }, processes, table));
  } catch (error) {
    if (error instanceof ProcletError) return undefined; // no directory for records, as the run will say
    throw error;
  }
}
