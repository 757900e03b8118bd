/** The registered projects for the launcher: read again only when one of their files has changed. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { LauncherProject, Projects } from '../launcher/ports.js';
import { findProject, type RegisteredProject } from '../projects/registry.js';
import { knowProject, secretsIn } from './known-projects.js';
import { pastOf } from './past.js';
import { readProjects, registryPath } from './projects.js';

const mostSecrets = 500;

interface Known {
  /** What tells whether they are as they were. */
  readonly files: string;
  readonly envFiles: readonly string[];
  readonly project: LauncherProject;
}

export function createLauncherProjects(): Projects {
  let registryAt = '';
  let problem: string | undefined;
  let registry: readonly RegisteredProject[] = [];
  let known = new Map<string, Known>();
  let all: readonly LauncherProject[] = [];
  const others = new Map<string, { readonly stamp: string; readonly secrets: readonly string[] }>();

  async function know(project: RegisteredProject, before: Known | undefined): Promise<Known> {
    if (before !== undefined && before.files === stampOf(project, before.envFiles)) return before;
    const { problem, envFiles, ...read } = await knowProject(project);
    // A service may run on with what a file said before.
    const secrets = [...new Set([...read.secrets, ...(before?.project.secrets ?? [])])].slice(0, mostSecrets);
    return {
      ...{ files: stampOf(project, envFiles), envFiles },
      project: { ...read, secrets, ...(problem !== undefined && { problem: withoutValues(problem) }) },
    };
  }

  /** One that cannot be read is told; those that were known stay. */
  function readRegistry(): void {
    const stamp = stampOfFile(registryPath());
    if (stamp === registryAt) return;
    try {
      registry = readProjects();
      problem = undefined;
    } catch (error) {
      if (registryAt === '') throw error;
      problem = (error as Error).message;
    }
    registryAt = stamp;
  }

  async function refresh(): Promise<void> {
    readRegistry();
    const next = await Promise.all(
      registry.map(async (one) => [one.name, await know(one, known.get(one.name))] as const),
    );
    known = new Map(next);
    all = next.map(([, { project }]) => project);
  }

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
      return all;
    },
    get problem() {
      return problem;
    },
    find: (name) => {
      const found = findProject(registry, name)?.name;
      return found === undefined ? undefined : known.get(found)?.project;
    },
    refresh,
    secretsOf(root) {
      const registered = all.filter((project) => project.root === root);
      if (registered.length === 0) return secretsOfOther(root);
      return registered.length === 1 ? (registered[0]?.secrets ?? []) : registered.flatMap(({ secrets }) => secrets);
    },
    oldLines: (root, tag) => pastOf(root, tag, 0).lines,
  };
}

/** What is wrong with an env file is told without a line of it. */
function withoutValues(problem: string): string {
  return problem
    .split('\n')
    .map((line) => {
      const [, place, path = ''] = /^((\S+):\d+): /.exec(line) ?? [];
      const isOurs = place === undefined || /(?:Procfile[^/]*|proclet\.yml|\.foreman)$/.test(path);
      return isOurs ? line : `${place}: cannot be read (proclet check says why)`;
    })
    .join('\n');
}

function stampOf({ root, procfile = 'Procfile' }: RegisteredProject, envFiles: readonly string[]): string {
  const own = ['proclet.yml', '.env', '.foreman', procfile].map((name) => join(root, name));
  return [root, ...own, ...envFiles].map(stampOfFile).join(' ');
}

function stampOfFile(path: string): string {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? '-' : `${found.mtimeMs}:${found.size}:${found.ino}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '?'; // ELOOP, EACCES
  }
}
