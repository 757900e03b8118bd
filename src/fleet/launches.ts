/**
 * Services of projects that are started for somebody who waits for their address. Whoever asks for the same one meanwhile
 * waits for the same launch. A project has one run, in which only what was asked for, and what that is after, is started.
 */
import { formatDuration } from '../duration.js';
import type { Tag } from '../model.js';
import type { Clock } from '../ports.js';
import type { Fleet, LastEnd, SeenRun } from './fleet.js';
import { OneLaunch } from './launch.js';
import type { Arrived, Launch, Past } from './launch-state.js';
import type { LaunchedProject } from './launched-project.js';

/** Starts a run of a project with this service, and resolves once its services are started. */
export type StartRun<P extends LaunchedProject = LaunchedProject> = (
  project: P,
  tag: Tag,
  name: string,
) => Promise<void>;

export interface Launches<P extends LaunchedProject = LaunchedProject> {
  launch(project: P, tag: Tag): Launch;
  /** Whether it runs, or is being started for somebody. */
  isUnderWay(root: string, tag: Tag): boolean;
  /** Until so many others have ended. */
  find(id: number): Launch | undefined;
  /** Where a service that is up was last found to listen. */
  addressOf(root: string, tag: Tag): { readonly host: string; readonly port: number } | undefined;
  /** Why the last launch of a service failed; absent once another one is under way. */
  lastFailure(root: string, tag: Tag): LastEnd | undefined;
  close(): void;
}

export interface LaunchesParts<P extends LaunchedProject> {
  readonly startRun: StartRun<P>;
  readonly past: Past;
  /** For people: what was started, and what was not and why. */
  readonly told?: (text: string) => void;
}

const keptLaunches = 200;

export function createLaunches<P extends LaunchedProject>(
  fleet: Fleet,
  clock: Clock,
  { startRun, past, told = () => {} }: LaunchesParts<P>,
): Launches<P> {
  const launches = new Map<number, OneLaunch>();
  const arrived = new Map<string, Arrived>();
  let last = 0;
  const underWay = (root: string, tag: Tag) =>
    [...launches.values()].find((one) => one.root === root && one.tag === tag && one.state.is === 'booting');
  return {
    launch(project, tag) {
      const same = underWay(project.root, tag);
      if (same) return same;
      last += 1;
      const launch = new OneLaunch(last, project, tag, {
        ...{ fleet, clock, past },
        startRun: (name) => startRun(project, tag, name),
        arrived: (at) => void arrived.set(`${project.root}\0${tag}`, at),
      });
      launches.set(last, launch);
      for (const [id, { state }] of launches) {
        if (launches.size > keptLaunches && state.is !== 'booting') launches.delete(id);
      }
      const began = clock.now();
      void launch.begin();
      void launch.finished.then((state) => {
        const name = `${project.name}/${tag}`;
        if (state.is === 'failed') told(`${name} did not start: ${state.reason}`);
        else if (state.is === 'running' && launch.isStart) told(`${name} runs, and listens nowhere`);
        else if (state.is === 'ready' && launch.isStart) {
          told(`${name} is at http://localhost:${state.port}/ (started in ${formatDuration(clock.now() - began)})`);
        }
      });
      return launch;
    },
    isUnderWay: (root, tag) => underWay(root, tag) !== undefined || isAlive(fleet.runs, root, tag),
    find: (id) => launches.get(id),
    addressOf(root, tag) {
      const found = arrived.get(`${root}\0${tag}`);
      return found !== undefined && isUpIn(fleet.runs, found.run, tag, found.pids) ? found : undefined;
    },
    lastFailure(root, tag) {
      const one = [...launches.values()].findLast((each) => each.root === root && each.tag === tag);
      if (one?.state.is !== 'failed') return undefined;
      return { at: one.endedAt, text: one.state.reason, isFailure: true };
    },
    close() {
      for (const launch of launches.values()) launch.fail('the launcher ends');
    },
  };
}

/** Up, or still the process that was found to listen before it was told to be up. */
function isUpIn(runs: readonly SeenRun[], run: string, tag: Tag, pids: readonly number[]): boolean {
  const service = runs.find((one) => one.run === run)?.services.find((one) => one.tag === tag);
  const isIt = (pid = 0) => pids.includes(pid);
  return service?.instances.some(({ phase, pid }) => phase === 'up' || (phase === 'starting' && isIt(pid))) ?? false;
}

function isAlive(runs: readonly SeenRun[], root: string, tag: Tag): boolean {
  const instances = runs
    .filter((run) => run.root === root)
    .flatMap(({ services }) => services.flatMap((one) => (one.tag === tag ? one.instances : [])));
  return instances.some(({ phase }) => phase === 'up' || phase === 'starting');
}
