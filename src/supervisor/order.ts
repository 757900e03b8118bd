/**
 * Who starts before whom, and ends after whom. Pure: phases in, tags out. A service waits for those it is
 * `after` until each is up, or has done its work.
 */
import type { Phase, ServiceSpec, Tag } from '../model.js';

/** How a service stands for those that are after it. */
export type Standing = 'ready' | 'on its way' | 'hopeless';

/** The standing that the phases of its instances give a service. `wanted`: it runs or will be started. */
export function standingOf(phases: readonly Phase[], wanted: boolean): Standing {
  const done = (phase: Phase) => phase.is === 'down' && phase.lastExit !== undefined && phase.cause === undefined;
  if (phases.every((phase) => phase.is === 'up' || done(phase))) return 'ready';
  if (phases.some((phase) => phase.is === 'failed')) return 'hopeless';
  const moving = phases.some((phase) => phase.is !== 'down' && phase.is !== 'up');
  return moving || wanted ? 'on its way' : 'hopeless';
}

/** A service and everything it is after, the first to be started first. */
export function withAfter(services: ReadonlyMap<Tag, ServiceSpec>, tag: Tag, seen = new Set<Tag>()): readonly Tag[] {
  if (seen.has(tag)) return [];
  seen.add(tag);
  const own = services.get(tag)?.after ?? [];
  return [...own.flatMap((each) => withAfter(services, each, seen)), tag];
}

/** The services that are after this one. */
export function dependents(services: ReadonlyMap<Tag, ServiceSpec>, tag: Tag): readonly Tag[] {
  return [...services.values()].filter(({ after }) => after.includes(tag)).map((service) => service.tag);
}
