/** Where a detached run keeps its output: a directory of the user's own for each project and name. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { homeDirectory } from '../platform/home.js';
import type { Places } from '../platform/stale-files.js';
import { registryPath } from './projects.js';

export function stateDirectory(root: string, name: string): string {
  const hash = createHash('sha256').update(`${root}\0${name}`).digest('hex').slice(0, 10);
  return join(stateBase(), `${basename(root) || 'root'}-${hash}`);
}

function stateBase(): string {
  return join(process.env['XDG_STATE_HOME'] || join(homeDirectory(), '.local', 'state'), 'proclet');
}

/** Where files of proclet's own may be, besides those of runs. */
export function placesOf(runtime: string): Places {
  const cache = process.env['XDG_CACHE_HOME'] || join(homeDirectory(), '.cache');
  return { runtime, own: dirname(registryPath()), cache: join(cache, 'proclet'), state: stateBase() };
}

/** The log files that a detached run of a directory, or of one above it, has left. */
export function keptLogs(directory: string, name: string): string[] {
  for (let at = directory; ; at = dirname(at)) {
    const found = logsIn(stateDirectory(at, name));
    if (found.length > 0 || dirname(at) === at) return found;
  }
}

export function logsIn(directory: string): string[] {
  try {
    return readdirSync(directory).flatMap((name) => (name.endsWith('.log') ? [join(directory, name)] : []));
  } catch {
    return []; // ENOENT
  }
}
