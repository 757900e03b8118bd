/** Programs of the system that proclet calls: ps, ss, stty, mkfifo … */

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where systems keep them: proclet may be started with a PATH that has only what its services need, or with none. */
const places = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';

/** An environment in which they are found and speak English. */
export function toolEnv(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: searchPath(process.env['PATH']), LC_ALL: 'C' };
}

/** A PATH, and after it the places where systems keep their programs. */
export function searchPath(path: string | undefined): string {
  // A program that lies in the directory where proclet was started is not the system's.
  const absolute = (path ?? '').split(':').filter((place) => place.startsWith('/'));
  return [...absolute, places].join(':');
}

/** Whether a program of this name is found through a PATH. */
export function isOnPath(name: string, path: string): boolean {
  return path.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What is no name to a shell: dash and busybox give such a variable to nobody; bash passes it on. */
const noShellName = /^(?![A-Za-z_][A-Za-z0-9_]*$)/;

const bashes = ['/bin/bash', '/usr/bin/bash', '/usr/local/bin/bash'];

/** The bash of this system, where there is a variable that `sh` would drop; undefined where `sh` will do, or must. */
export function bashFor(variables: NodeJS.ProcessEnv): string | undefined {
  return Object.keys(variables).some((name) => noShellName.test(name))
    ? bashes.find((path) => isOnPath(path, '/'))
    : undefined;
}

/** The shell of every system for a command that means `sh`, where its PATH has none. */
export function withShell(argv: readonly [string, ...string[]], path: string): readonly [string, ...string[]] {
  const [program, ...rest] = argv;
  return program === 'sh' && !isOnPath('sh', path) ? ['/bin/sh', ...rest] : argv;
}

/** The same words for bash, that takes them as `sh` would. */
export function asSh(bash: string, [, ...words]: readonly string[]): readonly [string, ...string[]] {
  return [bash, '--posix', ...words];
}
