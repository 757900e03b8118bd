/** A start right after its forerunner was killed: that one's services are still being ended, and have the ports. */
import { ProcletError } from '../errors.js';
import type { Millis } from '../model.js';
import { isAttended } from '../platform/attendance.js';
import { bootId, pidNamespace } from '../platform/boot.js';
import { createClock } from '../platform/clock.js';
import { createProcessTable } from '../platform/process-table.js';
import { type RunRecord, readRecords, runtimePlace } from '../platform/runtime-dir.js';

/** A guardian gives what it ends less than this. */
const patience: Millis = 8_000;
const lookEvery: Millis = 50;

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
