/** The registered project of a directory, or one that is none, under the name of its directory. */
import { realpathSync } from 'node:fs';
import { ProcletError } from '../errors.js';
import { suggestedName } from '../projects/registry.js';
import { nearestProject } from './find-project.js';
import { type KnownProject, knowProject } from './known-projects.js';
import { readProjects } from './projects.js';

/** Throws ProcletError for what is wrong with its files. */
export async function projectAt(directory: string): Promise<KnownProject> {
  const here = realpathSync(directory);
  const root = nearestProject(here) ?? here;
  const registered = readProjects().find((one) => one.root === root);
  const project = await knowProject(registered ?? { name: suggestedName(root), root });
  if (project.problem !== undefined) throw new ProcletError('CONFIG', project.problem);
  return project;
}
