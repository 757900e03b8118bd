/**
 * One request, passed on to a service, and its answer passed back: bodies as they come and no faster than they are taken,
 * trailers, early hints, `100 Continue`, another protocol. Each exchange has a connection to the service of its own, so
 * that none is closed by the service at the moment in which a request is written to it.
 */
import http, { type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  defectOf,
  fieldsOfUpgrade,
  fieldsToClient,
  fieldsToService,
  headAsBytes,
  pathToService,
  trailersFrom,
} from './heads.js';

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Why there is no answer. */
export interface Failure {
  readonly why: string;
  /** Nothing of the request has left: the whole of it can go elsewhere. */
  readonly isWhole: boolean;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Of a client that asks for another protocol: the connection, and what came after the head. */
  readonly upgrade?: { readonly socket: Socket; readonly head: Buffer };
  /** Of a request line with its headers, in bytes; for both sides. */
  readonly longestHead: number;
}

/** Written, it sends a head on its way as the bytes that it has; `flushHeaders` would make UTF-8 of them. */
const nothing = Buffer.alloc(0);

/** Passes a request on. `failed` is called at most once, if nothing has been answered yet and somebody still waits. */
export function passOn(exchange: Exchange, at: Place, failed: (failure: Failure) => void): void {
  const { response } = exchange;
  if (response.destroyed || response.headersSent) return;
  const outgoing = ask(exchange, at);
  if (outgoing instanceof Error) {
    failed({ why: `the request cannot be passed on: ${outgoing.message}`, isWhole: false });
  } else new Passage(exchange, outgoing, failed).begin(at);
}

class Passage {
  readonly #exchange: Exchange;
  readonly #outgoing: ClientRequest;
  readonly #failed: (failure: Failure) => void;
  #stage: 'untouched' | 'sent' | 'answered' | 'failed' = 'untouched';

  constructor(exchange: Exchange, outgoing: ClientRequest, failed: (failure: Failure) => void) {
    this.#exchange = exchange;
    this.#outgoing = outgoing;
    this.#failed = failed;
  }

  begin(at: Place): void {
    const { request, response } = this.#exchange;
    const outgoing = this.#outgoing;
    response.once('close', this.#leave);
    request.on('error', this.#leave);
    outgoing
      .on('error', (error) => this.#fail(sentenceOf(error, at)))
      .on('close', () => this.#closed())
      .on('socket', (socket) => {
        socket.setNoDelay(true);
        if (socket.connecting) socket.once('connect', () => this.#send());
        else this.#send();
      })
      .on('continue', () => {
        if (request.headers.expect !== undefined && !response.headersSent) response.writeContinue();
      })
      .on('information', ({ statusCode, headers }) => hint(request, response, statusCode, headers['link']))
      .on('response', (answer) => this.#answered(answer))
      .on('upgrade', (answer, stream, rest) => this.#upgraded(answer, stream as Socket, rest));
    outgoing.write(nothing);
  }

  #send(): void {
    if (this.#stage !== 'untouched') return;
    this.#stage = 'sent';
    if (this.#exchange.upgrade) this.#outgoing.end();
    else sendBody(this.#exchange.request, this.#outgoing);
  }

  #answered(answer: IncomingMessage): void {
    const { request, response } = this.#exchange;
    // It may break off at any time, also when nobody reads it any more.
    answer.on('error', () => this.#stage === 'answered' && response.destroy());
    const defect = defectOf(answer);
    if (defect !== undefined) this.#fail(defect);
    else if (this.#stage !== 'sent') this.#outgoing.destroy();
    else {
      this.#stage = 'answered';
      answerWith(answer, request, response);
    }
  }

  #upgraded(answer: IncomingMessage, upstream: Socket, rest: Buffer): void {
    const { request, response, upgrade } = this.#exchange;
    upstream.on('error', () => upstream.destroy());
    const head = { ...headOf(answer), statusCode: 200 };
    const isWanted = upgrade !== undefined && this.#stage === 'sent' && !response.destroyed;
    const defect = isWanted ? defectOf(head) : 'it answered with another protocol';
    if (!isWanted || defect !== undefined) {
      upstream.destroy();
      this.#fail(defect ?? '');
      return;
    }
    this.#stage = 'answered';
    response.off('close', this.#leave);
    response.detachSocket(upgrade.socket);
    const fields = fieldsOfUpgrade(fieldsToClient(head, request), answer.headers);
    const line = `HTTP/1.1 101 ${answer.statusMessage || 'Switching Protocols'}`;
    upgrade.socket.write(Buffer.concat([headAsBytes(line, fields), rest]));
    if (upgrade.head.length > 0) upstream.write(upgrade.head);
    join(upgrade.socket, upstream);
  }

  #fail(why: string): void {
    if (this.#stage === 'answered' || this.#stage === 'failed') return;
    const isWhole = this.#stage === 'untouched';
    this.#stage = 'failed';
    this.#outgoing.destroy();
    if (!isWhole) letGo(this.#exchange.request, this.#outgoing);
    if (!this.#exchange.response.destroyed) this.#failed({ why, isWhole });
  }

  #closed(): void {
    const { request, response } = this.#exchange;
    this.#fail('it closed the connection without an answer');
    if (this.#stage === 'answered') letGo(request, this.#outgoing);
    response.off('close', this.#leave);
    request.off('error', this.#leave);
  }

  /** Whoever asked has gone. */
  readonly #leave = (): void => {
    if (!this.#exchange.response.writableFinished) this.#outgoing.destroy();
  };
}

/** An error for a request that Node does not write. */
function ask({ request, upgrade, longestHead }: Exchange, { host, port }: Place): ClientRequest | Error {
  const fields = fieldsToService(request, request.socket.remoteAddress);
  try {
    const asking = http.request({
      ...{ host, port, agent: false, maxHeaderSize: longestHead },
      method: request.method ?? 'GET',
      path: pathToService(request.url),
      headers: upgrade ? fieldsOfUpgrade(fields, request.headers) : fields,
    });
    asking.maxHeadersCount = 0;
    return asking;
  } catch (error) {
    return error as Error;
  }
}

function sendBody(request: IncomingMessage, outgoing: ClientRequest): void {
  request.pipe(outgoing, { end: false });
  const end = () => {
    const trailers = trailersFrom(request.rawTrailers);
    // Where the body is not chunked there is no place for them.
    if (trailers.length > 0 && request.headers['transfer-encoding'] !== undefined) outgoing.addTrailers(trailers);
    outgoing.end();
  };
  if (request.readableEnded) end();
  else request.once('end', end);
}

/** The rest of a body that nobody wants any more is read, so that the client comes to read the answer. */
function letGo(request: IncomingMessage, outgoing: ClientRequest): void {
  request.unpipe(outgoing);
  request.resume();
}

function hint(request: IncomingMessage, response: ServerResponse, status: number, link: unknown): void {
  if (response.headersSent || response.destroyed || request.httpVersion === '1.0') return;
  if (status === 102) response.writeProcessing();
  if (status !== 103 || typeof link !== 'string') return;
  try {
    response.writeEarlyHints({ link });
  } catch {
    // ERR_INVALID_ARG_VALUE: Node is strict about links. The answer itself has them as well.
  }
}

function answerWith(answer: IncomingMessage, request: IncomingMessage, response: ServerResponse): void {
  const { statusCode = 502, statusMessage = '' } = answer;
  response.sendDate = false;
  response.writeHead(statusCode, statusMessage, fieldsToClient(answer, request));
  response.write(nothing);
  answer.pipe(response, { end: false });
  answer.on('end', () => {
    const trailers = trailersFrom(answer.rawTrailers);
    if (trailers.length > 0 && response.chunkedEncoding) response.addTrailers(trailers);
    response.end();
  });
  // What was cut off must not look whole.
  answer.on('close', () => {
    if (!answer.complete) response.destroy();
  });
}

/** Of a message of Node's, whose fields are its prototype's. */
function headOf({ headers, rawHeaders, statusMessage }: IncomingMessage) {
  return { headers, rawHeaders, ...(statusMessage !== undefined && { statusMessage }) };
}

/** Bytes go both ways; the end of one side is the end of the other, when all is written. */
function join(client: Socket, upstream: Socket): void {
  const ways = [
    [client, upstream],
    [upstream, client],
  ] as const;
  for (const [from, to] of ways) {
    from.on('error', () => to.destroy());
    from.on('close', () => {
      if (from.readableEnded) to.destroySoon();
      else to.destroy();
    });
    from.pipe(to);
  }
}

function sentenceOf(error: NodeJS.ErrnoException, { port }: Place): string {
  const { code = '', message } = error;
  if (code === 'ECONNREFUSED') return `nothing listens on its port ${port}`;
  if (code === 'ECONNRESET') return 'it closed the connection without an answer';
  if (code.startsWith('HPE_')) return `its answer is not what HTTP/1.1 allows: ${message}`;
  return message;
}
