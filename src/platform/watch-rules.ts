/**
 * Patterns of one service to the question whether a path is meant. A pattern that is the name of something in the
 * project means that, and all below it; any other is read as in .gitignore, from the part before its first wildcard on:
 * `*.psgi` at any depth, `lib/**` + `/*.pm` below lib. `{a,b}` is either. `!` takes out again. What somebody names is watched even if
 * git ignores it.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { expandBraces } from '../braces.js';
import { type Ignores, isDropping, isWithin } from './ignores.js';

export interface Rules {
  /** Directories to begin at: above what is meant, so that its own coming and going is seen. */
  readonly tops: readonly string[];
  /** Whether there may be something in a directory. */
  enters(directory: string): boolean;
  matches(path: string): boolean;
  /** The patterns as they were written, without those that take out, and whether each means a path. */
  readonly each: readonly { readonly written: string; readonly means: (path: string) => boolean }[];
}

interface Rule {
  /** What is meant lies at or below it. */
  readonly base: string;
  /** Below the base; all of it when there is none. */
  readonly pattern: Ignore | undefined;
  /** Whether what git ignores is passed over. */
  readonly heeds: boolean;
}

export function createRules(root: string, written: readonly string[], ignores: Ignores): Rules {
  const patterns = written.flatMap((pattern) =>
    existsSync(resolve(root, pattern)) ? [pattern] : expandBraces(pattern),
  );
  const ruled = written
    .filter((pattern) => !pattern.startsWith('!'))
    .map((pattern) => {
      const own = patterns.includes(pattern) ? [pattern] : expandBraces(pattern);
      return { written: pattern, rules: own.map((each) => ruleOf(root, each, ignores)) };
    });
  const rules = ruled.flatMap((each) => each.rules);
  const excepted = ignore().add(
    patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => bare(pattern.slice(1))),
  );

  function isPassedOver({ base, heeds }: Rule, path: string, isDirectory: boolean): boolean {
    for (let each = path; each !== base && isWithin(base, each); each = dirname(each)) {
      const isInner = isDirectory || each !== path;
      if (isDropping(each) || (heeds && ignores.isGitIgnored(each, isInner))) return true;
    }
    return false;
  }
  const isExcepted = (path: string) => {
    const name = relative(root, path).split(sep).join('/');
    return name !== '' && !name.startsWith('..') && !isAbsolute(name) && excepted.ignores(name);
  };

  const means = (rule: Rule, path: string) => {
    if (!isWithin(rule.base, path) || isPassedOver(rule, path, false)) return false;
    if (rule.pattern === undefined) return true;
    const name = relative(rule.base, path).split(sep).join('/');
    return name !== '' && rule.pattern.ignores(name);
  };

  return {
    each: ruled.map(({ written: pattern, rules: own }) => ({
      written: pattern,
      means: (path) => own.some((rule) => means(rule, path)),
    })),
    tops: [...new Set(rules.map(({ base }) => (isWithin(root, base) ? root : dirname(nearest(base)))))],
    enters: (directory) =>
      rules.some((rule) => {
        if (isWithin(directory, rule.base)) return true;
        return isWithin(rule.base, directory) && !isPassedOver(rule, directory, true);
      }),
    matches: (path) => rules.some((rule) => means(rule, path)) && !isExcepted(path),
  };
}

function ruleOf(root: string, written: string, ignores: Ignores): Rule {
  const text = bare(written);
  const path = resolve(root, text);
  if (text === '' || text === '.' || existsSync(path) || (!hasWildcard(text) && text.includes('/'))) {
    return { base: path, pattern: undefined, heeds: !isIgnoredAtAll(path, root, ignores) };
  }
  const parts = text.split('/');
  const first = parts.findIndex(hasWildcard);
  const fixed = first < 0 ? [] : parts.slice(0, first);
  const base = fixed.length === 0 ? root : resolve(root, text.startsWith('/') ? `/${join(...fixed)}` : join(...fixed));
  const rest = fixed.length === 0 ? text : `/${parts.slice(first).join('/')}`;
  return { base, pattern: ignore().add(rest), heeds: !isIgnoredAtAll(base, root, ignores) };
}

function isIgnoredAtAll(path: string, root: string, ignores: Ignores): boolean {
  for (let each = path; each !== root && isWithin(root, each); each = dirname(each)) {
    if (ignores.isIgnored(each, statSync(each, { throwIfNoEntry: false })?.isDirectory() ?? false)) return true;
  }
  return false;
}

function bare(pattern: string): string {
  return pattern.replace(/^(\.\/)+/, '').replace(/(?<=.)\/+$/, '');
}

function hasWildcard(text: string): boolean {
  return /[*?[\]]/.test(text);
}

/** The directory itself, that of the file, or the first above that exists. */
function nearest(path: string): string {
  let each = path;
  while (!statSync(each, { throwIfNoEntry: false })?.isDirectory() && each !== dirname(each)) each = dirname(each);
  return each;
}
