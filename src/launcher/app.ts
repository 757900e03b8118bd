/** The launcher's addresses: the page, its streams and its buttons, and the ways to a service. */
import { type Context, Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import { streamSSE } from 'hono/streaming';
import { ProcletError } from '../errors.js';
import type { Launch } from '../fleet/launch-state.js';
import { plainText } from '../fleet/lines.js';
import { perform, readAct, unknownService } from './acts.js';
import { silenceIn } from './board.js';
import { destinationOf, linkKey, nameOf, usualService } from './places.js';
import type { LauncherParts, LauncherProject, Wanted } from './ports.js';
import type { Screen } from './screen.js';
import { contentSecurityPolicy, isBrowser, isForeign, isSafari, isToken, loopbackNames } from './security.js';
import { newsOf, type Streams } from './streams.js';
import { fitting, type Taps } from './taps.js';
import { createVisits, type Ready, type Visits } from './visits.js';

/** What a request brings that is not in it. */
export interface Arrival {
  /** Whose name it was that the request came by; absent at the launcher's own. */
  readonly site?: Wanted;
  /** Passes the request on to the service. */
  readonly pass?: (at: Ready) => Response;
}

export interface AppParts extends LauncherParts {
  readonly screen: Screen;
  readonly streams: Streams;
  readonly taps: Taps;
}

type Form = Readonly<Record<string, unknown>>;
type Env = { readonly Bindings: Arrival };

export function createApp(parts: AppParts): Hono<Env> {
  const { pages } = parts;
  const visits = createVisits(parts);
  const app = new Hono<Env>();
  app.use(
    secureHeaders({
      contentSecurityPolicy,
      referrerPolicy: 'same-origin',
      xFrameOptions: 'DENY',
      strictTransportSecurity: false,
    }),
  );
  app.use(async (c, next) => {
    await next();
    c.header('Cache-Control', 'no-store');
  });
  addShared(app, parts, visits);
  // What comes by a service's own name goes to the service.
  app.all('*', async (c, next) => {
    const { site, pass } = c.env;
    if (site === undefined || pass === undefined) return next();
    const { pathname, search } = new URL(c.req.url);
    return visits.enter(c, { ...site, path: pathInside(pathname) + search }, pass);
  });
  addPage(app, parts);
  addLaunching(app, parts, visits);
  app.notFound((c) => c.html(pages.render('message', { title: 'There is nothing here', text: '', link: home }), 404));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse();
    if (!(error instanceof ProcletError)) throw error;
    const status = error.code === 'NOT_FOUND' ? 404 : 409;
    const [title = '', text = ''] = [error.message, error.hint ?? ''].map(parts.disclosure.all);
    if (wantsJson(c)) return c.json({ error: title, ...(text !== '' && { hint: text }) }, status);
    return c.html(pages.render('message', { title, text, link: home }), status);
  });
  return app;
}

/** In bytes. */
const longestForm = 16 * 1024;
const home = { href: '/', text: 'All projects' };

function wantsJson(c: Context): boolean {
  return (c.req.header('accept') ?? '').includes('application/json');
}

/** At every name: files of the pages, and what a waiting page needs. */
function addShared(app: Hono<Env>, parts: AppParts, visits: Visits): void {
  app.get('/.proclet/stream', (c) => streamTo(c, parts));
  app.get('/.proclet/launch/:id', (c) => {
    const launch = launchOf(c, c.req.param('id'), parts);
    if (launch === undefined) return c.redirect('/');
    const { site, pass } = c.env;
    if (site === undefined || pass === undefined) {
      const to = destinationOf(c.req.query('to'));
      const project = parts.projects.find(launch.project);
      return visits.result(c, launch, { to }, (at) => leadTo(c, project && { project, tag: launch.tag }, at));
    }
    const path = ownPath(c.req.query('to'));
    return visits.result(c, launch, { path }, () => c.redirect(path));
  });
  app.get('/.proclet/:file', (c) => {
    const asset = parts.pages.asset(c.req.param('file'));
    return asset === undefined ? c.notFound() : c.body(asset.body, 200, { 'Content-Type': asset.type });
  });
}

/** A path at this very name, whatever was asked for. */
function ownPath(to = '/'): string {
  const base = 'http://here';
  const url = URL.canParse(to, base) ? new URL(to, base) : new URL(base);
  return url.origin === base ? pathInside(url.pathname) + url.search : '/';
}

/** What begins with two slashes would be another host's. */
function pathInside(path: string): string {
  return path.replace(/^[/\\]+/, '/');
}

/** At a service's name only its own launches are seen. */
function launchOf(c: Context<Env>, id: string | undefined, { launches }: AppParts): Launch | undefined {
  const launch = launches.find(Number(id));
  const { site } = c.env;
  const isOwn = site === undefined || (site.project.name === launch?.project && site.tag === launch.tag);
  return isOwn ? launch : undefined;
}

function addPage(app: Hono<Env>, parts: AppParts): void {
  const { pages, screen, taps, clock, fleet } = parts;
  app.get('/', async (c) => {
    await screen.refresh();
    const { version } = screen;
    const groups = screen.groups.map((group) => pages.group(group, parts.token));
    return c.html(pages.render('board', { groups, version, token: parts.token, problem: parts.projects.problem }));
  });
  app.post('/act', async (c) => {
    const size = Number(c.req.header('content-length') ?? Infinity);
    // Whatever fills in a form knows how long it is.
    if (!(size <= longestForm) || c.req.header('transfer-encoding') !== undefined) {
      return c.text(
        'The form is longer than those of this page, or does not say how long it is. Reload the page and use its buttons.\n',
        413,
      );
    }
    const form = isForeign((name) => c.req.header(name)) ? {} : await c.req.parseBody().catch(() => ({}) as Form);
    if (!isToken(form['token'], parts.token)) {
      return c.text('That did not come from this launcher’s own page. Load it again.\n', 403);
    }
    // The address says which service is meant, the button what to do with it.
    const act = readAct({ ...c.req.query(), ...form });
    if (act === undefined) return c.text('The form is not one of this page.\n', 400);
    await perform(act, parts);
    return wantsJson(c) ? c.json({ ok: true }) : c.redirect('/', 303);
  });
  app.get('/log', async (c) => {
    const seen = serviceOf(c, parts);
    if (seen === undefined) return c.notFound();
    const tap = taps.open(seen.root, seen.tag);
    await new Promise<void>((go) => void clock.wakeAt(clock.now() + 200, go));
    const lines = tap.tape.lines.map((line) => ({ ...line, text: plainText(line.text) }));
    tap.close();
    const silence = silenceIn(fleet.runs.filter(({ root }) => root === seen.root));
    return c.html(pages.render('log', { title: seen.title, lines, again: c.req.url, ...silence }));
  });
}

function addLaunching(app: Hono<Env>, parts: AppParts, visits: Visits): void {
  const enterFrom = (c: Context, wanted: Wanted) => {
    const hasKey = isToken(c.req.query('key'), linkKey(parts.linkSecret, wanted.project.name, wanted.tag));
    const to = destinationOf(c.req.query('to'));
    return visits.enter(c, { ...wanted, to, hasKey }, (at) => leadTo(c, wanted, at));
  };
  app.get('/launch', async (c) => {
    const project = await projectOf(c.req.query('project'), parts);
    const tag = c.req.query('service') ?? usualService(project);
    if (project.problem === undefined && !project.services.some((service) => service.tag === tag)) {
      throw unknownService(project, tag ?? '');
    }
    return enterFrom(c, { project, tag: tag ?? '' });
  });
  // As the launcher of old was asked: by the file that a service runs, which is only compared.
  app.get('/launcher', async (c) => {
    const project = await projectOf(c.req.query('project'), parts);
    const file = c.req.query('psgi_path') ?? '';
    const service = project.services.find(({ command }) => names(command, file, project.root));
    if (service === undefined) throw new ProcletError('NOT_FOUND', `no service of ${project.name} runs ${file}`);
    return enterFrom(c, { project, tag: service.tag });
  });
}

async function projectOf(name: string | undefined, { projects }: AppParts): Promise<LauncherProject> {
  const project = await projects.current(name ?? '');
  if (project !== undefined) return project;
  if (name === undefined) throw new ProcletError('NOT_FOUND', 'which project? /launch?project=NAME&service=TAG');
  throw new ProcletError('NOT_FOUND', `no project is registered as ${name}`, {
    hint: 'Register it with proclet project add DIR.',
  });
}

/** Whether a word of a command is that file of the project. */
function names(command: string, file: string, root: string): boolean {
  const short = (text: string) => text.replace(`${root}/`, '').replace(/^(?:\.\/)+/, '');
  const words = command.split(/[\s'"]+/).map(short);
  return short(file) !== '' && words.includes(short(file));
}

/**
 * To the service's own name, where browsers keep its cookies from those of other services: the names of ports share
 * them. A program goes to the port, because few programs resolve names under `localhost`, and so does Safari.
 */
function leadTo(c: Context, wanted: Wanted | undefined, at: Ready): Response {
  const header = (field: string) => c.req.header(field);
  const { hostname, port } = new URL(c.req.url);
  const to = destinationOf(c.req.query('to')) ?? (isBrowser(header) && !isSafari(header) ? 'name' : 'port');
  // Elsewhere than on this machine those names lead elsewhere.
  const name = to === 'name' && wanted && loopbackNames.has(hostname) && nameOf(wanted.project, wanted.tag);
  return name ? c.redirect(`http://${name}.localhost${port && `:${port}`}/`) : toPort(c, at);
}

/** By the name by which the launcher was asked, if the service listens there. */
function toPort(c: Context, { host, port }: Ready): Response {
  const asked = new URL(c.req.url).hostname;
  const isUsual = host === '127.0.0.1' || (host === '::1' && asked === 'localhost');
  const name = isUsual ? (asked === '[::1]' ? 'localhost' : asked) : host.includes(':') ? `[${host}]` : host;
  return c.redirect(`http://${name}:${port}/`);
}

/** Which service's output is asked for, of those that the page shows. */
function serviceOf(c: Context<Env>, { projects, fleet }: AppParts) {
  const { project: name, run: number, service } = c.req.query();
  const project = name === undefined ? undefined : projects.find(name);
  const tag = service ?? (project && usualService(project));
  if (tag === undefined || c.env.site !== undefined) return undefined;
  const run = fleet.runs.find((one) => (number === undefined ? one.root === project?.root : one.run === number));
  const root = project?.root ?? run?.root;
  const isKnown = [...(project?.services ?? []), ...(run?.services ?? [])].some((one) => one.tag === tag);
  return root === undefined || !isKnown ? undefined : { root, tag, title: `${project?.name ?? root}/${tag}` };
}

function streamTo(c: Context<Env>, parts: AppParts): Response {
  const { streams, screen } = parts;
  if (isForeign((name) => c.req.header(name))) return c.text('Another page may not look on here.\n', 403);
  if (streams.isFull) return c.text('Too many pages look on already.\n', 503);
  if (c.req.query('launch') !== undefined) return streamLaunch(c, parts);
  if (c.env.site !== undefined) return c.text('This page is not there.\n', 404);
  const [version, token] = (c.req.query('seen') ?? '').split(' ');
  const isOurs = isToken(token, parts.token);
  const wanted = serviceOf(c, parts);
  const tap = wanted && parts.taps.open(wanted.root, wanted.tag);
  let seen = isOurs ? Number(version) : 0;
  let place = 0;
  // A page of a launcher that is gone has buttons that do nothing.
  const stale = isOurs ? [] : [newsOf('stale', '{}')];
  return streamSSE(c, async (stream) => {
    await streams.serve(stream, () => {
      const board = screen.since(seen);
      seen = screen.version;
      const { news: log, end, isAll } = tap?.tape.since(place) ?? { end: 0, isAll: true };
      place = end;
      return {
        news: [...stale.splice(0), ...(board === undefined ? [] : [board]), ...(log === undefined ? [] : [log])],
        next: isAll ? 'wait' : 'more',
      };
    });
    tap?.close();
  });
}

/** The output of a service that starts, and the end of the wait. */
function streamLaunch(c: Context<Env>, parts: AppParts): Response {
  const launch = launchOf(c, c.req.query('launch'), parts);
  if (launch === undefined) return c.text('That start is forgotten.\n', 404);
  const { streams } = parts;
  const mask = parts.disclosure.of(parts.projects.find(launch.project)?.root ?? '');
  let told = 0;
  return streamSSE(c, async (stream) => {
    const leave = launch.subscribe(() => streams.pulse());
    await streams.serve(stream, () => {
      const { state, printed, lines } = launch;
      const from = Math.max(told, printed - lines.length);
      const some = fitting(lines, lines.length - (printed - from));
      const text = JSON.stringify({ lines: some.map((line) => ({ ...line, text: mask(line.text) })), skipped: 0 });
      told = from + some.length;
      const isAll = told === printed;
      const isOver = isAll && state.is !== 'booting';
      return {
        news: [...(some.length === 0 ? [] : [newsOf('log', text)]), ...(isOver ? [newsOf('over', '{}')] : [])],
        next: isOver ? 'end' : isAll ? 'wait' : 'more',
      };
    });
    leave();
  });
}
