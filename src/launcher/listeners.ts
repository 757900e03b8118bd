/**
 * Connections to the launcher, over HTTP/1.1: whose head may take how long, whose offer of another protocol is ignored,
 * and the end of all of them.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ProcletError } from '../errors.js';
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';
import { withoutOffer } from './heads.js';

export interface Asking {
  readonly clock: Clock;
  readonly port: number;
  /** In bytes. */
  readonly longestHead: number;
  /** Before it listens. */
  prepare(server: Server): void;
  request(request: IncomingMessage, response: ServerResponse): void;
  /** Resolves with false for an offer that is not taken up, if nothing has been done with the connection. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<boolean>;
}

export interface Listeners {
  /** Nobody new is answered; what is under way has a moment. Resolves when nobody is connected any more. */
  close(): Promise<void>;
}

/** For a head to arrive whole. */
const longestArrival: Millis = 20_000;
const arrivalsSeenTo: Millis = 5_000;
/** Longer than most clients keep a connection for, so that we close none at the moment in which it is used. */
const restsAtMost: Millis = 120_000;
/** Answers that are under way when the end comes have this long. */
const farewell: Millis = 1_000;

/** Throws ProcletError when one of the hosts cannot be listened on. */
export async function openListeners(hosts: readonly string[], asking: Asking): Promise<Listeners> {
  const connections = new Map<Socket, Connection>();
  let isClosing = false;
  const servers: Server[] = [];
  for (const host of hosts) {
    const server = createServer({
      maxHeaderSize: asking.longestHead,
      headersTimeout: longestArrival,
      connectionsCheckingInterval: arrivalsSeenTo,
      // A body takes the time that it takes: an upload, a form that waits for its service.
      requestTimeout: 0,
      keepAliveTimeout: restsAtMost,
    });
    // Past a number of them Node forgets headers, and with them how long a body is.
    server.maxHeadersCount = 0;
    asking.prepare(server);
    const onRequest = (request: IncomingMessage, response: ServerResponse) => {
      request.on('error', () => {}); // whoever reads it hears of it, too
      response.on('error', () => response.destroy());
      owe(connections.get(request.socket), response);
      if (!isClosing) return asking.request(request, response);
      response.writeHead(503, { connection: 'close' }).end('The launcher ends.\n');
    };
    server.on('request', onRequest).on('checkContinue', onRequest);
    server.on('checkExpectation', (request, response) => {
      owe(connections.get(request.socket), response);
      response.writeHead(417).end();
    });
    server.on('connection', (socket: Socket) => {
      if (connections.has(socket)) return;
      connections.set(socket, { owed: 0, answered() {} });
      socket.on('error', () => socket.destroy()).on('close', () => connections.delete(socket));
    });
    server.on('upgrade', (request, stream, head) => {
      const socket = stream as Socket;
      whenAnswered(connections.get(socket), async () => {
        socket.setTimeout(0);
        const isOver = () => socket.destroyed || isClosing;
        if (!isOver() && (await asking.upgrade(request, socket, head))) return;
        if (isOver()) return void socket.destroy();
        // Node has no way back from an upgrade but a new beginning.
        socket.unshift(Buffer.concat([withoutOffer(request), head]));
        server.emit('connection', socket);
      });
    });
    const error = await listen(server, host, asking.port);
    // A machine without IPv6 has no ::1, which is no reason to do without the rest.
    if (error?.code === 'EADDRNOTAVAIL' && host === '::1') continue;
    if (error !== undefined) {
      for (const other of servers) other.close();
      throw new ProcletError('OS', `the launcher cannot listen on ${host}, port ${asking.port}: ${error.message}`, {
        hint: 'Take another port with --port.',
        cause: error,
      });
    }
    server.on('error', () => {});
    servers.push(server);
  }
  return {
    async close() {
      isClosing = true;
      const closed = servers.map((server) => new Promise<void>((go) => void server.close(() => go())));
      const { clock } = asking;
      const cancel = clock.wakeAt(clock.now() + farewell, () => {
        for (const socket of connections.keys()) socket.destroy();
      });
      await Promise.all(closed);
      cancel();
    },
  };
}

interface Connection {
  /** How many of its requests have no whole answer yet. */
  owed: number;
  /** Called when that comes to none. */
  answered: () => void;
}

function owe(connection: Connection | undefined, response: ServerResponse): void {
  if (connection === undefined) return;
  connection.owed += 1;
  response.once('close', () => {
    connection.owed -= 1;
    if (connection.owed === 0) connection.answered();
  });
}

/** Whoever asks for another protocol may have asked for something else before. Node does not wait for that. */
function whenAnswered(connection: Connection | undefined, act: () => void): void {
  if (connection === undefined) return; // it has gone
  if (connection.owed === 0) act();
  else {
    connection.answered = () => {
      connection.answered = () => {};
      act();
    };
  }
}

function listen(server: Server, host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((go) => {
    server.once('error', go).listen({ port, host, ipv6Only: host.includes(':') }, () => go(undefined));
  });
}
