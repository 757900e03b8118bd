/** What the page shows, from projects and runs as they stand. Pure, but for what it remembers to keep times steady. */

import type { LastEnd, SeenRun, SeenService } from '../fleet/fleet.js';
import { addressOf } from '../fleet/search-address.js';
import { describeSilence } from '../fleet/silence.js';
import type { Tag } from '../model.js';
import { labelOf } from '../projects/registry.js';
import type { Mask } from '../secrets.js';
import { type LaunchLink, usualService } from './places.js';

export interface ShownProject {
  readonly name: string;
  readonly root: string;
  readonly problem?: string;
  readonly services: readonly { readonly tag: Tag; readonly command: string }[];
}

export interface BoardSource {
  readonly projects: readonly ShownProject[];
  readonly runs: readonly SeenRun[];
  lastEnd(root: string, tag: Tag): LastEnd | undefined;
  maskOf(root: string): Mask;
  /** The link that starts a service. */
  linkOf(link: LaunchLink): string;
  /** Of the launcher. */
  readonly port: number;
  /** The user's home directory, which people write as ~. */
  readonly home: string;
  /** Whether a run is the launcher's own, by its pid. */
  isOwn(pid: number): boolean;
}

export interface BoardGroup {
  /** Fit for an HTML id. */
  readonly key: string;
  readonly title: string;
  /** The directory, for people. */
  readonly root: string;
  /** Of a registered project. */
  readonly project?: string;
  readonly problem?: string;
  /** What runs, in words. */
  readonly run?: string;
  /** Of runs that do not answer: a sentence, and what to do about it. */
  readonly silence?: string;
  /** `hoge.localhost:2000` */
  readonly site?: string;
  /** Starts what is there. */
  readonly siteHref?: string;
  readonly services: readonly BoardService[];
}

export interface BoardService {
  readonly key: string;
  readonly tag: Tag;
  readonly command: string;
  /** The run's number; absent while it is in none. */
  readonly run?: string;
  readonly project?: string;
  readonly phase: string;
  readonly isBusy: boolean;
  readonly isUp: boolean;
  readonly port?: number;
  /** Where a click leads; absent for what cannot be opened. */
  readonly href?: string;
  /** Wall times in milliseconds. */
  readonly endsAt?: number;
  readonly endsBy?: 'ttl' | 'idle';
  readonly isKept: boolean;
  /** A new generation is something else than a restart. */
  readonly reloads: boolean;
  readonly hasLease: boolean;
  readonly usedAt?: number;
  /** Bytes. */
  readonly memory?: number;
  readonly processes?: number;
  readonly restarts: number;
  readonly note?: string;
  readonly isFailure: boolean;
}

/** A time that is worked out anew each second is the same within this. */
const sameMoment = 1_500;

export function createBoard(): (source: BoardSource) => readonly BoardGroup[] {
  const before = new Map<string, number>();
  const steady = (key: string, at: number): number => {
    const old = before.get(key);
    if (old !== undefined && Math.abs(old - at) < sameMoment) return old;
    before.set(key, at);
    return at;
  };
  return (source) => {
    const isRegistered = ({ root }: SeenRun) => source.projects.some((project) => project.root === root);
    return [
      ...source.projects.map((project) => groupOfProject(project, source, steady)),
      ...source.runs.filter((run) => !isRegistered(run)).map((run) => groupOfRun(run, source, steady)),
    ];
  };
}

type Steady = (key: string, at: number) => number;

function groupOfProject(project: ShownProject, source: BoardSource, steady: Steady): BoardGroup {
  const { name, root, problem } = project;
  const runs = source.runs.filter((run) => run.root === root);
  const key = `p-${labelOf(name)}`;
  const mask = source.maskOf(root);
  const tags = [
    ...new Set([...project.services.map(({ tag }) => tag), ...runs.flatMap((r) => r.services.map((s) => s.tag))]),
  ];
  const services = tags.map((tag) => {
    const command = project.services.find((one) => one.tag === tag)?.command;
    const found = bestOf(runs, tag);
    const isKnown = command !== undefined;
    return serviceOf({ key, tag, command: command ?? found?.service.command ?? '', found, mask }, source, {
      ...{ steady, root },
      ...(isKnown && { project: name }),
    });
  });
  return {
    ...{ key, title: name, root: shownPath(root, source), project: name, services },
    ...(problem !== undefined && { problem: mask(problem) }),
    ...(runs.length > 0 && { run: runs.map((run) => wordsOf(run, source)).join(', ') }),
    ...silenceIn(runs),
    site: `${labelOf(name)}.localhost:${source.port}`,
    siteHref: source.linkOf({ project: name, service: usualService(project) ?? '', to: 'name' }),
  };
}

function groupOfRun(run: SeenRun, source: BoardSource, steady: Steady): BoardGroup {
  const key = `r-${run.run}`;
  const mask = source.maskOf(run.root);
  const services = run.services.map((service) =>
    serviceOf({ key, tag: service.tag, command: service.command, found: { run, service }, mask }, source, {
      ...{ steady, root: run.root },
    }),
  );
  const title = run.name || run.root.split('/').at(-1) || run.root;
  return { key, title, root: shownPath(run.root, source), run: wordsOf(run, source), ...silenceIn([run]), services };
}

/** Of runs that do not answer: a sentence, and what to do about it. */
export function silenceIn(runs: readonly SeenRun[]): Pick<BoardGroup, 'silence'> {
  const said = runs.flatMap((run) => {
    if (run.silence === undefined) return [];
    const { text, hint } = describeSilence(run, run.silence);
    return [`${text}. ${hint}`];
  });
  return said.length === 0 ? {} : { silence: said.join(' ') };
}

function shownPath(path: string, { home }: BoardSource): string {
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

function wordsOf({ command, pid, name }: SeenRun, { isOwn }: BoardSource): string {
  return `proclet ${command}, pid ${pid}${name === '' ? '' : `, ${name}`}${isOwn(pid) ? ' (started here)' : ''}`;
}

/** Of the runs that have a service, the one in which it runs. */
function bestOf(runs: readonly SeenRun[], tag: Tag): Found | undefined {
  const found = runs.flatMap((run) =>
    run.services.filter((one) => one.tag === tag).map((service) => ({ run, service })),
  );
  return found.find(({ service }) => isBusy(service)) ?? found.find(({ run }) => run.command === 'start') ?? found[0];
}

interface Found {
  readonly run: SeenRun;
  readonly service: SeenService;
}

interface Row {
  readonly key: string;
  readonly tag: Tag;
  readonly command: string;
  readonly found: Found | undefined;
  readonly mask: Mask;
}

interface Context {
  readonly steady: Steady;
  readonly root: string;
  readonly project?: string;
}

function serviceOf({ key, tag, command, found, mask }: Row, source: BoardSource, context: Context): BoardService {
  const { root, project } = context;
  // A group's key has no two hyphens, so no service's is that of a group.
  const id = `${key}--${tag}`;
  const end = source.lastEnd(root, tag);
  const service = found?.service;
  const up = service !== undefined && isBusy(service);
  const address = service && listensSomewhere(service) ? addressOf(service) : undefined;
  const direct = address && `http://${address.host === '127.0.0.1' ? 'localhost' : address.host}:${address.port}/`;
  // What runs and listens nowhere cannot be gone to; what does not run may listen once it does.
  const isMute = service !== undefined && isUpWithoutPorts(service);
  const link = project === undefined ? (up ? direct : undefined) : source.linkOf({ project, service: tag });
  const href = isMute ? undefined : link;
  const note = end !== undefined && !(up && service.instances.every(({ phase }) => phase === 'up')) ? end : undefined;
  return {
    ...{ key: id, tag, command: mask(command), phase: phaseOf(service), isBusy: up, isUp: phaseOf(service) === 'up' },
    ...(found && { run: found.run.run }),
    ...(project !== undefined && { project }),
    ...(href !== undefined && { href }),
    ...(up && address && { port: address.port }),
    ...leaseOf(id, found, context.steady),
    ...usageOf(service),
    reloads: service?.reload !== undefined,
    restarts: service?.instances.reduce((sum, { generation }) => sum + Math.max(0, generation - 1), 0) ?? 0,
    ...(note && { note: mask(note.text) }),
    isFailure: note?.isFailure ?? false,
  };
}

function leaseOf(id: string, found: Found | undefined, steady: Steady) {
  const { lease, usedAgo } = found?.service ?? {};
  const at = found?.run.at ?? 0;
  const ttl = lease?.ttl ?? Infinity;
  const idle = lease?.idle ?? Infinity;
  const left = Math.min(ttl, idle);
  return {
    isKept: lease?.kept ?? false,
    hasLease: left < Infinity || (lease?.kept ?? false),
    ...(left < Infinity &&
      ({ endsAt: steady(`${id} ends`, at + left), endsBy: ttl <= idle ? 'ttl' : 'idle' } as const)),
    ...(usedAgo !== undefined && { usedAt: steady(`${id} used`, at - usedAgo) }),
  };
}

function usageOf(service: SeenService | undefined): { memory?: number; processes?: number } {
  const usages = service?.instances.flatMap(({ usage }) => usage ?? []) ?? [];
  if (usages.length === 0) return {};
  const memory = usages.reduce((sum, one) => sum + one.memory, 0);
  // To a twentieth: what changes by less is no news.
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(memory, 1))) - 4);
  return {
    memory: Math.round(memory / step) * step,
    processes: usages.reduce((sum, { pids }) => sum + pids.length, 0),
  };
}

/** Where it was looked and nobody listens, there is nothing to go to. */
function listensSomewhere({ instances, listen, start }: SeenService): boolean {
  const usages = instances.flatMap(({ usage }) => usage ?? []);
  const isHeld = listen.length > 0 || start === 'on-access';
  return isHeld || usages.length === 0 || usages.some(({ ports }) => ports.length > 0);
}

/** It was looked, and none of its processes listens. proclet listens for it only where they do, or wakes it. */
function isUpWithoutPorts({ instances, start }: SeenService): boolean {
  const usages = instances.flatMap(({ phase, usage }) => (phase === 'up' && usage ? [usage] : []));
  return start !== 'on-access' && usages.length > 0 && usages.every(({ ports }) => ports.length === 0);
}

function isBusy({ instances }: SeenService): boolean {
  return instances.some(({ phase }) => phase !== 'down' && phase !== 'failed');
}

/** One word for all instances: what most needs to be seen. */
function phaseOf(service: SeenService | undefined): string {
  if (service === undefined) return 'down';
  const phases = new Set(service.instances.filter(({ role }) => role !== 'going').map(({ phase }) => phase));
  const first = (['failed', 'backoff', 'stopping', 'starting', 'up'] as const).find((phase) => phases.has(phase));
  return first ?? (service.start === 'on-access' ? 'asleep' : 'down');
}
