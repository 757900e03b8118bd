/** Variables as daemontools' envdir reads them: a file for each, its first line the value; an empty file removes it. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Env } from '../model.js';
import { readPlain } from './plain-file.js';

/** https://cr.yp.to/daemontools/envdir.html; a directory that is not there has none. */
export function readEnvDirectory(directory: string | undefined): Env {
  if (directory === undefined) return {};
  const variables: Record<string, string | undefined> = {};
  for (const name of namesIn(directory)) {
    if (name.startsWith('.') || name.includes('=')) continue;
    const path = join(directory, name);
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) continue;
    const text = readPlain(path);
    const [line = ''] = text.split('\n');
    variables[name] = text === '' ? undefined : line.replace(/[ \t]+$/, '').replaceAll('\0', '\n');
  }
  return variables;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // ENOENT: it may come with the next life
  }
}
