/** The registered projects for the launcher: read again only when one of their files has changed. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { LauncherProject, Projects } from '../launcher/ports.js';
import { findProject, type RegisteredProject } from '../projects/registry.js';
import { knowProject, secretsIn } from './known-projects.js';
import { pastOf } from './past.js';
import { readProjects, registryPath } from './projects.js';

interface Known {
  /** What tells whether they are as they were. */
  readonly files: string;
  readonly envFiles: readonly string[];
  readonly project: LauncherProject;
}

/** The registry as it is: read again when its file is another. */
function createRegistry() {
  let readAt = '';
  let problem: string | undefined;
  let registry: readonly RegisteredProject[] = [];
  return {
    get problem() {
      return problem;
    },
    get all() {
      return registry;
    },
    /** One that cannot be read is told; those that were known stay. Throws ProcletError when none was ever read. */
    refresh(): void {
      const stamp = stampOfFile(registryPath());
      if (stamp === readAt) return;
      try {
        registry = readProjects();
        problem = undefined;
      } catch (error) {
        if (readAt === '') throw error;
        problem = (error as Error).message;
      }
      readAt = stamp;
    },
  };
}

export function createLauncherProjects(): Projects {
  const registry = createRegistry();
  let known = new Map<string, Known>();
  const others = new Map<string, { readonly stamp: string; readonly secrets: readonly string[] }>();

  async function know(project: RegisteredProject, before: Known | undefined): Promise<Known> {
    if (before !== undefined && before.files === stampOf(project, before.envFiles)) return before;
    const { problem: _, openProblem, envFiles, ...read } = await knowProject(project);
    // A service may run on with what a file said before.
    const secrets = [...new Set([...read.secrets, ...(before?.project.secrets ?? [])])];
    return {
      ...{ files: stampOf(project, envFiles), envFiles },
      project: { ...read, secrets, ...(openProblem !== undefined && { problem: openProblem }) },
    };
  }

  async function refresh(): Promise<void> {
    registry.refresh();
    const next = await Promise.all(
      registry.all.map(async (one) => [one.name, await know(one, known.get(one.name))] as const),
    );
    known = new Map(next);
  }

  async function current(name: string): Promise<LauncherProject | undefined> {
    registry.refresh();
    const found = findProject(registry.all, name);
    if (found === undefined) return undefined;
    const one = await know(found, known.get(found.name));
    known.set(found.name, one);
    return one.project;
  }

  const all = () => registry.all.flatMap(({ name }) => known.get(name)?.project ?? []);

  function secretsOfOther(root: string): readonly string[] {
    const stamp = stampOfFile(join(root, '.env'));
    const before = others.get(root);
    if (before?.stamp === stamp) return before.secrets;
    const secrets = secretsIn(root);
    others.set(root, { stamp, secrets });
    return secrets;
  }

  return {
    get all() {
      return all();
    },
    get problem() {
      return registry.problem;
    },
    find: (name) => {
      registry.refresh();
      const found = findProject(registry.all, name);
      const project = found && known.get(found.name)?.project;
      return project?.root === found?.root ? project : undefined;
    },
    current,
    refresh,
    secretsOf(root) {
      const registered = all().filter((project) => project.root === root);
      if (registered.length === 0) return secretsOfOther(root);
      return registered.length === 1 ? (registered[0]?.secrets ?? []) : registered.flatMap(({ secrets }) => secrets);
    },
    oldLines: (root, tag) => pastOf(root, tag, 0).lines,
  };
}

function stampOf({ root, procfile = 'Procfile' }: RegisteredProject, envFiles: readonly string[]): string {
  const own = ['proclet.yml', '.env', '.foreman', procfile].map((name) => join(root, name));
  return [root, ...own, ...envFiles].flatMap((path) => [path, stampOfFile(path)]).join(' ');
}

function stampOfFile(path: string): string {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? '-' : `${found.mtimeMs}:${found.size}:${found.ino}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '?'; // ELOOP, EACCES
  }
}
