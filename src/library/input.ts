/** What was said in a script, as what a plan is built from. Checked by what checks the files. */
import { parseDuration } from '../duration.js';
import { configError } from '../errors.js';
import type { Env, Parsed, Problem, Tag } from '../model.js';
import type { PlanInput } from '../plan/build-plan.js';
import { toSettings } from '../plan/settings.js';
import { quote } from '../quote.js';
import { toRecord } from '../record.js';
import { workingDirectory } from '../working-directory.js';
import { isMute, isServiceOption, mistakesIn } from './mistakes.js';
import type { Code, ProcletOptions, ServiceOptions } from './options.js';

export interface Service extends Omit<ServiceOptions, 'code' | 'tag'> {
  readonly tag: Tag;
  readonly code: Code;
}

/** A function as a program, and what it has to know. */
interface OwnProgram {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

export interface Said {
  readonly services: readonly Service[];
  readonly options: ProcletOptions;
  /** Of the services whose code is a function. */
  readonly own: ReadonlyMap<Tag, OwnProgram>;
  /** That of this process. */
  readonly env: Env;
}

/** Throws ProcletError CONFIG with everything that is wrong. */
export async function inputOf({ services, options, own, env }: Said): Promise<PlanInput> {
  const { parseConfig } = await import('../procfile/parse-config.js');
  // A text, so that one file knows what may be said and how that is told.
  const config = parseConfig(JSON.stringify({ services: configsOf(services, options, own) }), 'new Proclet');
  const settings = toSettings([givensOf(options)], []);
  const first = firstDelayOf(options);
  const problems = [
    ...mistakesIn(services, options),
    ...problemsOf(config),
    ...problemsOf(settings),
    ...problemsOf(first),
  ];
  if (services.length === 0) problems.push({ path: 'new Proclet', message: 'there is no service to run' });
  if (!config.ok || !settings.ok || !first.ok || problems.length > 0) throw configError(problems);
  const programs = services.flatMap(({ tag, code }) => {
    const argv =
      own.get(tag)?.argv ?? (typeof code === 'string' ? undefined : (code as readonly [string, ...string[]]));
    return argv === undefined ? [] : [[tag, argv] as const];
  });
  return {
    procfile: { path: 'new Proclet', entries: services.map((service, index) => entryOf(service, index + 1)) },
    ...{ root: options.root ?? workingDirectory(), env: options.env ?? env, dotenv: {}, envFiles: {} },
    ...{ config: config.value, settings: settings.value, programs: toRecord(programs) },
    ...(first.value !== undefined && { firstDelay: first.value }),
  };
}

/** The same with other numbers of workers. */
export function scaled(input: PlanInput, counts: Readonly<Record<Tag, number>>): PlanInput {
  const { formation, ...settings } = input.settings;
  return { ...input, settings: { ...settings, formation: { ...formation, tags: { ...formation.tags, ...counts } } } };
}

function entryOf({ tag, code }: Service, line: number) {
  if (typeof code === 'string') return { tag, command: code, line };
  return {
    tag,
    command: typeof code === 'function' ? `${code.name || 'a function'}()` : code.map(quote).join(' '),
    line,
  };
}

function configsOf(services: readonly Service[], { ttl, idle, grace }: ProcletOptions, own: Said['own']) {
  return toRecord(
    services.map(({ tag, code: _code, worker, ...options }) => {
      const said = Object.entries(options).filter(([key, value]) => isServiceOption(key) && !isMute(value));
      const keys = said.map(([key, value]) => [kebab(key), value] as const);
      const env = { ...options.env, ...own.get(tag)?.env };
      // What is not said is not in a JSON text.
      return [tag, { ...{ ttl, idle, grace }, ...toRecord(keys), instances: worker, env }] as const;
    }),
  );
}

/** `stopSignal` is `stop-signal`. */
function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function givensOf({ color, timestamp, onExit, port, name, logDir }: ProcletOptions) {
  const said = { color, timestamp, 'on-exit': onExit, port, name, 'log-dir': logDir };
  const given = Object.entries(said).filter(([, value]) => value !== undefined);
  return toRecord(given.map(([key, value]) => [key, { text: String(value), origin: `new Proclet: ${key}` }] as const));
}

function firstDelayOf({ errRespawnInterval }: ProcletOptions): Parsed<number | undefined> {
  if (errRespawnInterval === undefined) return { ok: true, value: undefined };
  const value = parseDuration(String(errRespawnInterval));
  if (value !== undefined && value > 0) return { ok: true, value };
  const message = `errRespawnInterval must be a duration such as 1s or 0.5 (seconds); it is ${errRespawnInterval}`;
  return { ok: false, problems: [{ path: 'new Proclet', message }] };
}

/** Nobody wrote lines. */
function problemsOf(parsed: Parsed<unknown>): Problem[] {
  return parsed.ok ? [] : parsed.problems.map(({ line: _line, column: _column, ...problem }) => problem);
}
