/** The other end of a run's socket, for the command line. */
import net from 'node:net';
import { socketPathTrouble } from '../address.js';
import { type ErrorCode, ProcletError } from '../errors.js';
import { createLineReader, toLine } from '../wire.js';
import { longestReply, protocolVersion, type Reply } from './protocol.js';

/** What comes before the last line of an answer. */
export type Item = Extract<Reply, { event: unknown } | { skipped: number } | { data: string } | { secrets: unknown }>;

export interface ControlClient {
  /** Resolves with the result. Rejects with a ProcletError for what the run refuses, or when it goes. */
  request<T>(
    message: { readonly verb: string } & Readonly<Record<string, unknown>>,
    onItem?: (item: Item) => void,
  ): Promise<T>;
  close(): void;
}

interface Pending {
  resolve(result: never): void;
  reject(error: Error): void;
  onItem(item: Item): void;
}

/** Rejects with a ProcletError when nobody listens there. */
export function connect(path: string): Promise<ControlClient> {
  return new Promise((resolve, reject) => {
    const trouble = socketPathTrouble(path);
    if (trouble !== undefined) throw new ProcletError('NOT_RUNNING', trouble);
    const socket = net.connect(path);
    socket.once('error', (cause) => {
      reject(new ProcletError('NOT_RUNNING', `the proclet at ${path} does not answer: ${cause.message}`, { cause }));
    });
    socket.once('connect', () => resolve(clientOn(socket)));
  });
}

function clientOn(socket: net.Socket): ControlClient {
  const pending = new Map<number, Pending>();
  let last = 0;
  let closed: Error | undefined;
  const fail = (error: Error) => {
    for (const each of pending.values()) each.reject(error);
    pending.clear();
  };
  const read = createLineReader(longestReply, {
    line(line) {
      const reply = JSON.parse(line) as Reply;
      const one = pending.get(Number(reply.id));
      if ('ok' in reply) {
        if (reply.id === null && !reply.ok) fail(errorOf(reply.error));
        pending.delete(Number(reply.id));
        if (reply.ok) one?.resolve(reply.result as never);
        else one?.reject(errorOf(reply.error));
      } else one?.onItem(reply);
    },
    tooLong: () => fail(new Error('an answer is too long')),
  });
  socket.on('data', read);
  socket.on('error', () => {}); // 'close' follows
  socket.once('close', () => {
    fail(new ProcletError('NOT_RUNNING', 'proclet ended before it answered'));
    closed = new ProcletError('NOT_RUNNING', 'proclet has closed this connection');
  });
  return {
    request: (message, onItem = () => {}) =>
      new Promise((resolve, reject) => {
        if (closed !== undefined) return reject(closed);
        last += 1;
        pending.set(last, { resolve, reject, onItem });
        socket.write(toLine({ v: protocolVersion, id: last, pid: process.pid, ...message }));
      }),
    close: () => void socket.destroy(),
  };
}

function errorOf({ code, message, hint, reason }: Extract<Reply, { ok: false }>['error']): ProcletError {
  const known: ErrorCode = code === 'PROTOCOL' || code === 'BUSY' ? 'OS' : code;
  return new ProcletError(known, message, { hint, reason });
}
