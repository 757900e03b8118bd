/** Where the user's own files are: HOME, or what the system says of the user. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runtimeDirectory } from './runtime-dir.js';

/**
 * A user whom the system does not know and who has no HOME, as in a container that runs under a bare number, has one
 * beside the records of its runs, which lasts as long as those do. There homedir() is '': see bin/proclet.cjs.
 */
export function homeDirectory(): string {
  return homedir() || join(runtimeDirectory(), 'home');
}
