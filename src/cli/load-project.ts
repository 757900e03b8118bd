/**
 * Reads a project's files and makes a plan of them. The only place that knows where files are; what is in
 * them is decided in procfile/ and plan/. Reports everything that is wrong with all files at once.
 */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { configError, ProcletError } from '../errors.js';
import type { Config, Given, Parsed, Problem, Procfile, Settings, Tag } from '../model.js';
import { nextFreeBlock, stableBase } from '../network/free-port.js';
import { isPortTaken } from '../network/port-owner.js';
import { buildPlan, type PlanInput } from '../plan/build-plan.js';
import { settingNames } from '../plan/setting-table.js';
import { fromEnvironment, toPlaces, toSettings } from '../plan/settings.js';
import { isEmptyDevice, isPlain, readGiven, readPlain } from '../platform/plain-file.js';
import { parseDotenv, unexpandedIn } from '../procfile/parse-dotenv.js';
import { parseProcfile } from '../procfile/parse-procfile.js';
import { toRecord } from '../record.js';
import { directoryOrRoot } from '../working-directory.js';
import { missingProcfileHint, nearestProject } from './find-project.js';

export type Givens = Readonly<Record<string, Given>>;

export interface Project {
  readonly root: string;
  readonly procfile: Procfile;
  readonly config: Config | undefined;
  readonly settings: Settings;
  readonly dotenv: Readonly<Record<string, string>>;
  readonly envFiles: Readonly<Record<Tag, Readonly<Record<string, string>>>>;
  /** What its files say that may not be meant. */
  readonly remarks: readonly string[];
}

export interface Wish {
  readonly flags: Givens;
  /** Services asked for; empty for all. */
  readonly tags?: readonly Tag[];
  /** Whether a project without a Procfile will do. */
  readonly procfile?: 'needed' | 'optional';
  /**
   * What is no plain file, or a huge one, is an error: whoever writes a pipe may take long, and the program has other
   * things to do meanwhile. Otherwise a pipe is waited for, as `-e <(…)` wants it.
   */
  readonly manner?: 'careful';
  /** What pipes said, by their paths: kept here, and taken from here by who is careful. */
  readonly pipes?: Map<string, string>;
}

/** Throws ProcletError with a line for each problem of each file. */
export async function loadProject(wish: Wish): Promise<Project> {
  const { flags, tags = [], procfile: need = 'needed' } = wish;
  const problems: Problem[] = [];
  const take = <T>(parsed: Parsed<T>, otherwise: T): T => {
    if (parsed.ok) return parsed.value;
    problems.push(...parsed.problems);
    return parsed.rest ?? otherwise;
  };
  const unread: ProcletError[] = [];
  const text: Reading['text'] = (path, hint) => {
    try {
      return readText(path, hint, wish);
    } catch (error) {
      if (!(error instanceof ProcletError)) throw error;
      unread.push(error);
      return undefined;
    }
  };
  const remarks: string[] = [];
  let areVariablesKnown = true;
  const dotenvOf: Reading['dotenvOf'] = (path, hint) => {
    const written = text(path, hint);
    if (written === undefined) {
      areVariablesKnown = false;
      return {};
    }
    remarks.push(...unexpandedIn(written, shown(path)));
    const parsed = parseDotenv(written, shown(path));
    areVariablesKnown &&= parsed.ok;
    return take(parsed, {});
  };
  const reading: Reading = { take, text, dotenvOf };
  const asked = [flags, fromEnvironment(process.env)];
  const wanted = toPlaces(asked);
  const isSaid = wanted.root !== undefined || wanted.procfile !== undefined;
  const above = isSaid || need === 'optional' ? undefined : nearestProject(resolve('.'));
  const start = resolve(wanted.root ?? (wanted.procfile === undefined ? (above ?? '.') : dirname(wanted.procfile)));
  if (above !== undefined && above !== resolve('.')) remarks.push(`the project is in ${above}`);
  if (!existsSync(start)) throw new ProcletError('CONFIG', `the directory ${start} does not exist`);

  const config = await readConfig(start, reading);
  const foreman = await readForeman(start, reading);
  const sources = [...asked, fromRoot(start, config?.defaults ?? {}), fromRoot(start, foreman)];
  const places = toPlaces(sources);
  const root = start;
  const dotenv = readEnvFiles(root, places.env, reading);
  const named = wanted.procfile === undefined ? undefined : resolve(wanted.procfile);
  const inherited = wanted.root === undefined ? process.env['PROCFILE'] : undefined;
  const path = named ?? resolve(root, places.procfile ?? dotenv['PROCFILE'] ?? (inherited || 'Procfile'));
  // A file that names the Procfile may be the one that is wrong.
  if (problems.length > 0 && named === undefined && !existsSync(path)) throw failure(problems, unread);
  const none: Procfile = { path, entries: [] };
  const procfile =
    need === 'optional' && named === undefined && !existsSync(path)
      ? none
      : (takeText(text(path, missingProcfileHint(path)), (written) =>
          take(parseProcfile(written, shown(path)), none),
        ) ?? none);
  const settings = take<Settings | undefined>(toSettings(sources, tags), undefined);
  const envFiles = readServiceEnvFiles(root, config, reading);
  if (problems.length > 0 || unread.length > 0 || settings === undefined) {
    // A person who mends all of these must not find others only then.
    const known = config && !areVariablesKnown ? withoutEnv(config) : config;
    const read = settings && { root, procfile, config: known, settings, dotenv, envFiles, remarks };
    throw failure([...problems, ...(procfile.entries.length > 0 && read ? problemsOfPlan(read) : [])], unread);
  }
  return { root, procfile, config, settings, dotenv, envFiles, remarks };
}

/** Finds the problems that the files have only together: names, ports, variables that nobody sets. */
function problemsOfPlan(project: Project): readonly Problem[] {
  try {
    buildPlan(planInput(project));
    return [];
  } catch (error) {
    if (error instanceof ProcletError) return error.problems;
    throw error;
  }
}

/** Where a file of variables is wrong, nobody knows which are set. */
function withoutEnv(config: Config): Config {
  const services = Object.entries(config.services).map(([tag, { env: _env, ...service }]) => [tag, service] as const);
  return { ...config, services: Object.fromEntries(services) };
}

function takeText<T>(text: string | undefined, take: (text: string) => T): T | undefined {
  return text === undefined ? undefined : take(text);
}

/** One that stands alone keeps its own sentence. */
function failure(problems: readonly Problem[], unread: readonly ProcletError[]): ProcletError {
  const [first] = unread;
  if (problems.length === 0 && unread.length === 1 && first) return first;
  return configError([...problems, ...unread.flatMap((error) => error.problems)]);
}

/** Files that a project's file names: relative to the root, where a flag's are relative to the working directory. */
function fromRoot(root: string, givens: Givens): Givens {
  const placed = Object.entries(givens).map(([name, given]) => {
    if (given.text === '') return [name, given] as const;
    if (name === 'pid-file' || name === 'log-dir')
      return [name, { ...given, text: resolve(root, given.text) }] as const;
    if (name !== 'env') return [name, given] as const;
    const text = given.text.split(',').map((path) => resolve(root, path.trim()));
    return [name, { ...given, text: text.join(',') }] as const;
  });
  return toRecord(placed);
}

/** What a plan is built from. `planned`: ports that others are going to need. */
export function planInput(
  { config, settings, remarks: _, ...project }: Project,
  planned?: ReadonlySet<number>,
): PlanInput {
  const { root, procfile } = project;
  const port = settings.port === 'auto' ? freeBase(root, procfile.entries.length, planned) : settings.port;
  const resolved = { ...settings, ...(port !== undefined && { port }) };
  return { ...project, settings: resolved, ...(config && { config }), env: process.env };
}

/** The project's own block of ports, or the next that is free for each of its services. */
function freeBase(root: string, services: number, planned: ReadonlySet<number> = new Set()): number {
  const isFree = (base: number) =>
    Array.from({ length: services }, (_, n) => base + 100 * n).every(
      (port) => !planned.has(port) && isPortTaken(port) !== true,
    );
  return nextFreeBlock(stableBase(root), isFree);
}

interface Reading {
  /** Answers the value, or keeps the problems and answers the other. */
  take<T>(parsed: Parsed<T>, otherwise: T): T;
  /** Undefined for a file that cannot be read, which is kept as a problem. */
  text(path: string, hint?: string): string | undefined;
  dotenvOf(path: string, hint?: string): Readonly<Record<string, string>>;
}

async function readConfig(root: string, { take, text }: Reading): Promise<Config | undefined> {
  const path = join(root, 'proclet.yml');
  if (!existsSync(path)) return undefined;
  const { parseConfig } = await import('../procfile/parse-config.js');
  return takeText(text(path), (written) =>
    take<Config | undefined>(parseConfig(written, shown(path), settingNames), undefined),
  );
}

async function readForeman(root: string, { take, text }: Reading): Promise<Givens> {
  const path = join(root, '.foreman');
  if (!existsSync(path)) return {};
  const { parseForeman } = await import('../procfile/parse-foreman.js');
  return takeText(text(path), (written) => take(parseForeman(written, shown(path), settingNames), {})) ?? {};
}

/** `.env` may be absent; a file that was asked for may not. Later files win. */
function readEnvFiles(
  root: string,
  asked: readonly string[] | undefined,
  { dotenvOf }: Reading,
): Record<string, string> {
  const paths = asked?.map((name) => firstThatExists(resolve(name), resolve(root, name))) ?? [join(root, '.env')];
  const values: Record<string, string> = {};
  for (const path of paths) {
    if (asked === undefined && !existsSync(path)) continue;
    Object.assign(values, dotenvOf(path));
  }
  return values;
}

function readServiceEnvFiles(root: string, config: Config | undefined, { dotenvOf }: Reading): Project['envFiles'] {
  const files: Record<Tag, Readonly<Record<string, string>>> = {};
  for (const [tag, service] of Object.entries(config?.services ?? {})) {
    const names = service['env-file'] ?? [];
    const place = config?.places[tag];
    const hint = `${config?.path}:${place?.line}:${place?.column} names it as env-file of ${tag}`;
    if (names.length > 0) files[tag] = Object.assign({}, ...names.map((name) => dotenvOf(resolve(root, name), hint)));
  }
  return files;
}

function firstThatExists(first: string, second: string): string {
  return existsSync(first) || !existsSync(second) ? first : second;
}

function readText(path: string, hint: string | undefined, { manner, pipes }: Wish): string {
  const isCareful = manner === 'careful';
  try {
    return isCareful ? carefulText(path, pipes) : givenText(path, pipes);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why: Record<string, string> = {
      ENOENT: 'does not exist',
      ELOOP: 'is a link that leads nowhere',
      EACCES: 'is not ours to read',
      EISDIR: 'is a directory, not a file',
      ENOTPLAIN: isCareful ? notHere : 'is a socket or a device, not a file',
      EUNWRITTEN: 'is a pipe that nobody writes into',
      EFBIG: isCareful ? notHere : 'is larger than 16 MB',
    };
    const message = why[code ?? ''] ?? `cannot be read: ${code}`;
    const problems = [{ path: shown(path), message, ...(hint !== undefined && { hint }) }];
    throw new ProcletError('CONFIG', `${shown(path)} ${message}`, { hint, cause, problems });
  }
}

const notHere = 'is not a plain file of at most 1 MB, and is not read here';

/** What a pipe has said stays true: it does not say it again. */
function carefulText(path: string, pipes: Wish['pipes']): string {
  const before = pipes?.get(path);
  if (before !== undefined && !isPlain(path)) return before;
  return isEmptyDevice(path) ? '' : readPlain(path);
}

function givenText(path: string, pipes: Wish['pipes']): string {
  const text = readGiven(path);
  if (!isPlain(path)) pipes?.set(path, text);
  return text;
}

/** A path as people name it: relative while it is below the working directory, unless that is the root of everything. */
function shown(path: string): string {
  const here = directoryOrRoot();
  const near = relative(here, path);
  return here === '/' || near.startsWith('..') || isAbsolute(near) ? path : near;
}
