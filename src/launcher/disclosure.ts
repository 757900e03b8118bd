/**
 * What the launcher shows of texts: each through the mask of the directory that it is about, or of all when it may be about
 * any. A mask knows the secrets in the files of a project, now and before, and those that its runs say they have.
 */
import { type Mask, maskOf, type SecretsByRoot } from '../secrets.js';
import type { Projects } from './ports.js';

export interface Disclosure {
  of(root: string): Mask;
  /** Without the secrets of any project or run. */
  readonly all: Mask;
}

type Source = readonly (readonly string[])[];

export function createDisclosure(projects: Pick<Projects, 'all' | 'secretsOf'>, ofRuns: SecretsByRoot): Disclosure {
  const made = new Map<string, { readonly from: Source; readonly mask: Mask }>();
  const of = (root: string) => {
    const from = [projects.secretsOf(root), ofRuns.of(root)];
    const before = made.get(root);
    if (before?.from.every((each, n) => each === from[n])) return before.mask;
    const mask = maskOf(from.flat());
    made.set(root, { from, mask });
    return mask;
  };
  return {
    of,
    all(text) {
      const roots = new Set([...projects.all.map(({ root }) => root), ...ofRuns.roots]);
      return [...roots].reduce((shown, root) => of(root)(shown), maskOf([])(text));
    },
  };
}
