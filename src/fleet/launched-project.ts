/** A project as a launch needs it: its services, and what each is after. */
import type { Millis, ServiceSnapshot, Tag } from '../model.js';

export interface LaunchedService {
  readonly tag: Tag;
  readonly start: ServiceSnapshot['start'];
  readonly after: readonly Tag[];
  readonly readyWithin?: Millis;
}

export interface LaunchedProject {
  readonly name: string;
  readonly root: string;
  readonly services: readonly LaunchedService[];
}

/** A service and all that it is after. */
export function withAfter({ services }: LaunchedProject, tag: Tag): Set<Tag> {
  const found = new Set([tag]);
  for (const each of found) for (const one of services.find((s) => s.tag === each)?.after ?? []) found.add(one);
  return found;
}
