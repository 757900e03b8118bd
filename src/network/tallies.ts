/**
 * What open connections have carried, as `ss` of iproute2 prints it: Linux counts bytes per connection and knows
 * when one moved last, but tells only over netlink, which Node cannot speak.
 */
import { execFileSync } from 'node:child_process';
import type { Millis } from '../model.js';
import { keyOf } from './accesses.js';

export interface Tally {
  /** Both ways. */
  readonly bytes: number;
  /** Since a byte moved; since it was opened, if none did. */
  readonly quietFor: Millis;
  /** Whether the last to speak was the client: it waits for an answer. */
  readonly owes: boolean;
}

/** More ports than this are not put into the question; the answer is then longer. */
const mostPorts = 50;

/**
 * The open connections to these local ports, by `keyOf`. `undefined` when it cannot be known: there is no `ss`, or
 * it may not ask. Takes 10 ms, and 70 on a machine with much to do: only for the moment when it decides something.
 */
export function readTallies(ports: readonly number[]): Map<string, Tally> | undefined {
  const which = ports.flatMap((port, at) => [at === 0 ? '(' : 'or', 'sport', '=', `:${port}`]);
  const filter = ports.length > mostPorts ? [] : [...which, ')'];
  try {
    const states = ['state', 'established', 'state', 'close-wait'];
    const text = execFileSync('ss', ['-tniH', ...states, ...filter], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 2_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    return parseTallies(text);
  } catch {
    return undefined; // ENOENT: not installed; anything else: it cannot tell either
  }
}

const row = /^\S.*?\s(\S+):(\d+)\s+(\S+):(\d+)\s*$/;

/** A line per connection, and a line of `name:value` words behind it that starts with a blank. Absent means 0. */
export function parseTallies(text: string): Map<string, Tally> {
  const tallies = new Map<string, Tally>();
  let key: string | undefined;
  for (const line of text.split('\n')) {
    const [, , port, address, clientPort] = row.exec(line) ?? [];
    if (address !== undefined) key = keyOf(Number(port), plain(address), Number(clientPort));
    else if (key !== undefined && /^\s+\S/.test(line)) tallies.set(key, tallyIn(line));
  }
  return tallies;
}

/** `[::ffff:127.0.0.1]` and `[fe80::1]%eth0` without what is only writing. */
function plain(address: string): string {
  return address.replace(/%[^\]]*/, '').replace(/^\[(?:::ffff:(?=\d+\.))?(.*)\]$/, '$1');
}

function tallyIn(line: string): Tally {
  const value = (name: string) => Number(new RegExp(`\\s${name}:(\\d+)`).exec(line)?.[1] ?? 0);
  const [sent, received] = [value('bytes_sent') || value('bytes_acked'), value('bytes_received')];
  const [sentAgo, receivedAgo] = [value('lastsnd'), value('lastrcv')];
  return {
    bytes: sent + received,
    quietFor: Math.min(sentAgo, receivedAgo),
    owes: received > 0 && (sent === 0 || receivedAgo < sentAgo),
  };
}
