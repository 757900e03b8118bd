/** Where a detached run keeps its output: a directory of the user's own for each project and name. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ownPlaces } from '../platform/places.js';

export function stateDirectory(root: string, name: string): string {
  const hash = createHash('sha256').update(`${root}\0${name}`).digest('hex').slice(0, 10);
  return join(ownPlaces().state, `${basename(root) || 'root'}-${hash}`);
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
