/** The run that a launch has just started, as soon as it answers. */
import { ProcletError } from '../errors.js';
import type { Millis, Tag } from '../model.js';
import type { Clock } from '../ports.js';
import type { Fleet, SeenRun } from './fleet.js';

/** So often a run is asked that does not answer yet. */
const lookEvery: Millis = 50;

/** How long a run may be too busy with its start to answer. */
const patience: Millis = 30_000;

/**
 * Resolves with the run of a directory that has the service. A run that does not answer says nothing of its services, and is
 * asked again. Rejects with a ProcletError: NOT_RUNNING when every run answers and none has the service.
 */
export async function runBegun(
  fleet: Pick<Fleet, 'runs' | 'look'>,
  clock: Clock,
  root: string,
  tag: Tag,
): Promise<SeenRun> {
  for (const end = clock.now() + patience; ; ) {
    await fleet.look();
    const runs = fleet.runs.filter((run) => run.root === root);
    const begun = runs.findLast(({ services }) => services.some((service) => service.tag === tag));
    if (begun !== undefined) return begun;
    if (runs.every(({ silence }) => silence === undefined))
      throw new ProcletError('NOT_RUNNING', `${tag} ended as soon as it was started`);
    if (clock.now() >= end) throw new ProcletError('TIMEOUT', `what was started for ${tag} does not answer`);
    await new Promise<void>((go) => void clock.wakeAt(clock.now() + lookEvery, go));
  }
}
