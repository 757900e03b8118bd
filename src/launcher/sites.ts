/** The services behind `psgi.hoge.localhost`: who is meant, and how a request gets there, also to one that sleeps. */
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { labelOf } from '../projects/registry.js';
import type { Arrival } from './app.js';
import { type Exchange, type Failure, type Place, passOn } from './exchange.js';
import { hasBody } from './heads.js';
import { withinRequest } from './last-net.js';
import { usualService } from './places.js';
import type { LauncherParts, Wanted } from './ports.js';
import { mayStart } from './security.js';

export interface Sites {
  /** The service that the labels before `localhost` name. */
  find(labels: readonly string[]): Wanted | undefined;
  /** By the service; meanwhile the body stays where it is. */
  answer(request: IncomingMessage, response: ServerResponse, site: Wanted): void;
  /** Whether the offer of another protocol was taken up. One that was not is a request like any other. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer, site: Wanted): boolean;
}

/** Answers by the launcher itself, what starts the service included. */
type Answer = (request: IncomingMessage, response: ServerResponse, arrival: Arrival) => void;

/** `longestHead`: of a request line or a status line with its headers, in bytes. */
export function createSites(parts: LauncherParts, longestHead: number, answerHere: Answer): Sites {
  const { launches, projects } = parts;
  const addressOf = ({ project, tag }: Wanted) => launches.addressOf(project.root, tag);
  return {
    find(labels) {
      const [label = '', service] = [...labels].reverse();
      const project = labels.length > 2 ? undefined : projects.find(label);
      if (project === undefined) return undefined;
      const named = project.services.find(({ tag }) => tag.toLowerCase() === service || labelOf(tag) === service)?.tag;
      const tag = service === undefined ? (usualService(project) ?? '') : named;
      return tag === undefined ? undefined : { project, tag };
    },

    answer(request, response, site) {
      const exchange = { request, response, longestHead };
      const pass = (at: Place) => {
        passOn(exchange, at, unanswered(exchange, site));
        return RESPONSE_ALREADY_SENT;
      };
      const at = addressOf(site);
      if (at === undefined || isOwnPath(request)) return answerHere(request, response, { site, pass });
      passOn(exchange, at, (failure) => {
        // It may have gone since. What nothing has left of, or changes nothing and has no body, can be asked again.
        const isHarmless = (request.method === 'GET' || request.method === 'HEAD') && !hasBody(request);
        if (failure.isWhole || isHarmless) answerHere(request, response, { site, pass });
        else unanswered(exchange, site)(failure);
      });
    },

    upgrade(request, socket, head, site) {
      const at = addressOf(site);
      const header = (name: string) => request.headers[name]?.toString();
      const mayWake = site.project.problem === undefined && mayStart(header) === 'yes';
      if (isOwnPath(request) || (at === undefined && !mayWake)) return false;
      const response = responseOn(request, socket);
      const exchange = { request, response, longestHead, upgrade: { socket, head } };
      const failed = unanswered(exchange, site);
      const wake = async () => {
        const state = await launches.launch(site.project, site.tag).finished;
        if (state.is === 'ready') passOn(exchange, state, failed);
        else refuse(response, 502, `${nameOf(site)} ${state.is === 'running' ? 'listens nowhere' : 'did not start'}.`);
      };
      withinRequest(response, () => {
        if (at === undefined) void wake();
        else passOn(exchange, at, (failure) => (failure.isWhole && mayWake ? void wake() : failed(failure)));
      });
      return true;
    },
  };
}

function unanswered({ response }: Exchange, site: Wanted): (failure: Failure) => void {
  return ({ why }) => refuse(response, 502, `${nameOf(site)} did not answer: ${why}.`);
}

/** The answer to a request that Node has already taken for one of another protocol. */
function responseOn(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response
    .on('error', () => response.destroy())
    .once('finish', () => {
      response.detachSocket(socket);
      socket.destroySoon();
    });
  return response;
}

export function isOwnPath({ url = '' }: IncomingMessage): boolean {
  return url.startsWith('/.proclet/');
}

function nameOf({ project, tag }: Wanted): string {
  return `${project.name}/${tag}`;
}

/** The connection stays: whoever still sends a body gets to read the answer. */
export function refuse(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
