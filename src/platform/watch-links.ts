/** Where a path leads, and what has to be watched to learn that it leads elsewhere. */
import { lstatSync, readlinkSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, parse, sep } from 'node:path';

/** A name in a directory, which is a path without links. */
export type Hop = readonly [directory: string, name: string];

export interface Trail {
  /** Without links; undefined when nothing is there, or links lead in a circle. */
  readonly real: string | undefined;
  /** Every link on the way, and what the last one leads to, or the name that is missing; empty where there is no link. */
  readonly hops: readonly Hop[];
}

/** As many as Linux follows. */
const mostLinks = 40;

/** @param path absolute */
export function follow(path: string): Trail {
  const hops: Hop[] = [];
  let links = 0;
  let at = parse(path).root;
  const pending = partsOf(path);
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (name === '..') {
      at = dirname(at);
      continue;
    }
    const found = lookAt(join(at, name));
    if (found === undefined) return { real: undefined, hops: [...hops, [at, name]] };
    if (found.target === undefined) {
      at = join(at, name);
      continue;
    }
    links += 1;
    hops.push([at, name]);
    if (links > mostLinks) return { real: undefined, hops };
    if (isAbsolute(found.target)) at = parse(found.target).root;
    pending.unshift(...partsOf(found.target));
  }
  return { real: at, hops: hops.length === 0 ? [] : [...hops, [dirname(at), basename(at)]] };
}

function lookAt(path: string): { readonly target: string | undefined } | undefined {
  try {
    return { target: lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined };
  } catch {
    return undefined; // ENOENT; EACCES: not for us to see
  }
}

function partsOf(path: string): string[] {
  return path.split(sep).filter((part) => part !== '' && part !== '.');
}
