/** What nobody means when they say "watch": what git ignores, what editors leave about, and other people's code. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { readPlain } from './plain-file.js';

const names = new Set(['.git', '.hg', '.svn', '.jj', 'node_modules', '__pycache__', '.idea', '.vscode', '.DS_Store']);

/** vim, Emacs, JetBrains, Kate, GNOME, `sed -i`, patch, Python; and what programs write about themselves. */
const droppings =
  /(~|\.sw[a-px]|\.bak|\.orig|\.rej|\.kate-swp|\.pyc|\.log|\.pid|___jb_(tmp|old)___)$|^(\.#.*|#.*#|4913|\.goutputstream-.*|sed[A-Za-z0-9]{6}|\.fuse_hidden.*)$/;

/** What is ignored although nothing says so. */
export function isDropping(path: string): boolean {
  const name = basename(path);
  return names.has(name) || droppings.test(name);
}

export class Ignores {
  /** The work tree that the project is in, else the project. */
  readonly #top: string;
  /** A project may become a work tree while it is watched. */
  #git: string | undefined;
  readonly #root: string;
  readonly #byDirectory = new Map<string, Ignore | undefined>();

  constructor(root: string) {
    this.#root = root;
    this.#git = gitAbove(root);
    this.#top = this.#git === undefined ? root : dirname(this.#git);
  }

  /** Whether a path is to be passed over, given that the directory it is in is not. */
  isIgnored(path: string, isDirectory: boolean): boolean {
    return isDropping(path) || this.isGitIgnored(path, isDirectory);
  }

  /** By the .gitignore of the directory it is in, or else of one above. */
  isGitIgnored(path: string, isDirectory: boolean): boolean {
    for (let directory = dirname(path); isWithin(this.#top, directory); directory = dirname(directory)) {
      const name = relative(directory, path).split(sep).join('/');
      const verdict = this.#in(directory)?.test(isDirectory ? `${name}/` : name);
      if (verdict?.ignored) return true;
      if (verdict?.unignored) return false;
      if (directory === dirname(directory)) break;
    }
    return false;
  }

  /** A .gitignore changed. */
  forget(path: string): void {
    this.#byDirectory.delete(dirname(path));
  }

  /** Whether git is at work: what it changes is not complete. */
  isGitBusy(): boolean {
    this.#git ??= gitAbove(this.#root);
    return this.#git !== undefined && existsSync(join(this.#git, 'index.lock'));
  }

  #in(directory: string): Ignore | undefined {
    if (this.#byDirectory.has(directory)) return this.#byDirectory.get(directory);
    const path = join(directory, '.gitignore');
    let rules: Ignore | undefined;
    try {
      rules = existsSync(path) ? ignore().add(readPlain(path)) : undefined;
    } catch {
      rules = undefined; // not ours to read, or no plain file: nothing is ignored
    }
    this.#byDirectory.set(directory, rules);
    return rules;
  }
}

/** Whether a path is a directory or below it. */
export function isWithin(directory: string, path: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}

function gitAbove(root: string): string | undefined {
  for (let directory = root; ; directory = dirname(directory)) {
    if (existsSync(join(directory, '.git'))) return join(directory, '.git');
    if (directory === dirname(directory)) return undefined;
  }
}
