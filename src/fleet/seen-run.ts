/** A run as it was last seen: what it said of itself, what the machine said of its processes, and whether it still answers. */
import type { Status } from '../control/protocol.js';
import { inspect } from '../inspect.js';
import type { Usage } from '../model.js';
import type { LiveRun } from '../platform/runs.js';
import { type Silence, silenceOf } from './silence.js';

/** A run, and how it stood at that wall time. */
export interface SeenRun extends Pick<Status, 'run' | 'pid' | 'name' | 'root' | 'command' | 'since' | 'services'> {
  readonly at: number;
  /** It did not answer the last question; `services` are what it said before, if it ever said anything. */
  readonly silence?: Silence;
}

export type SeenService = SeenRun['services'][number];

/** As it answered. What was measured before stands until it is measured again. */
export function seenNow(status: Status, at: number, before: SeenRun | undefined): SeenRun {
  const { run, pid, name, root, command, since, services } = status;
  const instances = (before?.services ?? []).flatMap((service) => service.instances);
  const usages = new Map(instances.map(({ mark, usage }) => [mark, usage]));
  return { run, pid, name, root, command, since, at, services: withUsages(services, usages) };
}

/** As it was before, but that it does not answer. */
export function seenSilent(live: LiveRun, wall: number, before: SeenRun | undefined): SeenRun {
  const { run, pid, name, root, command, since } = live;
  const known = before ?? { run, pid, name, root, command, since, at: wall, services: [] };
  return { ...known, silence: silenceOf(live, wall) };
}

/** Asks the machine for memory and ports: one reading of it for all of them. */
export function measure(all: readonly { readonly live: LiveRun; seen: SeenRun | undefined }[]): void {
  const instances = all.flatMap(({ seen }) => seen?.services ?? []).flatMap((service) => service.instances);
  const usages = inspect(
    instances,
    all.map(({ live }) => live.cgroup),
  );
  for (const one of all) {
    if (one.seen !== undefined) one.seen = { ...one.seen, services: withUsages(one.seen.services, usages) };
  }
}

/** What is not measured stays as it is. */
export function withUsages(
  services: Status['services'],
  usages: ReadonlyMap<string | undefined, Usage | undefined>,
): Status['services'] {
  return services.map((service) => ({
    ...service,
    instances: service.instances.map((one) => {
      const usage = one.mark === undefined ? undefined : usages.get(one.mark);
      return usage === undefined ? one : { ...one, usage };
    }),
  }));
}

/** Whether an instance that serves is up. */
export function isUp(service: SeenService | undefined): boolean {
  return service?.instances.some(({ phase, role }) => phase === 'up' && role === 'serving') ?? false;
}

/** Where its processes listen, when it was looked last. */
export function portsOf(service: SeenService | undefined): readonly number[] {
  return [...new Set(service?.instances.flatMap(({ usage }) => usage?.ports ?? []))];
}
