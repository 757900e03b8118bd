/**
 * One question to a service: a connection that its program takes, or a request and the first line of its answer. A program
 * that listens before it can serve leaves connections to the kernel: that is no answer. Speaks HTTP/1.1 by itself:
 * one line out and one in need no client. Ends exactly once, and leaves nothing behind.
 */
import { connect, isIP, type Socket } from 'node:net';
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';
import { readSockets } from './sockets.js';

export interface Attempt {
  readonly clock: Clock;
  readonly host: string;
  readonly port: number;
  /** What to ask for over HTTP; undefined when a connection is enough. */
  readonly path: string | undefined;
  readonly onAttemptPort: ((port: number) => (ended: 'connected' | 'refused') => void) | undefined;
  readonly ended: (answer: Answer) => void;
}

export interface Answer {
  readonly isReady: boolean;
  /** The kernel accepted the connection; the program may have yet to take it. */
  readonly isConnected: boolean;
  /** What was met: `connection refused`, `HTTP 503`. */
  readonly sentence: string;
}

const connectLimit: Millis = 2_000;

/** A first request may have to compile half of the program. */
const answerLimit: Millis = 30_000;

/** Whether a program has taken a connection is looked up this often, and less and less. */
const looks = { first: 2, longest: 100 } as const;

/** The rest of an answer is read for this long, so that the service does not see its connection broken. */
const drainLimit: Millis = 100;

/** Headers longer than this are not an answer that we can wait for. */
const longestAnswer = 64 * 1024;

/** Returns the cancel, after which `ended` is not called. */
export function attempt({ clock, host, port, path, onAttemptPort, ended }: Attempt): () => void {
  const socket = connect({ host, port, noDelay: true });
  let isConnected = false;
  let isOver = false;
  let answer = { isReady: false, sentence: 'no answer' };
  let cancelLook = () => {};
  const takes = () => {
    answer = { isReady: true, sentence: 'connected' };
    end();
  };
  const lookEach = (pause: Millis) => {
    if (isTaken(socket)) takes();
    else cancelLook = clock.wakeAt(clock.now() + pause, () => lookEach(Math.min(2 * pause, looks.longest)));
  };

  const over = () => {
    isOver = true;
    cancelLimit();
    cancelLook();
    socket.destroy();
  };
  const end = () => {
    if (isOver) return;
    over();
    ended({ ...answer, isConnected });
  };
  const endIn = (limit: Millis) => clock.wakeAt(clock.now() + limit, end);
  let cancelLimit = endIn(path === undefined ? connectLimit : answerLimit);

  reportPort(socket, host, onAttemptPort);
  socket.on('connect', () => {
    isConnected = true;
    answer = { isReady: false, sentence: 'connected, but no answer' };
    cancelLimit();
    cancelLimit = endIn(answerLimit);
    if (path === undefined) {
      // It may greet, or close at once.
      socket.on('data', takes).on('end', takes);
      // A program that waits for connections takes it in less time than it takes to look.
      cancelLook = clock.wakeAt(clock.now() + 1, () => lookEach(looks.first));
    } else
      ask(socket, headOf(path, host, port), (status) => {
        answer = { isReady: status >= 200 && status < 400, sentence: status > 0 ? `HTTP ${status}` : 'no HTTP answer' };
        cancelLimit();
        cancelLimit = endIn(drainLimit);
      });
  });
  socket.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (!isConnected) answer = { isReady: false, sentence: code === 'ECONNREFUSED' ? 'refused' : (code ?? message) };
  });
  socket.on('close', end);
  return over;
}

/** The local port is known as soon as the connection has begun: before the service, and so anybody, can see it. */
function reportPort(socket: Socket, host: string, report: Attempt['onAttemptPort']): void {
  if (report === undefined) return;
  let ended: ReturnType<typeof report> | undefined;
  let outcome: 'connected' | 'refused' = 'connected';
  const tell = () => {
    const port = ended === undefined ? socket.localPort : undefined;
    if (port !== undefined) ended = report(port);
  };
  // To an address `connect` begins on the next tick; to a name later. Asked too early, the port would stay unknown.
  if (isIP(host) > 0) process.nextTick(tell);
  socket.on('connect', tell);
  socket.on('error', () => {
    if (socket.remoteAddress === undefined) outcome = 'refused';
  });
  // What was given up while it began counts as connected: nobody knows how far it came.
  socket.on('close', () => ended?.(outcome));
}

/**
 * Whether a program has accepted a connection of ours: until then nobody holds its other end. That is not to be seen on
 * other systems than Linux, nor in another network namespace; there the kernel's word is taken for the program's.
 */
function isTaken({ localPort, remotePort }: Socket): boolean {
  const others = readSockets((local, remote) => local === remotePort && remote === localPort);
  return !others.some(({ state, inode }) => state === 'established' && inode === '0');
}

function headOf(path: string, host: string, port: number): string {
  const target = path.replace(/^(?!\/)/, '/').replace(/[^\x21-\x7e]/gu, encodeURIComponent);
  const isLoopback = host === '127.0.0.1' || host === '::1';
  const name = isLoopback ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  const lines = [`GET ${target} HTTP/1.1`, `Host: ${name}:${port}`, 'User-Agent: proclet', 'Accept: */*'];
  return `${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`;
}

/** Sends a request, tells the status of the answer (0: it is none), and reads on. */
function ask(socket: Socket, head: string, answered: (status: number) => void): void {
  let text = '';
  let isAnswered = false;
  socket.setEncoding('latin1');
  socket.on('data', (more: string) => {
    if (isAnswered) return;
    text += more;
    const status = statusIn(text);
    if (status === 'unknown' && text.length < longestAnswer) return;
    isAnswered = true;
    answered(typeof status === 'number' ? status : 0);
  });
  socket.write(head);
}

/** The status of an answer, behind whatever was said in advance (1xx); `unknown` while it has not come. */
export function statusIn(answer: string): number | 'unknown' | 'invalid' {
  let rest = answer;
  for (;;) {
    const line = /^[^\n]*\n/.exec(rest)?.[0];
    if (line === undefined) return rest.length < 12 || /^HTTP\/1\.\d \d{3}\b/.test(rest) ? 'unknown' : 'invalid';
    const status = Number(/^HTTP\/1\.\d (\d{3})\b/.exec(line)?.[1] ?? Number.NaN);
    if (Number.isNaN(status)) return 'invalid';
    if (status >= 200) return status;
    const head = /^[\s\S]*?\r?\n\r?\n/.exec(rest)?.[0];
    if (head === undefined) return 'unknown';
    rest = rest.slice(head.length);
  }
}
