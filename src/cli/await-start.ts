/** What a foreground start would say of its first moments, for a run that was started in the background. */
import type { ControlClient } from '../control/client.js';
import type { Status } from '../control/protocol.js';
import { silentOf, standingOf } from '../control/standing.js';
import { type ErrorCode, ProcletError } from '../errors.js';
import { reach } from '../fleet/reach.js';
import type { InstanceId, InstanceSnapshot, Millis } from '../model.js';
import { type LiveRun, liveRuns } from '../platform/runs.js';
import type { Clock } from '../ports.js';
import { createLines, type LoggedLine } from './logged-lines.js';

/** How the services of a run stand after its start. */
export interface Begun {
  readonly services: Status['services'];
  /** Those that failed or wait for another try, and those that are still starting. */
  readonly troubled: readonly InstanceSnapshot[];
  readonly starting: readonly InstanceSnapshot[];
  /** The instances are up and listen nowhere, although they were given a port. */
  readonly silent: readonly InstanceId[];
  /** What was printed, proclet's own lines included. */
  readonly lines: readonly LoggedLine[];
}

/** How long services may take that say when they are ready, or listen: a moment longer than it is asked whether they do. */
const patience: Millis = 31_000;
const lookEvery: Millis = 50;

/**
 * Resolves once every service of the run is up, is done, sleeps, has crashed, or takes longer than half a minute.
 * `undefined`: the run has ended already, or cannot be reached.
 */
export async function awaitStart(pid: number, clock: Clock): Promise<Begun | undefined> {
  try {
    const run = liveRuns().find((each) => each.pid === pid);
    return run && (await watched(run, clock));
  } catch (error) {
    if (error instanceof ProcletError && unreached.has(error.code)) return undefined;
    throw error;
  }
}

/** It has ended; or where runs leave word of themselves cannot be looked at, which it says itself. */
const unreached: ReadonlySet<ErrorCode> = new Set(['NOT_RUNNING', 'OS']);

async function watched(run: LiveRun, clock: Clock): Promise<Begun> {
  const client = await reach(run, clock);
  try {
    const until = clock.now() + patience;
    for (;;) {
      const { services } = await client.request<Status>({ verb: 'ps' });
      const instances = services.flatMap((service) => service.instances);
      const ids = instances.map(({ id }) => id);
      const troubled = instances.filter(({ phase }) => phase === 'backoff' || phase === 'failed');
      const pending = services.filter((service) => {
        const ids = service.instances.map(({ id }) => id);
        return standingOf(service, ids, false).is === 'pending';
      });
      const starting = pending.flatMap((service) => service.instances.filter(isComing));
      if (troubled.length > 0 || starting.length === 0 || clock.now() >= until)
        return { services, troubled, starting, silent: silentOf(services, ids), lines: await linesSoFar(client) };
      await new Promise<void>((go) => void clock.wakeAt(clock.now() + lookEvery, go));
    }
  } finally {
    client.close();
  }
}

function isComing({ phase, listens }: InstanceSnapshot): boolean {
  return phase !== 'up' || listens === 'pending';
}

async function linesSoFar(client: ControlClient): Promise<LoggedLine[]> {
  const lines: LoggedLine[] = [];
  const linesOf = createLines();
  await client.request({ verb: 'events', targets: [] }, (item) => {
    if ('event' in item) lines.push(...linesOf(item.event));
  });
  return lines;
}
