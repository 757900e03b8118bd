/** What the files of a registered project say, as far as who starts its services must know it before. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ProcletError, placeOf, problemLine } from '../errors.js';
import type { Millis, ServiceSpec, StartPolicy, Tag } from '../model.js';
import { buildPlan } from '../plan/build-plan.js';
import { valueFor } from '../plan/per-tag.js';
import { readPlain } from '../platform/plain-file.js';
import { parseDotenv } from '../procfile/parse-dotenv.js';
import type { RegisteredProject } from '../projects/registry.js';
import { secretsOf, secretsOfBroken } from '../secrets.js';
import { loadProject, planInput } from './load-project.js';

export interface KnownService {
  readonly tag: Tag;
  readonly command: string;
  readonly start: StartPolicy;
  /** Somebody said how long it lives, be it for ever. */
  readonly hasLease: boolean;
  /** It shows by itself when it is ready, within this time. */
  readonly readyWithin?: Millis;
  readonly after: readonly Tag[];
}

export interface KnownProject extends RegisteredProject {
  readonly services: readonly KnownService[];
  /** Why nothing of it can be started. */
  readonly problem?: string;
  /** The same without a line of an env file. */
  readonly openProblem?: string;
  /** Values that are nobody else's business. */
  readonly secrets: readonly string[];
  /** Those that services name. */
  readonly envFiles: readonly string[];
}

/** What is no plain file is not read, so that nobody waits for whoever writes it. */
export async function knowProject(project: RegisteredProject): Promise<KnownProject> {
  try {
    return { ...project, ...(await read(project)) };
  } catch (error) {
    // Whatever is wrong with one project is no reason to do without the others.
    const problem = error instanceof Error ? error.message : String(error);
    const openProblem = withoutValues(error, problem);
    return { ...project, services: [], envFiles: [], secrets: secretsIn(project.root), problem, openProblem };
  }
}

/** Tells the problems of env files by their places alone: their lines hold secrets. */
function withoutValues(error: unknown, message: string): string {
  if (!(error instanceof ProcletError) || error.problems.length === 0) return message;
  const isOurs = (path: string) => /(?:Procfile[^/]*|proclet\.yml|\.foreman)$/.test(path);
  return error.problems
    .map((one) =>
      one.line === undefined || isOurs(one.path)
        ? problemLine(one)
        : `${placeOf(one)}: cannot be read (proclet check says why)`,
    )
    .join('\n');
}

/** The flags that name a project to `proclet start`. */
export function flagsFor({ root, procfile }: RegisteredProject): string[] {
  return ['--root', root, ...(procfile === undefined ? [] : ['--procfile', join(root, procfile)])];
}

type Read = Pick<KnownProject, 'services' | 'secrets' | 'envFiles'>;

async function read({ root, procfile }: RegisteredProject): Promise<Read> {
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new ProcletError('CONFIG', `its directory is gone: ${root}`);
  }
  if (procfile === undefined && !existsSync(join(root, 'Procfile')) && !existsSync(join(root, '.env'))) {
    throw new ProcletError('CONFIG', `it has no Procfile: ${join(root, 'Procfile')}`);
  }
  const given = (text: string, flag: string) => ({ text, origin: flag });
  const flags = {
    root: given(root, '--root'),
    ...(procfile !== undefined && { procfile: given(join(root, procfile), '--procfile') }),
  };
  const loaded = await loadProject({ flags, manner: 'careful' });
  const { services } = buildPlan(planInput(loaded));
  const { settings, config, dotenv, envFiles } = loaded;
  const configured = Object.values(config?.services ?? {});
  const leased = ({ tag, ttl, idle }: ServiceSpec) =>
    Math.min(ttl, idle) < Infinity ||
    valueFor(settings.ttl, tag, config?.services[tag]?.ttl) !== undefined ||
    valueFor(settings.idle, tag, config?.services[tag]?.idle) !== undefined;
  return {
    services: services.map((service) => {
      const { tag, command, start, after, instances } = service;
      const timeout = instances[0]?.ready?.timeout;
      const hasLease = leased(service);
      return { tag, command, start, after, hasLease, ...(timeout !== undefined && { readyWithin: timeout }) };
    }),
    secrets: [dotenv, ...Object.values(envFiles), ...configured.map(({ env = {} }) => env)].flatMap((values) =>
      secretsOf(values),
    ),
    envFiles: configured.flatMap((service) => service['env-file'] ?? []).map((name) => resolve(root, name)),
  };
}

/** Those in the env files of a directory, of which any may be broken, and in its proclet.yml. */
export function secretsIn(root: string): readonly string[] {
  const config = readIfPlain(join(root, 'proclet.yml'));
  const files = ['.env', ...envFilesNamedIn(config)].map((name) => readIfPlain(resolve(root, name)));
  const read = (text: string) => {
    const parsed = parseDotenv(text, '.env');
    return parsed.ok ? secretsOf(parsed.value) : secretsOfBroken(text);
  };
  return [...new Set([...files.flatMap(read), ...secretsOfBroken(config)])];
}

/** What follows the key: a name, a list in brackets, or a line for each. */
const envFileKey =
  /(?:^|[\s{,'"])env-file['"]?:[ \t]*(\[[^\]]*|[^\s#,}[][^\n,}]*|(?:#.*)?(?:\r?\n[ \t]*(?:#.*|-.*)?)*)/g;

/** The files of variables that a text names, which need not be good YAML. */
export function envFilesNamedIn(config: string): readonly string[] {
  const values = [...config.matchAll(envFileKey)].map(([, value = '']) => value.replace(/(?:^|\s)#.*$/gm, ''));
  return values.flatMap((value) =>
    [...value.matchAll(/"([^"]+)"|'([^']+)'|([^\s,'"[\]]+)/g)]
      .map(([, double, single, plain]) => double ?? single ?? plain ?? '')
      .filter((name) => name !== '-'),
  );
}

/** Nothing, of what cannot be read. */
function readIfPlain(path: string): string {
  try {
    return readPlain(path);
  } catch {
    return ''; // ENOENT, EACCES, ELOOP, ENOTPLAIN
  }
}
