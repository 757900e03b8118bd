/** `--port auto`: ports that no other run has, nor is going to need. */
import { join } from 'node:path';
import { ProcletError } from '../errors.js';
import type { PlanInput } from '../plan/build-plan.js';
import { createClock } from '../platform/clock.js';
import { acquireLock } from '../platform/lock.js';
import { liveRuns } from '../platform/runs.js';
import { runtimeDirectory } from '../platform/runtime-dir.js';
import { type Project, planInput } from './load-project.js';

/** Who chooses next must see the choice: `start` calls `recorded` when the record of its run is there. */
export async function withFreePorts<T>(
  project: Project,
  start: (input: PlanInput, recorded: () => void) => Promise<T>,
): Promise<T> {
  if (project.settings.port !== 'auto') return start(planInput(project), () => {});
  const unlock = await lock();
  try {
    return await start(planInput(project, plannedPorts()), unlock);
  } finally {
    unlock();
  }
}

/** Without a directory for it there are no records either, and the start says so. */
async function lock(): Promise<() => void> {
  const clock = createClock();
  try {
    return await acquireLock(join(runtimeDirectory(), 'ports.lock'), clock);
  } catch (error) {
    if (error instanceof ProcletError) return () => {};
    throw error;
  } finally {
    clock.close();
  }
}

function plannedPorts(): Set<number> {
  try {
    return new Set(liveRuns().flatMap(({ ports }) => ports));
  } catch (error) {
    if (error instanceof ProcletError) return new Set();
    throw error;
  }
}
