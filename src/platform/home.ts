/** The places of this user, as they are here. */
import { type Places, placesOf, thisSystem } from './places.js';
import { runtimePlace } from './runtime-dir.js';

/** Throws ProcletError where a home would be in a directory that others have made. */
export function ownPlaces(env: NodeJS.ProcessEnv = process.env): Places {
  const system = thisSystem();
  if (system.home === '') runtimePlace(env);
  return placesOf(env, system);
}

export function homeDirectory(): string {
  return ownPlaces().home;
}
