/**
 * What open connections have carried, as `ss` of iproute2 prints it: Linux counts bytes per connection and knows
 * when one moved last, but tells only over netlink, which Node cannot speak.
 */
import { execFileSync } from 'node:child_process';
import type { Millis } from '../model.js';
import { toolEnv } from '../tools.js';
import { keyOf } from './accesses.js';
import type { Endpoint } from './sockets.js';

export interface Tally {
  /** The service's. */
  readonly port: number;
  readonly client: Endpoint;
  /** Both ways. */
  readonly bytes: number;
  /** Since a byte moved; since it was opened, if none did. */
  readonly quietFor: Millis;
  /** Whether the last to speak was the client: it waits for an answer. */
  readonly owes: boolean;
}

/** More ports than this are not put into a question; the answer is then longer. */
const mostPorts = 50;

/**
 * The open connections to these local ports, by `keyOf`. `undefined` when it cannot be known: there is no `ss`, or
 * it may not ask. Takes 10 ms, and 70 on a machine with much to do: only for the moment when it decides something.
 */
export function readTallies(ports: readonly number[]): Map<string, Tally> | undefined {
  try {
    const states = ['state', 'established', 'state', 'close-wait'];
    const text = execFileSync('ss', ['-tniH', ...states, ...portFilter(ports)], {
      encoding: 'utf8',
      env: toolEnv(),
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 2_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    return parseTallies(text);
  } catch {
    return undefined; // ENOENT: not installed; anything else: it cannot tell either
  }
}

/** The expression of `ss` for connections to any of these ports. */
export function portFilter(ports: readonly number[]): string[] {
  if (ports.length > mostPorts) return [];
  return [...ports.flatMap((port, at) => [at === 0 ? '(' : 'or', 'sport', '=', `:${port}`]), ')'];
}

/** State, both queues, both ends, and what is known of it, if that is not on the next line. */
const row = /^\S+\s+\d+\s+\d+\s+(\S+):(\d+)\s+(\S+):(\d+)(.*)$/;

/** A line per connection with `name:value` words behind it, or on a line of their own that starts with a blank. */
export function parseTallies(text: string): Map<string, Tally> {
  const tallies = new Map<string, Tally>();
  let ends: Pick<Tally, 'port' | 'client'> | undefined;
  for (const line of text.split('\n')) {
    const [, , port, address, clientPort, more] = row.exec(line) ?? [];
    if (address !== undefined)
      ends = { port: Number(port), client: { address: plain(address), port: Number(clientPort) } };
    const words = more ?? line;
    if (ends === undefined || !/^\s+\S/.test(words)) continue;
    tallies.set(keyOf(ends.port, ends.client), { ...ends, ...wordsIn(words) });
    ends = undefined;
  }
  return tallies;
}

/** `[::ffff:127.0.0.1]` and `[fe80::1]%eth0` without what is only writing. */
function plain(address: string): string {
  return address.replace(/%[^\]]*/, '').replace(/^\[(?:::ffff:(?=\d+\.))?(.*)\]$/, '$1');
}

/** Absent means 0. */
function wordsIn(words: string): Omit<Tally, 'port' | 'client'> {
  const value = (name: string) => Number(new RegExp(`\\s${name}:(\\d+)`).exec(words)?.[1] ?? 0);
  const [sent, received] = [value('bytes_sent') || value('bytes_acked'), value('bytes_received')];
  const [sentAgo, receivedAgo] = [value('lastsnd'), value('lastrcv')];
  return {
    bytes: sent + received,
    quietFor: Math.min(sentAgo, receivedAgo),
    owes: received > 0 && (sent === 0 || receivedAgo < sentAgo),
  };
}
