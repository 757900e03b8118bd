/** What the files of a registered project say, as far as who starts its services must know it before. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ProcletError } from '../errors.js';
import type { Millis, ServiceSpec, StartPolicy, Tag } from '../model.js';
import { buildPlan } from '../plan/build-plan.js';
import { valueFor } from '../plan/per-tag.js';
import { readPlain } from '../platform/plain-file.js';
import { parseDotenv } from '../procfile/parse-dotenv.js';
import type { RegisteredProject } from '../projects/registry.js';
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
    return { ...project, services: [], envFiles: [], secrets: secretsIn(project.root), problem };
  }
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
    secrets: [dotenv, ...Object.values(envFiles), ...configured.map(({ env = {} }) => env)].flatMap(secretsOf),
    envFiles: configured.flatMap((service) => service['env-file'] ?? []).map((name) => resolve(root, name)),
  };
}

const secretName =
  /KEY|SECRET|TOKEN|PASS|PWD|CREDENTIAL|AUTH|DSN|COOKIE|SALT|PRIVATE|SIGNATURE|(?:^|_)PW(?:$|_)|_URL$|_URI$/i;

/** Those in the env file of a directory that is no registered project. */
export function secretsIn(root: string): readonly string[] {
  try {
    const parsed = parseDotenv(readPlain(join(root, '.env')), '.env');
    return parsed.ok ? secretsOf(parsed.value) : [];
  } catch {
    return []; // ENOENT, EACCES, ELOOP, ENOTPLAIN
  }
}

/** Of an env file: what its name calls one, and what looks like none of the words that settings usually have. */
function secretsOf(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    if (value.length < 4) return [];
    const isRandom = value.length >= 16 && /\d/.test(value) && /[A-Za-z]/.test(value) && !/[\s/]/.test(value);
    return secretName.test(name) || isRandom ? shapesOf(value) : [];
  });
}

/** As it may be printed: whole, line by line, encoded, and the password of an address alone. */
function shapesOf(value: string): string[] {
  const password = URL.canParse(value) ? new URL(value).password : '';
  const lines = value.includes('\n') ? value.split('\n').filter((line) => line.length >= 8) : [];
  const all = [
    value,
    ...lines,
    password,
    decoded(password),
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
  ];
  return [...new Set(all)].filter((shape) => shape.length >= 4);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a % that begins nothing
  }
}
