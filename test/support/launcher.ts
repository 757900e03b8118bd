/** The launcher's pages in front of a fleet that is only told. */
import { resolve } from 'node:path';
import type { Fleet, LastEnd, SeenRun, Told } from '../../src/fleet/fleet.js';
import type { Launch, LaunchState } from '../../src/fleet/launch-state.js';
import type { LaunchLine } from '../../src/fleet/lines.js';
import { type Arrival, createApp } from '../../src/launcher/app.js';
import { createDisclosure } from '../../src/launcher/disclosure.js';
import { createPages } from '../../src/launcher/pages.js';
import type { LauncherParts, LauncherProject } from '../../src/launcher/ports.js';
import { createScreen } from '../../src/launcher/screen.js';
import { Streams } from '../../src/launcher/streams.js';
import { Taps } from '../../src/launcher/taps.js';
import type { InstanceSnapshot, ProcletEvent } from '../../src/model.js';
import { findProject } from '../../src/projects/registry.js';
import { SecretsByRoot } from '../../src/secrets.js';
import { FakeClock } from './fake-clock.js';

const none: readonly string[] = [];
export const token = 'the-token';

export function project(name: string, over: Partial<LauncherProject> = {}): LauncherProject {
  const services = [
    { tag: 'psgi', command: 'plackup ./script/app.psgi -p $PORT', start: 'always', after: [] },
    { tag: 'db', command: 'redis-server', start: 'always', after: [] },
  ] as const;
  return { name, root: `/p/${name}`, services, secrets: [], ...over };
}

export function seenRun(
  root: string,
  over: Partial<SeenRun> & { readonly instance?: Partial<InstanceSnapshot> } = {},
): SeenRun {
  const { instance, ...rest } = over;
  const one = { id: 'psgi.1', phase: 'up', role: 'serving', generation: 1, port: 5100, ...instance } as const;
  const start = 'always' as const;
  const service = { tag: 'psgi', command: 'plackup', position: 0, start, listen: [], instances: [one] };
  return {
    run: '12345678901',
    pid: 77,
    name: '',
    root,
    command: 'start',
    since: 0,
    at: 0,
    services: [service],
    ...rest,
  };
}

export interface FakeLaunch extends Launch {
  readonly lines: LaunchLine[];
  end(state: LaunchState): void;
}

export function launcherWith(projects: readonly LauncherProject[], runs: SeenRun[] = [], mostStreams = 10) {
  const clock = new FakeClock();
  const asked: { run: string; verb: string; targets?: unknown }[] = [];
  const launched: FakeLaunch[] = [];
  const said: string[] = [];
  const ends = new Map<string, LastEnd>();
  const listeners = new Set<() => void>();
  const followers = new Set<Told>();
  const fleet: Fleet = {
    runs,
    look: async () => {
      for (const each of listeners) each();
    },
    ask: async (run, message) => {
      asked.push({ run, ...message } as (typeof asked)[number]);
      return undefined as never;
    },
    follow(_run, _message, told) {
      followers.add(told);
      return () => followers.delete(told);
    },
    secrets: new SecretsByRoot(),
    lastEnd: (root, tag) => ends.get(`${root} ${tag}`),
    onChange(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    close() {},
  };
  const known: LauncherParts['projects'] = {
    all: projects,
    problem: undefined,
    find: (name) => projects.find((one) => one.name === findProject(projects, name)?.name),
    current: async (name) => projects.find((one) => one.name === findProject(projects, name)?.name),
    refresh: async () => {},
    secretsOf: (root) => projects.find((one) => one.root === root)?.secrets ?? none,
    oldLines: () => [],
  };
  const parts: LauncherParts = {
    ...{
      clock,
      fleet,
      token,
      linkSecret: 'the-link-secret',
      port: 2000,
      isOwn: () => false,
      home: '/home/me',
      allowedHosts: [],
      mostStreams,
      extension: 1_800_000,
    },
    near: () => undefined,
    pages: createPages(resolve(import.meta.dirname, '../../templates/launcher')),
    launches: {
      launch({ name }, tag) {
        const launch = fakeLaunch(launched.length + 1, name, tag);
        launched.push(launch);
        return launch;
      },
      isUnderWay: (root, tag) =>
        runs.some((run) => run.root === root && run.services.some((one) => one.tag === tag)) ||
        launched.some((one) => `/p/${one.project}` === root && one.tag === tag && one.state.is === 'booting'),
      find: (id) => launched[id - 1],
      addressOf: () => undefined,
      lastFailure: () => undefined,
      close() {},
    },
    onUncaught: () => () => {},
    projects: known,
    disclosure: createDisclosure(known, fleet.secrets),
    told: (text) => void said.push(text),
  };
  const streams = new Streams(clock, mostStreams);
  const screen = createScreen(
    parts,
    () => streams.size > 0,
    () => streams.pulse(),
  );
  const taps = new Taps(fleet, { oldLines: () => [], maskOf: parts.disclosure.of, told: () => streams.pulse() });
  const app = createApp({ ...parts, screen, streams, taps });
  const get = (path: string, headers: Record<string, string> = {}, arrival: Arrival = {}) =>
    Promise.resolve(
      app.request(`http://localhost:2000${path}`, { headers: { host: 'localhost:2000', ...headers } }, arrival),
    );
  const post = (
    path: string,
    form: Record<string, string>,
    headers: Record<string, string> = {},
    arrival: Arrival = {},
  ) => {
    const body = new URLSearchParams(form).toString();
    const own = {
      host: 'localhost:2000',
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': String(body.length),
    };
    const init = { method: 'POST', body, headers: { ...own, ...headers } };
    return Promise.resolve(app.request(`http://localhost:2000${path}`, init, arrival));
  };
  const print = (event: ProcletEvent) => {
    for (const told of followers) told.event(event);
  };
  return { parts, get, post, asked, launched, said, ends, clock, streams, screen, print, followers };
}

function fakeLaunch(id: number, name: string, tag: string): FakeLaunch {
  let end: (state: LaunchState) => void = () => {};
  let state: LaunchState = { is: 'booting' };
  const listeners = new Set<() => void>();
  const finished = new Promise<LaunchState>((resolve) => {
    end = resolve;
  });
  const lines: LaunchLine[] = [];
  return {
    ...{ id, project: name, tag, lines, finished },
    get printed() {
      return lines.length;
    },
    get state() {
      return state;
    },
    subscribe(told) {
      listeners.add(told);
      return () => listeners.delete(told);
    },
    end(next) {
      state = next;
      for (const told of listeners) told();
      end(next);
    },
  };
}
