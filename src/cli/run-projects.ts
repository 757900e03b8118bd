/** Runs of registered projects in the background, each in a process of its own that was made before it was needed. */
import { join } from 'node:path';
import { ProcletError } from '../errors.js';
import type { StartRun } from '../fleet/launches.js';
import type { Millis, Tag } from '../model.js';
import { ownPlaces } from '../platform/home.js';
import type { Clock } from '../ports.js';
import { createSecond, type Second } from './detached.js';
import { flagsFor, type KnownProject } from './known-projects.js';
import { stateDirectory } from './state-dir.js';

export interface Lease {
  /** As on the command line; '0' is never. */
  readonly ttl?: string;
  readonly idle?: string;
}

export interface Starter {
  readonly startRun: StartRun<KnownProject>;
  /** Of the runs it has started. */
  readonly pids: ReadonlySet<number>;
  /** Starts nothing more; resolves when what it was about to start is started, or has failed. */
  close(): Promise<void>;
}

/** What was just started needs the processors more than the process for the next start. */
const rest: Millis = 700;

/** `spare`: whether a process waits for the next start. `boundTo`: a process whose end is theirs, too. */
export function createStarter({
  clock,
  lease,
  boundTo,
  spare,
}: {
  readonly clock: Clock;
  readonly lease: Lease;
  readonly boundTo?: number;
  readonly spare: boolean;
}): Starter {
  const directory = join(ownPlaces().state, 'launcher');
  let second: Second | undefined = spare ? createSecond(directory) : undefined;
  const words = (project: KnownProject, tag: Tag, name: string) => [
    ...flagsFor(project),
    ...['--port', 'auto', '--color', '--name', name, '--start', startOf(project, tag)],
    ...leaseOf(project, tag, lease),
    ...(boundTo === undefined ? [] : ['--until-exit', String(boundTo)]),
  ];
  const pids = new Set<number>();
  const starting = new Set<Promise<number>>();
  let isClosed = false;
  let cancel = () => {};
  const prepareLater = () => {
    cancel();
    cancel = clock.wakeAt(clock.now() + rest, () => {
      second ??= createSecond(directory);
    });
  };
  return {
    pids,
    async startRun(project, tag, name) {
      if (isClosed) throw new ProcletError('REFUSED', 'the launcher ends');
      const own = second ?? createSecond(directory);
      second = undefined;
      const started = own.start(words(project, tag, name), stateDirectory(project.root, name));
      starting.add(started);
      try {
        pids.add(await started);
      } finally {
        starting.delete(started);
        if (spare && !isClosed) prepareLater();
      }
    },
    async close() {
      isClosed = true;
      cancel();
      await Promise.allSettled(starting);
      await second?.close();
      second = undefined;
    },
  };
}

/** Only this one starts; the others when they are asked for, or needed. What is woken by an access stays so. */
function startOf({ services }: KnownProject, wanted: Tag): string {
  return services
    .flatMap(({ tag, start }) => (start === 'on-access' ? [] : [`${tag}=${tag === wanted ? 'always' : 'manual'}`]))
    .join(',');
}

/**
 * For those that have none of their own. What another one is after is in use as long as that runs; its longest life would
 * be the end of the other's, so it has one only if it was wanted itself.
 */
function leaseOf({ services }: KnownProject, wanted: Tag, { ttl, idle }: Lease): string[] {
  const isNeeded = (tag: Tag) => services.some(({ after }) => after.includes(tag));
  const tags = services.filter((one) => !one.hasLease).map(({ tag }) => tag);
  const flag = (name: string, value: string | undefined, those: readonly Tag[]) =>
    value === undefined || those.length === 0 ? [] : [name, those.map((tag) => `${tag}=${value}`).join(',')];
  return [
    ...flag(
      '--ttl',
      ttl,
      tags.filter((tag) => tag === wanted || !isNeeded(tag)),
    ),
    ...flag('--idle', idle, tags),
  ];
}
