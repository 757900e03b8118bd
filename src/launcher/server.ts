/** The launcher's socket: who is asked for decides who answers, the page or a service by its own name. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { type Arrival, createApp } from './app.js';
import { createDisclosure } from './disclosure.js';
import { admitOnly } from './gate.js';
import { countOf, hasBody } from './heads.js';
import { createLastNet, withinRequest } from './last-net.js';
import { type Asking, openListeners } from './listeners.js';
import { answerClientError } from './no-request.js';
import type { LauncherParts, Wanted } from './ports.js';
import { createScreen } from './screen.js';
import { type Addressed, addressed } from './security.js';
import { createSites, isOwnPath, refuse } from './sites.js';
import { Streams } from './streams.js';
import { Taps } from './taps.js';
import { answerUnknown, isShared } from './unknown-name.js';

export interface LauncherServer {
  /** Answers nobody new; resolves when nobody is connected any more, which does not take long. */
  close(): Promise<void>;
}

/**
 * Of a request line with its headers. Services at other ports of this host set cookies that come here, too, and browsers
 * keep up to 180 of 4 KB.
 */
const longestHead = 1024 * 1024;
/** How long a request to the page itself may take to arrive whole; those to services have the time that they need. */
const longestArrival = 30_000;

type Parts = Omit<LauncherParts, 'token' | 'disclosure'>;

function prepare(server: Server, { gate, clock }: LauncherParts): void {
  server.on('clientError', answerClientError);
  if (gate !== undefined) admitOnly(server, { clock, ...gate });
}

/** Listens on each of the hosts. Throws ProcletError when one of them cannot be had. */
export async function openLauncher(given: Parts, hosts: readonly string[]): Promise<LauncherServer> {
  const token = randomBytes(24).toString('base64url');
  const parts: LauncherParts = { ...given, token, disclosure: createDisclosure(given.projects, given.fleet.secrets) };
  const { clock } = parts;
  const streams = new Streams(clock, parts.mostStreams);
  const screen = createScreen(
    parts,
    () => streams.size > 0,
    () => streams.pulse(),
  );
  const { oldLines } = parts.projects;
  const taps = new Taps(parts.fleet, { oldLines, maskOf: parts.disclosure.of, told: () => streams.pulse() });
  const app = createApp({ ...parts, screen, streams, taps });
  const net = createLastNet(parts.told);
  const answer = answeredBy(app, net);
  const sites = createSites(parts, longestHead, answer);
  const siteOf = (who: Addressed) => (who.is === 'site' ? sites.find(who.labels) : undefined);

  const onRequest: Asking['request'] = (request, response) => {
    if (hasManyHosts(request)) return refuse(response, 400, manyHosts);
    const who = addressed(request.headers.host, parts.allowedHosts);
    if (who.is === 'stranger') return refuse(response, 421, 'This launcher has no such name.');
    const site = siteOf(who);
    if (who.is !== 'site' || site !== undefined) return onAddressed(request, response, site);
    if (isShared(request)) return answer(request, response, {});
    void foundLater(parts, () => siteOf(who)).then((later) => {
      if (later === undefined) answerUnknown(request, response, who.labels, parts);
      else onAddressed(request, response, later);
    });
  };
  const onAddressed = (request: IncomingMessage, response: ServerResponse, site: Wanted | undefined) => {
    if (site !== undefined && !isOwnPath(request)) return sites.answer(request, response, site);
    // What is not read whole within its time is no request.
    const cancel = clock.wakeAt(clock.now() + longestArrival, () => request.complete || request.destroy());
    response.once('close', cancel);
    if (request.headers.expect !== undefined) response.writeContinue();
    if (site === undefined) answer(request, response, {});
    else sites.answer(request, response, site);
  };
  const onUpgrade: Asking['upgrade'] = async (request, socket, head) => {
    const isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket' && !hasBody(request);
    const who = addressed(request.headers.host, parts.allowedHosts);
    if (!isWebSocket || who.is !== 'site' || hasManyHosts(request)) return false;
    const site = siteOf(who) ?? (await foundLater(parts, () => siteOf(who)));
    return site !== undefined && !socket.destroyed && sites.upgrade(request, socket, head, site);
  };

  const letGo = parts.onUncaught(net.catch);
  const listeners = await openListeners(hosts, {
    ...{ clock, port: parts.port, longestHead },
    prepare: (server) => prepare(server, parts),
    request: (request, response) => withinRequest(response, () => onRequest(request, response)),
    upgrade: onUpgrade,
  }).catch((error: unknown) => {
    letGo();
    throw error;
  });
  return {
    async close() {
      streams.close();
      screen.close();
      taps.close();
      await listeners.close();
      letGo();
    },
  };
}

const manyHosts = 'The request has several Host headers, so it is not clear which service it is for. Send exactly one.';

/** Node keeps the first, and another server would take the last. */
function hasManyHosts({ rawHeaders }: IncomingMessage): boolean {
  return countOf('host', rawHeaders) > 1;
}

/** By the application itself; what goes wrong in it is reported, and ends nothing else. */
function answeredBy(app: ReturnType<typeof createApp>, net: ReturnType<typeof createLastNet>) {
  const errorHandler = (error: unknown) => {
    // What is no request, and who has gone before its end.
    const isTheirs = error instanceof Error && (error.name === 'RequestError' || error.message === 'aborted');
    if (isTheirs) return new Response('This is no request that the launcher understands.\n', { status: 400 });
    net.report(error);
    return new Response('This is a bug in proclet; the launcher has printed it.\n', { status: 500 });
  };
  const manner = { overrideGlobalObjects: false, autoCleanupIncoming: false, errorHandler };
  return (request: IncomingMessage, response: ServerResponse, arrival: Arrival) =>
    void getRequestListener((asked) => app.fetch(asked, arrival), manner)(request, response).catch((error) => {
      net.report(error);
      response.destroy();
    });
}

/** What was registered, or written into a Procfile, a moment ago. */
async function foundLater<T>({ projects, told }: LauncherParts, find: () => T): Promise<T> {
  await projects.refresh().catch((error: Error) => told(`the projects cannot be read again: ${error.message}`));
  return find();
}
