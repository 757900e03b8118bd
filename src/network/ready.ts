/**
 * Whether a service is ready: its program accepts a connection, answers a request, or has printed a line. Asks again and
 * again until it is, or until it is told to stop; how long to wait is the caller's business.
 */
import type { Millis, Output } from '../model.js';
import type { Clock } from '../ports.js';
import { attempt } from './attempt.js';
import { matchLines } from './matched-line.js';
import { readSockets } from './sockets.js';

export type Ready =
  | { readonly kind: 'tcp' }
  /** A GET is answered with a status from 200 to 399. */
  | { readonly kind: 'http'; readonly path: string }
  /** A whole line of stdout or stderr matches. */
  | { readonly kind: 'log'; readonly pattern: RegExp };

export interface ReadyOptions {
  readonly clock: Clock;
  readonly ready: Ready;
  readonly port: number;
  /** So long after its port has answered it must not have been cancelled. */
  readonly settle?: Millis;
  /** Where the service listens; absent: wherever it answers on this machine. */
  readonly host?: string;
  /** Called once, never within `probeReady`. */
  readonly onReady: (host?: string) => void;
  /** An attempt begins from this local port; answers what to call at its end (`OwnPorts.hold`). */
  readonly onAttemptPort?: (port: number) => (ended: 'connected' | 'refused') => void;
}

export interface ReadyProbe {
  /** Ends it: no socket and no timer is left, and nothing is called any more. */
  cancel(): void;
  /** The service's output; only `log` wants it. */
  observe(output: Omit<Output, 'id'>): void;
  /** What the last attempt met, for the sentence about a service that did not become ready. */
  readonly heard: string;
}

const shortest: Millis = 5;
const longest: Millis = 100;
const growth = 1.3;
/** Somebody may be waiting for a service that boots: so long it is asked again at once. */
const eager: Millis = 3_000;

/** Where else it listens is looked up this seldom: reading the tables takes 9 ms. */
const lookUp: Millis = 1_000;

export function probeReady(options: ReadyOptions): ReadyProbe {
  return options.ready.kind === 'log' ? watchOutput(options.ready.pattern, options) : connectAgain(options);
}

function watchOutput(pattern: RegExp, { onReady, clock }: ReadyOptions): ReadyProbe {
  const matches = matchLines(pattern);
  let isWatching = true;
  let cancel = () => {};
  return {
    heard: `no line matched ${pattern}`,
    observe(output) {
      if (!isWatching || !matches(output)) return;
      isWatching = false;
      // The line is shown before anything that its meaning sets off.
      cancel = clock.wakeAt(clock.now(), () => onReady());
    },
    cancel() {
      isWatching = false;
      cancel();
    },
  };
}

function connectAgain({ clock, ready, port, host, settle = 0, onReady, onAttemptPort }: ReadyOptions): ReadyProbe {
  const path = ready.kind === 'http' ? ready.path : undefined;
  let pause = shortest;
  let heard = 'nothing was tried';
  let hosts = host === undefined ? ['127.0.0.1', '::1'] : [host];
  const began = clock.now();
  let lookedUpAt = began;
  let cancel = clock.wakeAt(clock.now(), () => tryHost(0));

  function tryHost(index: number): void {
    const at = hosts[index];
    if (at === undefined) {
      rest();
      return;
    }
    cancel = attempt({
      ...{ clock, host: at, port, path, onAttemptPort },
      ended(answer) {
        // Of several addresses the one that answered at all says more than the one that did not.
        if (index === 0 || answer.isConnected) heard = answer.sentence;
        if (answer.isReady && settle === 0) onReady(at);
        else if (answer.isReady) cancel = clock.wakeAt(clock.now() + settle, () => onReady(at));
        else tryHost(index + 1);
      },
    });
  }

  function rest(): void {
    if (host === undefined && clock.now() - lookedUpAt >= lookUp) {
      hosts = [...new Set(['127.0.0.1', '::1', ...listeningAddresses(port)])];
      lookedUpAt = clock.now();
    }
    cancel = clock.wakeAt(clock.now() + pause, () => tryHost(0));
    if (clock.now() - began > eager) pause = Math.min(pause * growth, longest);
  }

  return {
    get heard() {
      return heard;
    },
    observe() {},
    cancel: () => cancel(),
  };
}

/** The addresses on which somebody listens on the port, but for those that mean all of them. */
function listeningAddresses(port: number): string[] {
  return readSockets((local, _remote, state) => state === 'listen' && local === port)
    .map(({ local }) => local.address)
    .filter((address) => address !== '0.0.0.0' && address !== '::');
}
