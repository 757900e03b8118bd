/** Public addresses as people write them. */
import type { Address } from './model.js';

/** `8080` and `:8080` are on the loopback; `host:port`, `[::1]:8080`; anything with a `/` is a Unix socket. */
export function parseAddress(text: string): Address | undefined {
  if (text.includes('/')) return { path: text };
  const [, host = '', digits = ''] = /^(?:(.*):)?(\d+)$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === '' || port < 1 || port > 65_535 || /\s/.test(host)) return undefined;
  const bare = /^\[(.*)\]$/.exec(host)?.[1] ?? host;
  if (bare.includes(':') && bare === host) return undefined;
  return { host: bare === '' ? '127.0.0.1' : bare, port };
}

/** The most bytes that the name of a Unix socket has, without its last NUL: unix(7), and sys/un.h of the BSDs. */
const longestPath = process.platform === 'linux' ? 107 : 103;

/** Why no socket can have this name: what is too long would be cut, and the socket be somewhere else. */
export function socketPathTrouble(path: string): string | undefined {
  const length = Buffer.byteLength(path);
  if (length <= longestPath) return undefined;
  return `the path of a socket has at most ${longestPath} bytes, and ${path} has ${length}`;
}

/** Whether one of them could not be had while the other is held. */
export function isSamePlace(one: Address, other: Address): boolean {
  if ('path' in one || 'path' in other) return 'path' in one && 'path' in other && one.path === other.path;
  return one.port === other.port;
}
