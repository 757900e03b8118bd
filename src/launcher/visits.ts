/** Somebody wants to go to a service: who it is, whether they may, and what they get meanwhile. */
import type { Context } from 'hono';
import type { Launch, LaunchState } from '../fleet/launch-state.js';
import { plainText } from '../fleet/lines.js';
import type { Millis } from '../model.js';
import { type Destination, ownLinks } from './places.js';
import type { LauncherParts, Wanted } from './ports.js';
import { mayStart } from './security.js';

/** Who is fast needs no page that says that it is not there yet. */
const patience: Millis = 150;

export interface Visit extends Wanted {
  /** A path at the service's own name; absent for who is redirected to its port. */
  readonly path?: string;
  readonly to?: Destination;
  /** The link is the launcher's own. */
  readonly hasKey?: boolean;
}

type Way = Pick<Visit, 'path' | 'to'>;

export interface Visits {
  /** Starts the service if it must be. `arrived` answers whoever need not wait any more. */
  enter(c: Context, visit: Visit, arrived: (at: Ready) => Response | Promise<Response>): Promise<Response>;
  /** How a launch stands that somebody waits for. */
  result(
    c: Context,
    launch: Launch,
    way: Way | undefined,
    arrived: (at: Ready) => Response | Promise<Response>,
  ): Response | Promise<Response>;
}

export type Ready = Extract<LaunchState, { is: 'ready' }>;

export function createVisits(parts: LauncherParts): Visits {
  const { launches, pages, clock } = parts;

  const enter: Visits['enter'] = async (c, visit, arrived) => {
    const { project, tag } = visit;
    const start = launches.isUnderWay(project.root, tag) ? 'yes' : mayStart((name) => c.req.header(name), visit.hasKey);
    if (start === 'no') return c.text('Another page may not start anything here.\n', 403);
    if (start === 'ask') return c.html(pages.render('message', askFirst(visit, hasSent(c))));
    if (project.problem !== undefined)
      return c.html(failedPage(c, visit, parts.disclosure.of(project.root)(project.problem)), 502);
    const launch = launches.launch(project, tag);
    await (canWaitOnPage(c) ? Promise.race([launch.finished, pause()]) : launch.finished);
    return result(c, launch, visit, arrived);
  };

  const result: Visits['result'] = (c, launch, way, arrived) => {
    const { state, project: name, tag, id } = launch;
    if (state.is === 'ready') return arrived(state);
    if (state.is === 'running') return c.html(pages.render('message', nothingToOpen(name, tag, state.ports)));
    const project = parts.projects.find(name);
    const mask = parts.disclosure.of(project?.root ?? '');
    const lines = launch.lines.map((line) => ({ ...line, text: mask(line.text) }));
    const { path, to } = way ?? {};
    const retry = path ?? linkTo({ project: name, service: tag, to });
    if (state.is === 'failed') {
      // What a run printed that does not answer is not known.
      const wasHeard = !parts.fleet.runs.some(({ root, silence }) => root === project?.root && silence !== undefined);
      const data = { project: name, tag, reason: mask(state.reason), lines: plain(lines), retry, wasHeard };
      return c.html(failed(c, data), 502);
    }
    const back = path ?? to;
    const next = `/.proclet/launch/${id}${back === undefined ? '' : `?${new URLSearchParams({ to: back })}`}`;
    return c.html(pages.render('booting', { project: name, tag, next, id, stream: `/.proclet/stream?launch=${id}` }));
  };

  const failedPage = (c: Context, { project, tag, path, to }: Visit, reason: string) =>
    failed(c, {
      ...{ project: project.name, tag, reason, lines: [] },
      retry: path ?? linkTo({ project: project.name, service: tag, to }),
    });
  const askFirst = ({ project, tag, path, to }: Visit, isForm: boolean) => ({
    title: `Start ${project.name}/${tag}?`,
    text: `Browsers do not say whether you typed this address or another page brought you here, so nothing has been started yet. The links of the launcher’s own page start it at once, as bookmarks too.${isForm ? lost : ''}`,
    link: {
      href: path ?? linkTo({ project: project.name, service: tag, to }),
      text: `Start ${project.name}/${tag}`,
    },
  });
  const nothingToOpen = (project: string, tag: string, ports: readonly number[]) => ({
    title: `${project}/${tag} runs`,
    text:
      ports.length === 0
        ? 'It listens on no port, so there is nothing to open.'
        : `It does not listen on the port that it was told, but on ${ports.join(' and ')}.`,
    link: { href: `http://localhost:${parts.port}/`, text: 'All projects' },
  });
  const linkTo = ownLinks(parts.linkSecret);
  const failed = (
    c: Context,
    data: { readonly project: string; readonly tag: string; readonly [key: string]: unknown },
  ) => {
    const name = data.tag === '' ? data.project : `${data.project}/${data.tag}`;
    return pages.render('failed', { ...data, name, hasSent: hasSent(c), home: `http://localhost:${parts.port}/` });
  };

  const pause = () => new Promise<void>((go) => void clock.wakeAt(clock.now() + patience, go));
  return { enter, result };
}

/** Text without what a terminal would act on. */
function plain<T extends { readonly text: string }>(lines: readonly T[]): T[] {
  return lines.map((line) => ({ ...line, text: plainText(line.text) }));
}

/**
 * Whoever navigates can be shown a page that comes back by itself. What else a browser or a program asks for waits for
 * its answer, and so does a form: coming back it would have lost what was typed.
 */
function canWaitOnPage({ req }: Context): boolean {
  const isNavigation = (req.header('sec-fetch-mode') ?? 'navigate') === 'navigate';
  return req.method === 'GET' && isNavigation && (req.header('accept') ?? '').includes('text/html');
}

function hasSent({ req }: Context): boolean {
  return req.method !== 'GET' && req.method !== 'HEAD';
}

const lost = ' What the form has was not passed on: start it here, then go back and send it again.';
