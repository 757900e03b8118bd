/**
 * Texts from flags, environment and files to settings. Owns precedence (the first source that has a name
 * wins, for the whole setting) and how each setting's text is read. The rows are in `setting-table.ts`; no
 * source is looked for here, they are arguments.
 */
import { parsePoll } from '../duration.js';
import type { Env, Given, Millis, Parsed, PerTag, Problem, Settings, StartPolicy, StopPolicy, Tag } from '../model.js';
import { quote } from '../quote.js';
import { lookUp, toRecord } from '../record.js';
import { formationOf, readFormation } from './formation.js';
import { asDefaults, readListPerTag, readPerTag } from './per-tag.js';
import {
  bad,
  good,
  type Reading,
  readBase,
  readChoice,
  readColor,
  readDuration,
  readLife,
  readList,
  readMoment,
  readName,
  readPid,
  readStatus,
  readSwitch,
  readText,
  splitList,
} from './reading.js';
import {
  LOG_FORMATS,
  ON_EXIT,
  type SettingName,
  START_POLICIES,
  STOP_POLICIES,
  settingNames,
  settings,
} from './setting-table.js';

/** Settings by name or alias, as somebody gave them. */
export type Source = Readonly<Record<string, Given>>;

/** Where to read: needed before the files that hold the other settings are known. */
export interface Places {
  readonly procfile?: string;
  readonly root?: string;
  readonly env?: readonly string[];
}

/**
 * The settings, defaults filled in, or every text that cannot be read, with its origin.
 * @param sources the strongest first: flags, PROCLET_*, `defaults` of proclet.yml, .foreman
 * @param tags the services asked for; empty for all
 */
export function toSettings(sources: readonly Source[], tags: readonly Tag[]): Parsed<Settings> {
  const problems: Problem[] = [];
  const optional = <T>(name: SettingName, read: Reader<T>): T | undefined => {
    const given = pick(sources, name);
    const answer = given && read(given.text);
    if (given !== undefined && answer?.ok === false) problems.push(problemOf(name, given, answer.message));
    return answer?.ok ? answer.value : undefined;
  };
  const required = <T>(name: SettingName, read: Reader<T>): T => optional(name, read) ?? fallbackOf(name, read);
  const perTag = <T>(name: SettingName, read: Reader<PerTag<T>>): PerTag<T> => {
    const given = pick(sources, name);
    const value = required(name, read);
    return given !== undefined && placeOf(given) !== undefined ? asDefaults(value) : value;
  };
  const isTyped = (name: SettingName) => {
    const given = pick(sources, name);
    return given !== undefined && placeOf(given) === undefined;
  };
  const port = optional('port', readBase);
  const pidFile = optional('pid-file', readText);
  const value: Settings = {
    tags,
    formation: formationOf(perTag('formation', readFormation), tags, isTyped('formation')),
    ...(port === undefined ? {} : { port }),
    ttl: perTag('ttl', readTtl),
    idle: perTag('idle', readTtl),
    start: perTag('start', readStart),
    watch: perTag('watch', readListPerTag),
    watchPoll: perTag('watch-poll', readPoll),
    onExit: required('on-exit', readChoice(ON_EXIT)),
    grace: perTag('timeout', readGrace),
    stop: perTag('stop', readStop),
    expireStatus: required('expire-status', readStatus),
    shell: required('shell', readText),
    quiet: required('quiet', readList),
    color: required('color', readColor),
    timestamp: required('timestamp', readSwitch),
    logFormat: required('log-format', readChoice(LOG_FORMATS)),
    ...(pidFile === undefined ? {} : { pidFile }),
    name: required('name', readName),
    keys: required('keys', readSwitch),
    stdinQuit: required('stdin-quit', readSwitch),
    ...given('until', optional('until', readMoment)),
    ...given('untilExit', optional('until-exit', readPid)),
    ...given('onEvent', optional('on-event', readText)),
    ...given('logDir', optional('log-dir', readText)),
  };
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value };
}

/** The same precedence for the places alone. An empty text counts as not given. */
export function toPlaces(sources: readonly Source[]): Places {
  const text = (name: SettingName) => pick(sources, name)?.text || undefined;
  const [procfile, root, env] = [text('procfile'), text('root'), text('env')];
  return {
    ...(procfile === undefined ? {} : { procfile }),
    ...(root === undefined ? {} : { root }),
    ...(env === undefined ? {} : { env: splitList(env) }),
  };
}

/** The source that the environment is: `PROCLET_LOG_FORMAT` is `log-format`. Empty variables are not given. */
export function fromEnvironment(env: Env): Record<string, Given> {
  return toRecord(
    settingNames.flatMap((name) => {
      const origin = `PROCLET_${name.replaceAll('-', '_').toUpperCase()}`;
      const text = lookUp(env, origin);
      return text === undefined || text === '' ? [] : [[name, { text, origin }] as const];
    }),
  );
}

/** Absence is told by the key's absence. */
function given<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: T });
}

type Reader<T> = (text: string) => Reading<T>;

/** The text of a setting in the first source that has it, under its name or an alias. */
function pick(sources: readonly Source[], name: SettingName): Given | undefined {
  const aliases = settings.find((setting) => setting.name === name)?.aliases ?? [];
  for (const source of sources) {
    for (const each of [name, ...aliases]) {
      const given = lookUp(source, each);
      if (given !== undefined) return given;
    }
  }
  return undefined;
}

function fallbackOf<T>(name: SettingName, read: Reader<T>): T {
  const text = settings.find((setting) => setting.name === name)?.fallback;
  const answer = text === undefined ? undefined : read(text);
  if (!answer?.ok) throw new Error(`The table has no readable fallback for ${name}`);
  return answer.value;
}

function readTtl(text: string): Reading<PerTag<Millis>> {
  return readPerTag(text, { read: readLife, bare: 'allowed', example: '30m or web=30m,worker=2h' });
}

function readPoll(text: string): Reading<PerTag<Millis>> {
  const example = '1s or web=1s';
  const read = (each: string) => {
    const every = parsePoll(each);
    return every === undefined ? bad(`${quote(each)} is not a duration, true or false; write ${example}`) : good(every);
  };
  return readPerTag(text, { read, bare: 'allowed', example });
}

function readStop(text: string): Reading<PerTag<StopPolicy>> {
  return readPerTag(text, { read: readChoice(STOP_POLICIES), bare: 'allowed', example: 'tree or web=tree' });
}

function readStart(text: string): Reading<PerTag<StartPolicy>> {
  return readPerTag(text, { read: readChoice(START_POLICIES), bare: 'allowed', example: 'manual or web=manual' });
}

function readGrace(text: string): Reading<PerTag<Millis>> {
  if (text === '') return good({ tags: {} });
  const read = readDuration(text);
  return read.ok ? good({ all: read.value, tags: {} }) : read;
}

/** A flag or variable names itself; a line of a file does not, so the setting's name is put before. */
function problemOf(name: SettingName, given: Given, message: string): Problem {
  const place = placeOf(given);
  return place === undefined ? { path: given.origin, message } : { ...place, message: `${name}: ${message}` };
}

/** Where in a file it was given; undefined for a flag or a variable. */
function placeOf({ origin }: Given): Omit<Problem, 'message'> | undefined {
  const [, path, line, column] = /^(.*?):(\d+)(?::(\d+))?$/s.exec(origin) ?? [];
  if (path === undefined) return undefined;
  return { path, line: Number(line), ...(column !== undefined && { column: Number(column) }) };
}
