/** How runs stand, with what the machine says of their processes: one reading of it for all of them. */
import type { Status } from '../control/protocol.js';
import { question } from '../fleet/reach.js';
import { withUsages } from '../fleet/seen-run.js';
import { describeSilence, type Silence, silenceOf } from '../fleet/silence.js';
import { inspect } from '../inspect.js';
import type { Millis } from '../model.js';
import type { LiveRun } from '../platform/runs.js';
import type { Clock } from '../ports.js';

/** Of a run that does not answer, what it left word of. */
export interface SilentRun extends Pick<Status, 'run' | 'pid' | 'name' | 'root' | 'command' | 'since' | 'socket'> {
  readonly services: readonly [];
  readonly silence: Silence;
  /** What to do about it. */
  readonly hint: string;
}

export interface Sight {
  readonly statuses: readonly Status[];
  readonly silent: readonly SilentRun[];
}

/** Asks all of them at once. `within` is for each of them; without it a busy machine is given more time. */
export async function lookAtRuns(runs: readonly LiveRun[], clock: Clock, within?: Millis): Promise<Sight> {
  const silent: SilentRun[] = [];
  const answers = await Promise.all(
    runs.map(async (run) => {
      try {
        return [await question<Status>(run, { verb: 'ps' }, clock, within)];
      } catch {
        silent.push(silentRun(run, clock.wall()));
        return [];
      }
    }),
  );
  const statuses = answers.flat();
  const instances = statuses.flatMap(({ services }) => services.flatMap((service) => service.instances));
  const usages = inspect(
    instances,
    runs.map(({ cgroup }) => cgroup),
  );
  return { statuses: statuses.map((status) => ({ ...status, services: withUsages(status.services, usages) })), silent };
}

function silentRun(live: LiveRun, wall: number): SilentRun {
  const { run, pid, name, root, command, since, socket } = live;
  const silence = silenceOf(live, wall);
  const { hint } = describeSilence(live, silence);
  return { run, pid, name, root, command, since, socket, services: [], silence, hint };
}
