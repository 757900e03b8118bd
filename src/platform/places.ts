/** Where files of proclet's own may be, besides those that a run is told to write. */
import { join } from 'node:path';
import { homeDirectory } from './home.js';
import { runtimePath } from './runtime-dir.js';

export interface Places {
  readonly runtime: string;
  /** The user's configuration. */
  readonly own: string;
  /** Of compiled code; see bin/proclet.cjs. */
  readonly cache: string;
  /** Of the output of detached runs, a directory for each project. */
  readonly state: string;
}

/** Absolute paths; nothing needs to be there. Throws ProcletError where there is no home and no place for one. */
export function ownPlaces(env: NodeJS.ProcessEnv = process.env): Places {
  const below = (variable: string, ...usual: string[]) =>
    join(env[variable] || join(homeDirectory(), ...usual), 'proclet');
  return {
    runtime: runtimePath(env),
    own: below('XDG_CONFIG_HOME', '.config'),
    cache: below('XDG_CACHE_HOME', '.cache'),
    state: below('XDG_STATE_HOME', '.local', 'state'),
  };
}
