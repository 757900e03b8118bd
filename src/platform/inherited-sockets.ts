/** Listening sockets that a service inherits, and how it is told of them. */
import type { Env } from '../model.js';

/** A listening socket of ours, and its address as `SERVER_STARTER_PORT` names it. */
export interface Inherited {
  readonly fd: number;
  readonly name: string;
}

/** In the words of Server::Starter and of systemd. `LISTEN_PID` is for the shell to say, which knows its own. */
export function inheritance(sockets: readonly Inherited[], tag: string, generation: number): Env {
  const none = { LISTEN_FDS: undefined, LISTEN_PID: undefined, LISTEN_FDNAMES: undefined };
  if (sockets.length === 0) return { ...none, SERVER_STARTER_PORT: undefined, SERVER_STARTER_GENERATION: undefined };
  return {
    SERVER_STARTER_PORT: sockets.map(({ name }, index) => `${name}=${3 + index}`).join(';'),
    SERVER_STARTER_GENERATION: String(generation),
    LISTEN_FDS: String(sockets.length),
    LISTEN_FDNAMES: sockets.map(() => tag).join(':'),
    LISTEN_PID: undefined,
  };
}
