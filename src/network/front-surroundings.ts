import type { Address, Millis } from '../model.js';
import type { Connection } from './front-connection.js';
import type { Delay } from './front-delay.js';
import type { OwnPorts } from './front-own-ports.js';
import type { Refusal } from './front-refusal.js';
import type { Relay } from './front-relay.js';
import type { Turnstiles } from './front-turnstile.js';

/** What a connection needs of its front. */
export interface Surroundings {
  readonly relay: Relay;
  readonly ports: OwnPorts;
  readonly turnstiles: Turnstiles;
  /** What clients that wait read into: `heldWhileWaiting` bytes. */
  readonly vestibule: Buffer;
  /**
   * Between attempts to connect; for a refused client to say what it speaks; for it to hang up; for a client without
   * a service to make its next request.
   */
  readonly delays: Readonly<Record<'attempt' | 'turn' | 'speak' | 'hangUp' | 'park', Delay>>;
  /** Where clients connect to, if services are to be told about them. */
  readonly tell: Address | undefined;
  readonly now: () => Millis;
  /** One more waits for `target`. */
  waits(): void;
  /** Whether every request is to ask for its target. */
  readonly asksAgain: () => boolean;
  /** Somebody uses a service on a connection that cannot ask again. */
  used(): void;
  readonly target: (current?: Address) => Address | Promise<Address>;
  readonly refusal: (error: unknown) => Refusal;
  /** Something happened that counts as an access. */
  readonly accessed: () => void;
  /** Its client is not read any more, so that its going would not be noticed. */
  readonly held: () => void;
  /** The connection does not wait any more. */
  settled(): void;
  left(connection: Connection): void;
}
