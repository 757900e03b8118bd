/** The way of one client into a service: through the turnstile, and to a connection. */
import type { OnReadOpts, Socket } from 'node:net';
import type { Address } from '../model.js';
import type { Surroundings } from './front-surroundings.js';
import { approach } from './front-upstream.js';

export interface Entrant {
  readonly address: Address;
  readonly client: Socket;
  readonly onread: OnReadOpts;
  connected(upstream: Socket): void;
  failed(error: unknown): void;
  /** The client is gone. */
  gone(): void;
}

export interface Admission {
  /** The service has answered, or need not: somebody else may go to it. */
  leave(): void;
  /** Gives up, without a word. */
  cancel(): void;
}

/** Calls `connected`, `failed` or `gone`, once, unless it is cancelled before. */
export function admit({ relay, ports, delays, turnstiles }: Surroundings, entrant: Entrant): Admission {
  const { address, client, onread } = entrant;
  let giveUp = () => {};
  const leave = turnstiles.enter('path' in address ? address.path : `${address.host} ${address.port}`, () => {
    // A crowd of clients that have gone already would fill the queue of the service before those who are there.
    if (relay.isBroken(client)) {
      entrant.gone();
      return;
    }
    try {
      const heard = { connected: entrant.connected, failed: entrant.failed };
      giveUp = approach({ address, delay: delays.attempt, ports, onread, ...heard });
    } catch (error) {
      entrant.failed(error); // not an address
    }
  });
  return {
    leave,
    cancel() {
      leave();
      giveUp();
    },
  };
}
