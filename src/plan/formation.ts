/**
 * The formation: how many instances of each service. Owns its notation and what it leaves open: a service
 * that it does not mention keeps its `instances` of `proclet.yml`, or one, if a file says it; one that is typed names what
 * is to run. `web=0` leaves a service out.
 */
import type { PerTag, ServiceConfig, Tag } from '../model.js';
import { readPerTag, valueFor } from './per-tag.js';
import { type Reading, readCount } from './reading.js';

/** Reads `all=1,web=2`. */
export function readFormation(text: string): Reading<PerTag<number>> {
  return readPerTag(text, { read: readCount, bare: 'refused', example: 'all=1,web=2' });
}

/** As in foreman, a formation that is typed runs nothing but what it names, unless it only leaves out, or services are named. */
export function formationOf(formation: PerTag<number>, named: readonly Tag[], isTyped: boolean): PerTag<number> {
  const isChoice = formation.all === undefined && Object.values(formation.tags).some((count) => count > 0);
  return isTyped && isChoice && named.length === 0 ? { ...formation, all: 0 } : formation;
}

/** How many of a service to run. */
export function instancesOf(tag: Tag, formation: PerTag<number>, service: ServiceConfig): number {
  return valueFor(formation, tag, service.instances) ?? 1;
}
