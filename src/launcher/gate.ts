/**
 * Whose connections the launcher answers: those of its own user and of root. What it can do is what this user can do,
 * and a port of loopback is open to every user of the machine, so it is looked whose the other end is before a byte of
 * it is read. docs/adr/0026 says why not a token.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';

/** Whose the other end of a connection is. */
export type Peer = { readonly is: 'user'; readonly uid: number } | { readonly is: 'unseen' | 'elsewhere' | 'untold' };

export interface Gate {
  readonly clock: Clock;
  /** The user of the launcher. */
  readonly uid: number;
  peerOf(socket: Socket): Promise<Peer>;
}

/** How long somebody who is refused may take to read it. */
const farewell: Millis = 2_000;

/** Why a connection is not answered; undefined for one that is. Other machines come only where `--host` lets them. */
export function refusalOf(peer: Peer, uid: number): string | undefined {
  if (peer.is === 'user') {
    if (peer.uid === uid || peer.uid === 0) return undefined;
    return `This launcher is of the user ${uid} of this machine, and answers to nobody else. You are the user ${peer.uid}: start your own with proclet launcher --port PORT.`;
  }
  if (peer.is !== 'unseen') return undefined;
  return 'It cannot be seen whose process is at the other end of this connection, so this launcher does not answer it. With proclet launcher --any-user it answers to everybody on this machine.';
}

/** From now on `server` hears of the connections that the gate lets through, and of no other. */
export function admitOnly(server: Server, { clock, uid, peerOf }: Gate): void {
  const listeners = server.listeners('connection') as ((socket: Socket) => void)[];
  const admitted = new WeakSet<Socket>();
  const enter = (socket: Socket) => {
    for (const each of listeners) each.call(server, socket);
  };
  server.removeAllListeners('connection').on('connection', (socket: Socket) => {
    // Once more, after an upgrade that was not taken up.
    if (admitted.has(socket)) return enter(socket);
    const lost = () => socket.destroy();
    socket.on('error', lost);
    void peerOf(socket).then((peer) => {
      if (socket.destroyed) return;
      const refusal = refusalOf(peer, uid);
      if (refusal !== undefined) return refuse(socket, refusal, clock);
      admitted.add(socket);
      socket.off('error', lost);
      enter(socket);
    });
  });
}

/** What it sends is read, since a connection that is closed with something unread takes the answer with it. */
function refuse(socket: Socket, why: string, clock: Clock): void {
  const cancel = clock.wakeAt(clock.now() + farewell, () => socket.destroy());
  socket.once('close', cancel).resume();
  socket.end(
    [
      'HTTP/1.1 403 Forbidden',
      'Content-Type: text/plain; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(why) + 1}`,
      'Connection: close',
      '',
      `${why}\n`,
    ].join('\r\n'),
  );
}
