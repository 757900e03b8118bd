/**
 * Entries and settings to the plan: everything decided before anything starts. Owns which services run and
 * what each of their instances is; the parts (formation, ports, environment) have their own files. Complete
 * and frozen, or an error that says everything that is wrong: never a part.
 *
 * Longest life: `--ttl web=1h`, else `--ttl 30m`, else the service's `ttl`, else a file's default, else for
 * ever; grace and formation likewise. What is said for this run wins over what is written for every run, and
 * what is written about one service over what is written about all.
 */
import { resolve } from 'node:path';
import { configError } from '../errors.js';
import type {
  Config,
  Env,
  FrontSpec,
  InstanceSpec,
  Millis,
  Parsed,
  Plan,
  Problem,
  Procfile,
  RestartPolicy,
  ServiceConfig,
  ServiceSpec,
  Settings,
  StartPolicy,
  Tag,
} from '../model.js';
import { lookUp } from '../record.js';
import { assignPorts, type Ports, readBasePort } from './assign-ports.js';
import { envProblems } from './env-problems.js';
import { type Identity, servicePorts } from './environment.js';
import { instancesOf } from './formation.js';
import { frontsOf } from './fronts.js';
import { instanceSpecOf } from './instance-spec.js';
import { valueFor } from './per-tag.js';
import { portProblems } from './port-problems.js';
import { shellLine } from './shell-line.js';
import { tagProblems } from './tag-problems.js';

export interface PlanInput {
  readonly procfile: Procfile;
  readonly config?: Config | undefined;
  readonly settings: Settings;
  /** The project's directory, absolute. */
  readonly root: string;
  /** The environment proclet was started in. */
  readonly env: Env;
  /** The variables of the project's env files. */
  readonly dotenv: Readonly<Record<string, string>>;
  /** Services that run already keep their places, and so their ports and colours. */
  readonly positions?: ReadonlyMap<Tag, number>;
  /** What services run instead of their commands: programs with their arguments. */
  readonly programs?: Readonly<Record<Tag, readonly [string, ...string[]]>>;
  /** Before the first attempt to start again what crashed, instead of the usual one. */
  readonly firstDelay?: Millis;
  /** The variables of each service's own `env-file`. */
  readonly envFiles: Readonly<Record<Tag, Readonly<Record<string, string>>>>;
}

/** What `proclet run` runs: a service of the Procfile, or any program with its arguments. */
export type RunTarget =
  | { readonly is: 'service'; readonly tag: Tag }
  | { readonly is: 'command'; readonly argv: readonly [string, ...string[]] };

/**
 * The plan of `proclet start`: the services asked for, or all, those with no instances left out.
 * @throws ProcletError CONFIG with every problem, a line each
 */
export function buildPlan(input: PlanInput): Plan {
  const { procfile } = input;
  const asked = askedFor(input);
  const drafts = draftServices(input).filter(({ tag, count }) => asked.has(tag) && count > 0);
  const problems = [...tagProblems(input), ...envProblems(input), ...portProblems(drafts, input)];
  if (problems.length === 0 && drafts.length === 0) {
    problems.push({ path: procfile.path, message: 'nothing is left to run: every service has 0 instances' });
  }
  return assemble(input, drafts, problems);
}

/**
 * The plan of `proclet run`: one instance, never restarted. A service is what it is under `start`, its port
 * included; a command has the tag `run`, the base port, and nothing of `proclet.yml` but the defaults.
 * @throws ProcletError CONFIG with every problem, a line each
 */
export function buildRunPlan(input: PlanInput, target: RunTarget): Plan {
  if (target.is === 'command') {
    const { argv } = target;
    const command = argv.join(' ');
    const draft: Draft = { tag: 'run', command, argv, position: 0, line: 1, count: 1, config: {}, ...alone };
    return assemble(input, [draft], []);
  }
  const drafts = draftServices(input).filter(({ tag }) => tag === target.tag);
  const settings = { ...input.settings, tags: [target.tag] };
  return assemble(
    input,
    drafts.map((draft) => ({ ...draft, count: 1, ...alone, config: aloneIn(draft.config) })),
    [...tagProblems({ ...input, settings }), ...envProblems(input), ...portProblems(drafts, input)],
  );
}

const alone = { restart: 'never', isAlone: true } as const;

/** A service that is run by itself starts now, waits for nobody, and its status is told as it is. */
function aloneIn(all: ServiceConfig): ServiceConfig {
  const { start: _start, after: _after, every: _every, 'success-exit-status': _expected, ...config } = all;
  return config;
}

/** The services to plan: those named and what they are after; when none is named, all. */
function askedFor({ procfile, config, settings }: PlanInput): ReadonlySet<Tag> {
  const all = procfile.entries.map(({ tag }) => tag);
  const asked = new Set<Tag>(settings.tags.length === 0 ? all : settings.tags);
  for (const tag of asked) for (const each of lookUp(config?.services ?? {}, tag)?.after ?? []) asked.add(each);
  return asked;
}

/** A service before ports are known. */
interface Draft {
  readonly tag: Tag;
  readonly command: string;
  readonly argv: readonly [string, ...string[]];
  readonly position: number;
  readonly line: number;
  readonly count: number;
  readonly config: ServiceConfig;
  readonly restart: RestartPolicy;
  /** Nobody asks whether it is ready. */
  readonly isAlone?: true;
}

const READY_WITHIN: Millis = 30_000;

function draftServices({ procfile, config, settings, positions, programs = {} }: PlanInput): readonly Draft[] {
  const places = placesOf(
    procfile.entries.map(({ tag }) => tag),
    positions,
  );
  return procfile.entries.map(({ tag, command, line }, index) => {
    const position = places[index] ?? index;
    const own = lookUp(config?.services ?? {}, tag) ?? {};
    const service: ServiceConfig = { ...own, start: startOf(settings, tag, own.start) };
    return {
      tag,
      command,
      argv: lookUp(programs, tag) ?? [settings.shell, '-c', shellLine(command, settings.shell)],
      position,
      line,
      count: instancesOf(tag, settings.formation, service),
      config: service,
      // Where the end of one service is the run's affair, none may be revived.
      restart: settings.onExit === 'restart' ? (service.restart ?? usualRestart(service)) : 'never',
    };
  });
}

/** What runs on a schedule runs again at its next time, however it ended. */
function usualRestart({ every }: ServiceConfig): RestartPolicy {
  return every === undefined ? 'on-failure' : 'never';
}

/** The place of each tag: the one it has, else its own in the file or the next that nobody has. */
function placesOf(tags: readonly Tag[], taken: ReadonlyMap<Tag, number> = new Map()): readonly number[] {
  const used = new Set(taken.values());
  return tags.map((tag, index) => {
    let place = taken.get(tag) ?? index;
    while (!taken.has(tag) && used.has(place)) place += 1;
    used.add(place);
    return place;
  });
}

function assemble(input: PlanInput, drafts: readonly Draft[], found: readonly Problem[]): Plan {
  const { procfile, settings, root } = input;
  const base = basePortOf(input);
  const claims = drafts.map((draft) => ({ ...draft, fixed: draft.config.port }));
  const ports = base.ok ? assignPorts(claims, base.value, procfile.path) : base;
  if (!base.ok || !ports.ok) throw configError([...found, ...(ports.ok ? [] : ports.problems)]);
  if (found.length > 0) throw configError(found);
  return freeze({
    root,
    procfile: procfile.path,
    services: drafts.map((draft) => toServiceSpec(input, draft, { ports: ports.value, base: base.value })),
    onExit: settings.onExit,
    expireStatus: settings.expireStatus,
  });
}

function basePortOf({ settings, dotenv, env }: PlanInput): Parsed<number> {
  const { port } = settings;
  // `auto` was made a number of by who can see which ports are free.
  return typeof port === 'number' ? { ok: true, value: port } : readBasePort({ dotenv, env });
}

/** Who is woken, or handed over to, by a proxy is ready when its port answers, unless it says otherwise. */
function readyOf(
  { ready, start, reload = 'restart' }: ServiceConfig,
  fronts: readonly FrontSpec[],
  shell: string,
): Pick<InstanceSpec, 'ready' | 'readyProgram'> {
  if (ready?.kind === 'command') return { ready, readyProgram: [shell, '-c', shellLine(ready.command, shell)] };
  if (ready !== undefined) return { ready };
  const proxied = fronts.some(({ inherited }) => !inherited);
  return start === 'on-access' || (reload !== 'restart' && proxied)
    ? { ready: { kind: 'tcp', timeout: READY_WITHIN } }
    : {};
}

/**
 * Whether a port is all that shows whether it is ready. What inherits a socket need not listen: nobody is refused there. What
 * runs by a schedule does its work and ends.
 */
function isToListen({ config, isAlone }: Draft, { port }: Identity, fronts: readonly FrontSpec[]): boolean {
  const shows = readyOf(config, fronts, '').ready !== undefined || fronts.some(({ inherited }) => inherited);
  return port > 0 && isAlone !== true && config.every === undefined && !shows;
}

/** Who names a service on the command line wants it now. */
function startOf({ start, tags }: PlanInput['settings'], tag: Tag, own: StartPolicy | undefined): StartPolicy {
  const policy = valueFor(start, tag, own) ?? 'always';
  return policy === 'manual' && tags.includes(tag) ? 'always' : policy;
}

interface Assigned {
  readonly ports: Ports;
  readonly base: number;
}

function toServiceSpec(input: PlanInput, draft: Draft, { ports, base }: Assigned): ServiceSpec {
  const { tag, command, position, config } = draft;
  const { root } = input;
  const firstPorts = [...ports].flatMap(([each, [first]]) => (first === undefined ? [] : [[each, first] as const]));
  const identities = (ports.get(tag) ?? []).map(
    (port, index): Identity => ({ tag, number: index + 1, port, services: servicePorts(firstPorts) }),
  );
  const ttl = valueFor(input.settings.ttl, tag, config.ttl) ?? Infinity;
  const idle = valueFor(input.settings.idle, tag, config.idle) ?? Infinity;
  const slots = identities.map(({ number, port }) => ({ id: `${tag}.${number}`, port }));
  const fronts = frontsOf({ config, root: input.root, idle, instances: slots, computed: base + 100 * position });
  const instances = identities.map((identity) => ({
    ...instanceSpecOf(draft, identity, input),
    ...readyOf(config, fronts, input.settings.shell),
    ...(isToListen(draft, identity, fronts) && { isToListen: true as const }),
  }));
  return {
    ...{ tag, command, position, ttl, idle, instances, fronts },
    idleOn: config['idle-on'] ?? 'access',
    start: config.start ?? 'always',
    ...(config.every !== undefined && { every: config.every }),
    after: config.after ?? [],
    watch: valueFor(input.settings.watch, tag, config.watch) ?? [],
    ...watchPollOf(valueFor(input.settings.watchPoll, tag, config['watch-poll'])),
    reload: config.reload ?? 'restart',
    overlaps: typeof config.port !== 'number',
    reloadEvery: config['reload-every'] ?? Infinity,
    killOldDelay: config['kill-old-delay'] ?? 0,
    ...(config.log && { log: { ...config.log, file: resolve(root, config.log.file) } }),
    ...(config['status-file'] === undefined ? {} : { statusFile: resolve(root, config['status-file']) }),
  };
}

function watchPollOf(every = 0): { readonly watchPoll?: Millis } {
  return every === 0 ? {} : { watchPoll: every };
}

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) freeze(inner);
  return Object.freeze(value);
}
