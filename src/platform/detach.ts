/**
 * Programs that a service may start and that are to outlive it: `detach: [tmux]`. A program of that name, found
 * through PATH, is started by a script that takes proclet's ties off it first, so that neither proclet nor its
 * guardian knows it for theirs.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Kept } from './keep-there.js';
import { makeDirectory } from './make-directory.js';
import { detachedMark } from './mark.js';

export interface Detachment extends Kept {
  /** The PATH for a service that may detach these programs. */
  pathFor(names: readonly string[], path: string): string;
  close(): void;
}

/** `home`: the control group that detached programs return to, or ''. The scripts are made in `directory` when first asked for. */
export function createDetachment(directory: string, home: string): Detachment {
  const made = new Map<string, readonly string[]>();
  const make = (place: string, names: readonly string[]) => {
    makeDirectory(place);
    for (const name of names) writeFileSync(join(place, name), script(name, place, home), { mode: 0o700 });
  };
  return {
    pathFor(names, path) {
      const place = join(directory, names.join('+'));
      made.set(place, names);
      make(place, names);
      return `${place}${delimiter}${path}`;
    },
    isThere: () => [...made].every(([place, names]) => names.every((name) => existsSync(join(place, name)))),
    remake() {
      for (const [place, names] of made) make(place, names);
    },
    close() {
      if (made.size > 0) rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Names are checked where proclet.yml is read; the paths are proclet's own. */
function script(name: string, place: string, home: string): string {
  return `#!/bin/sh
{ ulimit -S -w ${detachedMark} || ulimit -S -x ${detachedMark}; } 2>/dev/null
[ -z '${home}' ] || { echo 0 >'${home}/cgroup.procs'; } 2>/dev/null
PATH=\${PATH#'${place}':}
export PATH
export PROCLET_MARK=${detachedMark}
exec ${name} "$@"
`;
}
