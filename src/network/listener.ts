/**
 * Sockets that listen, that this process holds without accepting from them, and that services inherit: so they
 * outlive every generation, and who connects while none is up waits in the kernel.
 *
 * Node has no call for that. What it binds by itself does not accept before `listen`, and whether a socket listens is
 * a property of the socket, not of a descriptor: so a short-lived child is handed the bound sockets and makes them
 * listen. They block, as a plain accept(2) expects; who wants them otherwise says so to the kernel.
 * The protocol of Server::Starter: https://metacpan.org/pod/Server::Starter; of systemd: sd_listen_fds(3).
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import net from 'node:net';
import type { Address, SocketAddress } from '../model.js';
import type { SharedSocket } from './share-socket.js';
import { bindFor, type Ids } from './socket-file.js';

/** One socket, from `openListeners` until it is closed or given away. */
export interface Listener {
  readonly address: Address;
  readonly fd: number;
  /** The address as `SERVER_STARTER_PORT` names it. */
  readonly name: string;
  /** For `openFront`: the front then owns it and closes it. */
  readonly handle: object;
  close(): void;
}

interface Handle {
  readonly fd: number;
  getsockname?(out: { port?: number }): number;
  setBlocking?(on: boolean): number;
  close(): void;
}

type CreateHandle = (host: string, port: number, family: 4 | 6 | -1, fd: number, flags: number) => Handle | number;

const backlog = 1024;

const script = `for (let fd = 3; fd < 3 + N; fd += 1)
  require('net').createServer().on('error', (e) => { console.error(e.code); throw e })
    .listen({ fd, backlog: ${backlog} }).unref()`;

/** Whether this Node can. */
export function canListenForOthers(): boolean {
  return process.platform !== 'win32' && typeof internals().create === 'function';
}

/**
 * Binds all or none.
 * @param ids whose the Unix sockets are to be, address by address
 * @throws Error with `code` EADDRINUSE, EACCES ... and `address`
 */
export function openListeners(
  addresses: readonly Address[],
  ids: readonly (Ids | undefined)[] = [],
): readonly Listener[] {
  const bound: Listener[] = [];
  try {
    for (const [index, address] of addresses.entries()) bound.push(bind(address, ids[index]));
    listenAll(bound);
    return bound;
  } catch (error) {
    for (const listener of bound) listener.close();
    throw error;
  }
}

/** One that listens already, and of which this is another handle. */
export function adoptListener(address: Address, handle: SharedSocket): Listener {
  handle.setBlocking?.(true);
  const close = () => {
    handle.close();
    // libuv removes the names of those alone that it has bound.
    if ('path' in address) rmSync(address.path, { force: true });
  };
  return { address, fd: handle.fd, name: starterName(address), handle, close };
}

/** `127.0.0.1:8080`, `[::1]:8080`, `/tmp/app.sock`. */
function starterName(address: Address): string {
  if ('path' in address) return address.path;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

function bind(address: Address, ids: Ids | undefined): Listener {
  const create = internals().create;
  if (create === undefined) throw failure('ENOTSUP', address);
  const made = 'path' in address ? bindPath(create, address, ids) : bindPort(create, address);
  if (typeof made === 'number') throw failure(errorName(made), address);
  // A port that is taken is told by `listen`, which is not called here; until then there is just no name.
  if ('port' in address) {
    const name: { port?: number } = {};
    made.getsockname?.(name);
    if (name.port !== address.port) {
      made.close();
      throw failure('EADDRINUSE', address);
    }
  }
  return { address, fd: made.fd, name: starterName(address), handle: made, close: () => made.close() };
}

function bindPath(create: CreateHandle, address: SocketAddress, ids: Ids | undefined): Handle | number {
  let made: Handle | number = 0;
  try {
    return bindFor(address, ids, () => {
      made = create(address.path, -1, -1, -1, 0);
      if (typeof made === 'number') throw failure(errorName(made), address);
      return made;
    });
  } catch (error) {
    if (typeof made !== 'number') (made as Handle).close();
    throw error;
  }
}

function bindPort(create: CreateHandle, { host, port }: Extract<Address, { port: number }>): Handle | number {
  const numeric = host === 'localhost' ? '127.0.0.1' : host === '*' ? '0.0.0.0' : host;
  const family = net.isIP(numeric);
  if (family === 0) throw failure('ENOTFOUND', { host, port });
  return create(numeric, port, family as 4 | 6, -1, 0);
}

function listenAll(listeners: readonly Listener[]): void {
  const run = spawnSync(process.execPath, ['-e', `const N = ${listeners.length}; ${script}`], {
    stdio: ['ignore', 'ignore', 'pipe', ...listeners.map(({ fd }) => fd)],
    env: {},
    encoding: 'utf8',
  });
  if (run.error !== undefined) throw run.error;
  if (run.status !== 0) throw failure(run.stderr.split('\n')[0] || 'EIO', listeners[0]?.address ?? { path: '' });
  for (const { handle } of listeners) (handle as Handle).setBlocking?.(true);
}

function internals(): { readonly create?: CreateHandle } {
  const { _createServerHandle: create } = net as unknown as { _createServerHandle?: CreateHandle };
  return create === undefined ? {} : { create };
}

function errorName(number: number): string {
  const names: Record<number, string> = {
    [-98]: 'EADDRINUSE',
    [-13]: 'EACCES',
    [-99]: 'EADDRNOTAVAIL',
    [-2]: 'ENOENT',
  };
  return names[number] ?? `error ${number}`;
}

function failure(code: string, address: Address): Error {
  const place = 'path' in address ? address.path : `${address.host}:${address.port}`;
  return Object.assign(new Error(`${code} ${place}`), { code, address });
}
