/** What proclet itself writes, which is no change of a project, wherever it lies. */
import { realpathSync } from 'node:fs';
import { sep } from 'node:path';
import { ownPlaces } from './home.js';
import { isWithin } from './ignores.js';
import { isDraft } from './maker.js';

/** @param files absolute paths of what a run writes for its user: logs, status files, a pid file */
export function ownFiles(files: readonly string[]): (path: string) => boolean {
  const directories = withReal(placesOrNone());
  const own = withReal(files);
  return (path) =>
    path.split(sep).some(isDraft) ||
    directories.some((directory) => isWithin(directory, path)) ||
    own.some((file) => path === file || isRotated(path, file));
}

/** `web.log.1` */
function isRotated(path: string, file: string): boolean {
  return path.startsWith(`${file}.`) && /^\d+$/.test(path.slice(file.length + 1));
}

function placesOrNone(): readonly string[] {
  try {
    const { runtime, own, cache, state } = ownPlaces();
    return [runtime, own, state, ...(cache === undefined ? [] : [cache])];
  } catch {
    return []; // no place, so no files in it
  }
}

/** As it is written, and without links. */
function withReal(paths: readonly string[]): string[] {
  return [...new Set(paths.flatMap((path) => [path, realOf(path)]))];
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // ENOENT: it is to be made
  }
}
