/** What stands in the way of a start: a port that somebody has, a name that a run has. */
import { ProcletError } from '../errors.js';
import { describeOwners, isPortTaken, ownersOf } from '../network/port-owner.js';
import { liveRuns } from '../platform/runs.js';
import type { SeenRun, SeenService } from './fleet.js';
import { addressOf } from './search-address.js';

/** Throws ProcletError when somebody else listens where a service that is down is going to. */
export function assertFree(run: SeenRun, service: SeenService | undefined): void {
  const port = service && addressOf(service)?.port;
  if (port === undefined || isPortTaken(port) !== true) return;
  const owners = ownersOf(port);
  if (owners.some(({ pid }) => pid === run.pid)) return; // proclet itself waits there for who wakes it
  throw new ProcletError('FAILED', `port ${port}, which is ${service?.tag}'s, is held by ${describeOwners(owners)}`);
}

/** Of a run of a directory. One that a terminal started without the service has the project's own name, and so has one that ends. */
export function freeName(root: string): string {
  const taken = new Set(liveRuns().flatMap((run) => (run.root === root && run.command === 'start' ? [run.name] : [])));
  for (let n = 0; ; n += 1) {
    const name = n === 0 ? '' : n === 1 ? 'launcher' : `launcher-${n}`;
    if (!taken.has(name)) return name;
  }
}
