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
