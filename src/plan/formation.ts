/**
 * The formation: how many instances of each service. Owns its notation and what it leaves open: a service
 * that it does not mention keeps its `instances` of `proclet.yml`, or one. `web=0` leaves a service out.
 */
import type { PerTag, ServiceConfig, Tag } from '../model.js';
import { readPerTag, valueFor } from './per-tag.js';
import { type Reading, readCount } from './reading.js';

/** Reads `all=1,web=2`. */
export function readFormation(text: string): Reading<PerTag<number>> {
  return readPerTag(text, { read: readCount, bare: 'refused', example: 'all=1,web=2' });
}

/** How many of a service to run. */
export function instancesOf(tag: Tag, formation: PerTag<number>, service: ServiceConfig): number {
  return valueFor(formation, tag, service.instances) ?? 1;
}
