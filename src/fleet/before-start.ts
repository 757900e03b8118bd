/** What stands in the way of a start: a port that somebody has, a name that a run has, a run that does not answer. */
import { ProcletError } from '../errors.js';
import type { Tag } from '../model.js';
import { describeOwners, isPortTaken, ownersOf } from '../network/port-owner.js';
import { liveRuns } from '../platform/runs.js';
import type { SeenRun, SeenService } from './fleet.js';
import { addressOf } from './search-address.js';
import { describeSilence } from './silence.js';

/** Throws ProcletError when a run that does not answer has the service, or may have it. */
export function assertAnswers(runs: readonly SeenRun[], tag: Tag): void {
  const mayHave = ({ command, services }: SeenRun) => command === 'start' || services.some((one) => one.tag === tag);
  const run = runs.find((one) => one.silence !== undefined && mayHave(one));
  if (run?.silence === undefined) return;
  const { text, hint } = describeSilence(run, run.silence);
  throw new ProcletError('FAILED', `${text}. ${hint}`);
}

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
