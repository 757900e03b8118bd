/** The registered projects, in the user's configuration. */
import { join } from 'node:path';
import { createClock } from '../platform/clock.js';
import { ownPlaces } from '../platform/home.js';
import { changeShared, readShared } from '../platform/shared-file.js';
import { formatRegistry, parseRegistry, type Registry } from '../projects/registry.js';

export function registryPath(): string {
  return join(ownPlaces().own, 'projects.json');
}

/** Throws ProcletError when the file is not what proclet wrote. */
export function readProjects(): Registry {
  const path = registryPath();
  return parseRegistry(readShared(path), path);
}

export async function changeProjects(change: (projects: Registry) => Registry): Promise<void> {
  const path = registryPath();
  const clock = createClock();
  try {
    await changeShared(path, clock, (text) => formatRegistry(change(parseRegistry(text, path))));
  } finally {
    clock.close();
  }
}

/** A path in which nothing acts on a terminal. */
export function shownPath(path: string): string {
  return path.replace(/[\x00-\x1f\x7f]/g, '?');
}
