/** Connects to a service, again for a moment when nobody listens although it was said to be ready. */
import net, { type Socket } from 'node:net';
import type { Address } from '../model.js';
import type { Delay } from './front-delay.js';
import type { OwnPorts } from './front-own-ports.js';

/** How often, with the length of `delay` between: 200 ms in all. */
const attempts = 6;
export const betweenAttempts = 40;

/** Nobody listens (yet); the queue of a unix socket is full. */
const passing: readonly string[] = ['ECONNREFUSED', 'ENOENT', 'EAGAIN'];

export interface Approach {
  readonly address: Address;
  readonly delay: Delay;
  readonly ports: OwnPorts;
  /** What the socket reads into, and what is called then; false stops reading until `resume()`. */
  readonly onread: net.OnReadOpts;
  connected(upstream: Socket): void;
  failed(error: Error): void;
}

/** Calls `connected` or `failed`, once, unless it is cancelled before by calling what is returned. */
export function approach(plan: Approach): () => void {
  let left = attempts;
  let giveUp = () => {};

  function attempt(): void {
    left -= 1;
    const socket = net.connect({ ...plan.address, noDelay: true, allowHalfOpen: true, onread: plan.onread });
    giveUp = () => {
      socket.off('connect', connected).off('error', failed).on('error', ignore);
      socket.destroy();
    };
    claimPort(socket, plan.ports);
    socket.once('connect', connected).once('error', failed);

    function connected(): void {
      socket.off('error', failed);
      plan.connected(socket);
    }
    function failed(error: NodeJS.ErrnoException): void {
      socket.off('connect', connected);
      if (left > 0 && passing.includes(error.code ?? '')) giveUp = plan.delay.start(attempt);
      else plan.failed(error);
    }
  }

  attempt();
  return () => giveUp();
}

function ignore(): void {
  // of a connection that nobody waits for any more
}

/**
 * The port is known as soon as `connect` was called, before anybody answers: then it is in the kernel's tables. Node
 * calls it in a tick of its own, which is why one more tick is waited here. For a name that has to be looked up it
 * is known when connected.
 */
function claimPort(socket: Socket, ports: OwnPorts): void {
  let own: number | undefined;
  const claim = () => {
    if (own !== undefined) return;
    own = socket.localPort;
    if (own !== undefined && own > 0) ports.opened(own);
    else own = undefined;
  };
  process.nextTick(claim);
  socket.once('connect', claim);
  socket.once('close', () => {
    if (own !== undefined) ports.closed(own);
  });
}
