/**
 * Where files of proclet's own are, besides those that a run is told to write: decided here, from what the environment
 * and the system say, and nowhere else but in bin/cache-directory.cjs, which is needed before anything is loaded.
 */
import { homedir, tmpdir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';

export interface Places {
  /** Of what runs leave word of themselves in. */
  readonly runtime: string;
  readonly home: string;
  /** The user's configuration. */
  readonly own: string;
  /** Of compiled code; undefined where there is no home: then nothing is kept. */
  readonly cache: string | undefined;
  /** Of the output of detached runs, a directory for each project. */
  readonly state: string;
}

export interface System {
  /** '' for a user whom the system does not know and who has no HOME, as in a container under a bare number. */
  readonly home: string;
  /** For temporary files of all users. */
  readonly temporary: string;
  readonly user: string | number;
}

/**
 * Absolute paths; nothing needs to be there. What is no absolute path in XDG_… counts as unset, as that specification
 * wants it. Who has no home has one beside the records of the runs, which lasts as long as those do.
 */
export function placesOf(env: NodeJS.ProcessEnv, { home, temporary, user }: System): Places {
  const named = (variable: string) => (isAbsolute(env[variable] ?? '') ? env[variable] : undefined);
  const runtimeHome = named('XDG_RUNTIME_DIR');
  const runtime = runtimeHome ? join(runtimeHome, 'proclet') : join(temporary, `proclet-${user}`);
  const ownHome = home || join(runtime, 'home');
  const below = (variable: string, ...usual: string[]) => join(named(variable) ?? join(ownHome, ...usual), 'proclet');
  const hasCache = home !== '' || named('XDG_CACHE_HOME') !== undefined;
  return {
    runtime,
    home: ownHome,
    own: below('XDG_CONFIG_HOME', '.config'),
    cache: hasCache ? below('XDG_CACHE_HOME', '.cache') : undefined,
    state: below('XDG_STATE_HOME', '.local', 'state'),
  };
}

/** homedir() is '' where it would throw: see bin/proclet.cjs. */
export function thisSystem(): System {
  return { home: homedir(), temporary: tmpdir(), user: process.getuid?.() ?? userInfo().username };
}
