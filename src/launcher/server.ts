/** The launcher's socket: who is asked for decides who answers, the page or a service by its own name. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { createProxyServer } from 'httpxy';
import { ProcletError } from '../errors.js';
import { labelOf } from '../projects/registry.js';
import { type Arrival, createApp } from './app.js';
import { admitOnly } from './gate.js';
import { usualService } from './places.js';
import type { LauncherParts, Wanted } from './ports.js';
import { createScreen } from './screen.js';
import { addressed, mayStart } from './security.js';
import { Streams } from './streams.js';
import { Taps } from './taps.js';
import type { Ready } from './visits.js';

export interface LauncherServer {
  /** Stops answering; resolves when nobody is connected any more. */
  close(): Promise<void>;
}

/** Of a request line with its headers. Services at other ports set cookies that come here, too. */
const longestHead = 64 * 1024;

type Place = Pick<Ready, 'host' | 'port'>;

type Parts = Omit<LauncherParts, 'token'>;

/** Listens on each of the hosts. Throws ProcletError when one of them cannot be had. */
export async function openLauncher(given: Parts, hosts: readonly string[]): Promise<LauncherServer> {
  const parts: LauncherParts = { ...given, token: randomBytes(24).toString('base64url') };
  const streams = new Streams(parts.clock, parts.mostStreams);
  const screen = createScreen(
    parts,
    () => streams.size > 0,
    () => streams.pulse(),
  );
  const { oldLines } = parts.projects;
  const taps = new Taps(parts.fleet, { oldLines, maskOf: screen.maskOf, told: () => streams.pulse() });
  const app = createApp({ ...parts, screen, streams, taps });
  const sites = createSites(parts);
  const errorHandler = (error: unknown) => {
    // What is no request, and who has gone before its end.
    const isTheirs = error instanceof Error && (error.name === 'RequestError' || error.message === 'aborted');
    if (isTheirs) return new Response('This is no request that the launcher understands.\n', { status: 400 });
    parts.told(`this is a bug in proclet: ${error instanceof Error ? error.stack : String(error)}`);
    return new Response('This is a bug in proclet; the launcher has printed it.\n', { status: 500 });
  };
  const manner = { overrideGlobalObjects: false, autoCleanupIncoming: false, errorHandler };
  const answer = (request: IncomingMessage, response: ServerResponse, arrival: Arrival) =>
    getRequestListener((asked) => app.fetch(asked, arrival), manner)(request, response);

  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const who = addressed(request.headers.host, parts.allowedHosts);
    if (who.is === 'stranger') return refuse(response, 421, 'This launcher has no such name.');
    if (who.is === 'page') return answer(request, response, {});
    const site = sites.find(who.labels);
    if (site === undefined) return refuse(response, 404, 'No project, or no service of it, has this name.');
    const at = parts.launches.addressOf(site.project.root, site.tag);
    const pass = (ready: Place) => {
      sites.pass(request, response, ready, (why) => refuse(response, 502, `The service did not answer: ${why}`));
      return RESPONSE_ALREADY_SENT;
    };
    if (at === undefined || isOwnPath(request)) return answer(request, response, { site, pass });
    // It may have gone since; what has no body can be asked again.
    const isRepeatable = request.method === 'GET' || request.method === 'HEAD';
    if (!isRepeatable) return void pass(at);
    return sites.pass(request, response, at, () => answer(request, response, { site, pass }));
  };
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const who = addressed(request.headers.host, parts.allowedHosts);
    const site = who.is === 'site' ? sites.find(who.labels) : undefined;
    socket.on('error', () => socket.destroy());
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    } else if (site === undefined) socket.destroy();
    else void sites.upgrade(request, socket, head, site);
  };
  const servers = await listenOn(hosts, parts.port, (server) => {
    if (parts.gate !== undefined) admitOnly(server, { clock: parts.clock, ...parts.gate });
    server.on('request', onRequest).on('upgrade', onUpgrade);
  });
  return {
    async close() {
      streams.close();
      screen.close();
      taps.close();
      const closed = servers.map((server) => new Promise<void>((go) => void server.close(() => go())));
      for (const server of servers) server.closeAllConnections();
      await Promise.all(closed);
    },
  };
}

function isOwnPath({ url = '' }: IncomingMessage): boolean {
  return url.startsWith('/.proclet/');
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end(`${text}\n`);
}

/** What Node reads is more than it writes: a status and a reason that it would throw for. */
function makeSendable(answer: IncomingMessage): void {
  const status = answer.statusCode ?? 0;
  if (status < 100 || status > 999) answer.statusCode = 502;
  if (/[^\t\x20-\x7e\x80-\xff]/.test(answer.statusMessage ?? '')) answer.statusMessage = '';
}

/** The services behind `psgi.hoge.localhost`. */
function createSites(parts: LauncherParts) {
  const { launches, projects } = parts;
  const proxy = createProxyServer({ xfwd: true });
  proxy.on('proxyRes', (answer) => makeSendable(answer));
  proxy.on('proxyReq', (asking, _request, response) => {
    asking.on('upgrade', (_answer, socket) => {
      socket.destroy();
      if ('writeHead' in response) refuse(response as ServerResponse, 502, 'The service answered with an upgrade.');
    });
  });
  const urlOf = ({ host, port }: Place) => `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return {
    find(labels: readonly string[]): Wanted | undefined {
      const [label = '', service] = [...labels].reverse();
      const project = labels.length > 2 ? undefined : projects.find(label);
      if (project === undefined) return undefined;
      const named = project.services.find(({ tag }) => tag.toLowerCase() === service || labelOf(tag) === service)?.tag;
      const tag = service === undefined ? (usualService(project) ?? '') : named;
      return tag === undefined ? undefined : { project, tag };
    },
    /** `failed` is called if nothing has been answered yet. */
    pass(request: IncomingMessage, response: ServerResponse, at: Place, failed: (why: string) => unknown): void {
      proxy.web(request, response, { target: urlOf(at) }).catch((error: Error) => {
        if (response.headersSent || response.destroyed) response.destroy();
        else failed(error.message);
      });
    },
    /** A WebSocket, which a service that sleeps is woken for. */
    async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, { project, tag }: Wanted): Promise<void> {
      const header = (name: string) => request.headers[name]?.toString();
      const at = launches.addressOf(project.root, tag);
      const isRefused = project.problem !== undefined || mayStart(header) !== 'yes';
      const state = at
        ? { is: 'ready' as const, ...at }
        : isRefused
          ? undefined
          : await launches.launch(project, tag).finished;
      if (state?.is !== 'ready') socket.destroy();
      else await proxy.ws(request, socket as never, { target: urlOf(state) }, head).catch(() => socket.destroy());
    },
  };
}

async function listenOn(
  hosts: readonly string[],
  port: number,
  prepare: (server: Server) => void,
): Promise<readonly Server[]> {
  const servers: Server[] = [];
  for (const host of hosts) {
    const server = createServer({ maxHeaderSize: longestHead });
    prepare(server);
    const error = await new Promise<NodeJS.ErrnoException | undefined>((go) => {
      server.once('error', go).listen({ port, host, ipv6Only: host.includes(':') }, () => go(undefined));
    });
    // A machine without IPv6 has no ::1, which is no reason to do without the rest.
    if (error?.code === 'EADDRNOTAVAIL' && host === '::1') continue;
    if (error !== undefined) {
      for (const other of servers) other.close();
      throw new ProcletError('OS', `the launcher cannot listen on ${host}, port ${port}: ${error.message}`, {
        hint: 'Take another port with --port.',
        cause: error,
      });
    }
    server.on('error', () => {});
    servers.push(server);
  }
  return servers;
}
