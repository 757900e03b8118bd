/**
 * The text of `proclet.yml` to a configuration, pure. Owns the messages: every problem at once, each with
 * its place, the key's full name, what it must be and what it is. The keys themselves are in
 * `config-schema.ts`. Does not know the Procfile, so a service that is not in it passes here.
 */
import type * as z from 'zod';
import type { Config, Given, Parsed, Problem, ServiceConfig } from '../model.js';
import { quote } from '../quote.js';
import { toRecord } from '../record.js';
import { configSchema, serviceSchema } from './config-schema.js';
import { hint, toGivens } from './givens.js';
import { readYaml, type YamlMap, type YamlPath } from './read-yaml.js';
import { readyKeys } from './ready-schema.js';
import { suggest } from './suggest.js';

/**
 * The configuration, empty for an empty text, or every problem of it. Never throws.
 * @param names the settings `defaults` may hold; any name passes when absent
 */
export function parseConfig(text: string, path: string, names?: readonly string[]): Parsed<Config> {
  const read = readYaml(text, path);
  if (!read.ok) return { ok: false, problems: read.problems };
  const yaml = read.value;
  const written = asWritten(yaml);
  const checked = configSchema.safeParse(written);
  const problems = (checked.error?.issues ?? []).flatMap((issue) => describeIssue(issue, { yaml, written, path }));
  const defaults = readDefaults(yaml, path, names);
  if (!defaults.ok) problems.push(...defaults.problems);
  const isGood = problems.length === 0 && defaults.ok;
  const services = (checked.success ? checked : configSchema.safeParse(without(written, checked.error.issues))).data;
  const value: Config | undefined = services && {
    path,
    defaults: defaults.ok ? defaults.value : {},
    services: toRecord(
      Object.entries(services.services ?? {}).map(([tag, service]) => [tag, toServiceConfig(service ?? {})]),
    ),
    places: toRecord(Object.keys(services.services ?? {}).map((tag) => [tag, yaml.placeOf(['services', tag])])),
  };
  if (isGood && value) return { ok: true, value };
  return { ok: false, problems: problems.sort(byPlace), ...(value && { rest: value }) };
}

/** The same without the keys of services that have problems. */
function without(written: unknown, issues: readonly Issue[]): unknown {
  const bad = issues.flatMap(({ path, ...issue }) => {
    const keys = issue.code === 'unrecognized_keys' && path.length === 2 ? issue.keys : path.slice(2, 3);
    return keys.map((key) => `${String(path[1])}\0${String(key)}`);
  });
  if (!isRecord(written) || !isRecord(written['services'])) return written;
  const services = Object.entries(written['services']).map(([tag, service]) => {
    if (!isRecord(service)) return [tag, service] as const;
    return [tag, toRecord(Object.entries(service).filter(([key]) => !bad.includes(`${tag}\0${key}`)))] as const;
  });
  return { ...written, services: toRecord(services) };
}

type Issue = z.core.$ZodIssue;
type Service = z.output<typeof serviceSchema>;

interface Written {
  readonly path: string;
  readonly yaml: YamlMap;
  readonly written: unknown;
}

/** Keys whose values are texts even when YAML sees a number: `022` is a umask, and 1000 may be a user. */
const TEXT_KEYS = ['umask', 'user', 'directory', 'env-file', 'env-dir', 'status-file'];

/**
 * What the schema is to check: the file's value with those numbers, and every variable of `env`, replaced by
 * what is written, and without the single defaults, which `toGivens` checks.
 */
function asWritten(yaml: YamlMap): unknown {
  const { services, defaults } = yaml.value;
  const top = isRecord(defaults) ? { ...yaml.value, defaults: {} } : yaml.value;
  if (!isRecord(services)) return top;
  const rewritten = Object.entries(services).map(([tag, service]) => {
    if (!isRecord(service)) return [tag, service] as const;
    const entries = Object.entries(service).map(([key, value]) => {
      const at = ['services', tag, key];
      if (TEXT_KEYS.includes(key)) return [key, textsAsWritten(yaml, value, at)] as const;
      if (key === 'listen') return [key, listenAsWritten(yaml, value, at)] as const;
      return [key, key === 'env' && isRecord(value) ? variablesAsWritten(yaml, value, at) : value] as const;
    });
    return [tag, toRecord(entries)] as const;
  });
  return { ...top, services: toRecord(rewritten) };
}

/** A text, or each one of a list. */
function textsAsWritten(yaml: YamlMap, value: unknown, at: YamlPath): unknown {
  if (Array.isArray(value)) return value.map((each: unknown, index) => textsAsWritten(yaml, each, [...at, index]));
  return typeof value === 'number' ? yaml.textAt(at) : value;
}

/** The mode and the owner of a socket are texts, also where YAML sees a number. */
function listenAsWritten(yaml: YamlMap, value: unknown, at: YamlPath): unknown {
  if (Array.isArray(value)) return value.map((each: unknown, index) => listenAsWritten(yaml, each, [...at, index]));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => {
    return [key, typeof inner === 'number' ? yaml.textAt([...at, key]) : inner] as const;
  });
  return toRecord(entries);
}

function variablesAsWritten(yaml: YamlMap, env: Readonly<Record<string, unknown>>, at: YamlPath): unknown {
  return toRecord(
    Object.entries(env).map(([key, value]) => [key, isScalar(value) ? yaml.textAt([...at, key]) : value] as const),
  );
}

function readDefaults(
  yaml: YamlMap,
  path: string,
  names: readonly string[] | undefined,
): Parsed<Record<string, Given>> {
  const { defaults } = yaml.value;
  return toGivens(yaml, isRecord(defaults) ? defaults : {}, { path, at: ['defaults'], known: names });
}

function toServiceConfig({ env, ...rest }: Service): ServiceConfig {
  if (env === null || env === undefined) return rest;
  return { ...rest, env: toRecord(Object.entries(env).map(([key, value]) => [key, String(value ?? '')] as const)) };
}

function describeIssue(issue: Issue, { path, yaml, written }: Written): Problem[] {
  const place = yaml.placeOf(issue.path);
  const where = issue.path.join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => unknownKey(issue.path, key, { path, yaml, written }));
  if (issue.code === 'invalid_key') {
    return [{ path, ...place, message: `${where} is not a variable; a name is not empty and holds no = and no NUL` }];
  }
  const value = issue.path.reduce<unknown>((inner, key) => (isContainer(inner) ? inner[key] : undefined), written);
  return [{ path, ...place, message: `${where} ${issue.message}; it is ${show(value)}` }];
}

function unknownKey(at: YamlPath, key: string, { path, yaml }: Written): Problem {
  const [owner, known] = ownerOf(at);
  const message = `${[...at, key].join('.')} is not a key of ${owner}`;
  return { path, ...yaml.placeOf([...at, key]), message, ...hint(suggest(key, known)) };
}

/** The map at a place, and the keys that it may have. */
function ownerOf(at: YamlPath): readonly [name: string, keys: readonly string[]] {
  if (at.length === 0) return ['this file', Object.keys(configSchema.shape)];
  return at[2] === 'ready' ? ['ready', readyKeys] : ['a service', Object.keys(serviceSchema.shape)];
}

/** In the order of the text. */
function byPlace(a: Problem, b: Problem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

function show(value: unknown): string {
  if (value === null || value === '') return 'empty';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : typeof value === 'string' ? quote(value) : String(value);
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return isContainer(value) && !Array.isArray(value);
}

function isContainer(value: unknown): value is Readonly<Record<PropertyKey, unknown>> {
  return typeof value === 'object' && value !== null;
}
