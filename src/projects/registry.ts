/**
 * The projects that somebody registered: their names, directories and Procfiles. Text in, text out; where the text is
 * kept is the business of others.
 */
import * as z from 'zod';
import { ProcletError } from '../errors.js';

export interface RegisteredProject {
  readonly name: string;
  /** Absolute. */
  readonly root: string;
  /** Another Procfile than the usual one, relative to the root. */
  readonly procfile?: string;
}

export type Registry = readonly RegisteredProject[];

const schema = z.object({
  version: z.literal(1),
  projects: z.array(
    z.object({
      name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/),
      root: z.string().regex(/^\/[^\0]*$/),
      procfile: z.string().min(1).optional(),
    }),
  ),
});

/** `path` is for the error: a ProcletError when somebody else wrote the text. An absent text is an empty registry. */
export function parseRegistry(text: string | undefined, path: string): Registry {
  if (text === undefined || text.trim() === '') return [];
  try {
    return schema.parse(JSON.parse(text)).projects.map(({ name, root, procfile }) => ({
      ...{ name, root },
      ...(procfile !== undefined && { procfile }),
    }));
  } catch (cause) {
    throw new ProcletError('CONFIG', `${path} is not a list of projects that proclet wrote`, {
      hint: 'Mend it, or move it away and register the projects again with proclet project add.',
      cause,
    });
  }
}

export function formatRegistry(projects: Registry): string {
  return `${JSON.stringify({ version: 1, projects }, undefined, 2)}\n`;
}

/** The name that a directory suggests: what no host name and no shell minds. */
export function suggestedName(root: string): string {
  const last = root.split('/').findLast((part) => part !== '') ?? '';
  return (
    last
      .normalize('NFKD')
      .replace(/[^A-Za-z0-9_-]+/g, '-')
      .replace(/^[-_]+|[-_]+$/g, '') || 'project'
  );
}

/** A name as part of a host name (RFC 1123): small letters, digits, and hyphens within. */
export function labelOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}

/** With one more. A directory has one name: what was registered there before is replaced. Throws ProcletError for a name that is taken. */
export function addProject(projects: Registry, project: RegisteredProject): Registry {
  const { name, root } = project;
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name) || labelOf(name).length > 63) {
    throw new ProcletError('USAGE', `'${name}' is no name for a project: letters, digits, - and _, at most 63`);
  }
  const others = projects.filter((each) => each.root !== root);
  const taken = others.find((each) => labelOf(each.name) === labelOf(name));
  if (taken !== undefined) {
    throw new ProcletError('REFUSED', `${taken.root} is registered as ${taken.name} already`, {
      hint: 'Give this one another name with --name.',
    });
  }
  return [...others, project].sort((a, b) => a.name.localeCompare(b.name, 'en'));
}

/** Without the one of this name, or without those of this directory. Throws ProcletError when there is none. */
export function removeProject(projects: Registry, which: string, directory: string): Registry {
  const named = projects.filter(({ name }) => name === which);
  const gone = named.length > 0 ? named : projects.filter(({ root }) => root === directory);
  if (gone.length === 0) {
    const hint = projects.length === 0 ? 'None is registered.' : `There are ${projects.map((p) => p.name).join(', ')}.`;
    throw new ProcletError('NOT_FOUND', `no project is named ${which}, and none is registered in ${directory}`, {
      hint,
    });
  }
  return projects.filter((each) => !gone.includes(each));
}

/** By its name, however its letters are written; never by a part of it. */
export function findProject(projects: Registry, name: string): RegisteredProject | undefined {
  return projects.find((each) => each.name === name) ?? projects.find((each) => labelOf(each.name) === labelOf(name));
}
