/** Where the project is that somebody means who stands somewhere in it. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Each makes a directory a project's. */
const names = ['Procfile', 'proclet.yml', '.foreman'];

/**
 * The directory itself or the nearest above it that has files of a project; undefined when there is none. Files of another
 * user who is not root are passed over: they would decide what runs here.
 */
export function nearestProject(directory: string): string | undefined {
  for (let at = directory; ; at = dirname(at)) {
    if (names.some((name) => isTrusted(join(at, name), at === directory))) return at;
    if (dirname(at) === at) return undefined;
  }
}

function isTrusted(path: string, isHere: boolean): boolean {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found !== undefined && (isHere || found.uid === 0 || found.uid === process.getuid?.());
  } catch {
    return false; // EACCES, ELOOP
  }
}

/** What to do about a Procfile that is not there. */
export function missingProcfileHint(path: string): string {
  const others = siblings(path);
  const [other] = others;
  if (other !== undefined) return `There is ${others.join(', ')}: name it with -f ${other}.`;
  return `Write a line such as 'web: node server.js' for each service into a file named ${basename(path)}, or name another file with -f.`;
}

function siblings(path: string): readonly string[] {
  try {
    return readdirSync(dirname(path)).filter(
      (name) => /^procfile[.-]/i.test(name) && existsSync(join(dirname(path), name)),
    );
  } catch {
    return []; // ENOENT, EACCES
  }
}
