/**
 * The machine's TCP sockets, as Linux shows them in /proc: every row of /proc/net/tcp and tcp6, which of them a
 * process holds, and how many connections were ever accepted. Only reads; elsewhere than on Linux there is nothing
 * to read, and every answer is empty.
 *
 * Reading the two tables costs about 9 ms of CPU even when they are empty, because the kernel walks its whole hash
 * table: ask seldom. `wanted` is applied before a row is decoded; a busy machine has tens of thousands of them.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { endianness } from 'node:os';
import type { Millis } from '../model.js';

/** In the kernel's order, from 1 on. */
const states = [
  'established',
  'syn-sent',
  'syn-received',
  'fin-wait-1',
  'fin-wait-2',
  'time-wait',
  'closed',
  'close-wait',
  'last-ack',
  'listen',
  'closing',
  'new-syn-received',
] as const;

export type TcpState = (typeof states)[number];

export interface Endpoint {
  /** As `inet_ntop` writes it; an IPv4 address mapped into IPv6 is written as the IPv4 address. */
  readonly address: string;
  readonly port: number;
}

export interface SocketRow {
  readonly family: 4 | 6;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly state: TcpState;
  /** The user who made it; root for one that no process holds. */
  readonly uid: number;
  /** '0' for a connection that no process holds: not accepted yet, or closed by its owner. */
  readonly inode: string;
  /** For a closed connection that the kernel still remembers: how long it will. */
  readonly forgottenIn?: Millis;
  /** Bytes written that the other side has not acknowledged. A closing connection counts one more. */
  readonly unsent: number;
  /** Bytes received that the program has not read. For `listen`: connections that it has not accepted. */
  readonly unread: number;
}

/** Which rows are worth decoding, by their ports. */
export type Wanted = (localPort: number, remotePort: number, state: TcpState) => boolean;

export function readSockets(wanted?: Wanted): SocketRow[] {
  try {
    return parseSockets(readTables(), wanted);
  } catch {
    return []; // EMFILE: whoever asks for the owner of a port, or for an address, does without
  }
}

/**
 * Both tables as the kernel prints them, for whoever wants to parse one reading more than once.
 * @throws Error where they are there and cannot be read: that is not to be taken for a machine without connections
 */
export function readTables(): string {
  return read('/proc/net/tcp') + read('/proc/net/tcp6');
}

/** proc(5): `sl: local rem st tx:rx tr:when retrnsmt uid timeout inode …`, all but the last three hexadecimal. */
export function parseSockets(text: string, wanted: Wanted = () => true): SocketRow[] {
  const rows: SocketRow[] = [];
  let end = 0;
  // What follows the last newline is not a row.
  for (let start = 0; end >= 0; start = end + 1) {
    end = text.indexOf('\n', start);
    const row = end < 0 ? undefined : rowIn(text, start, end, wanted);
    if (row) rows.push(row);
  }
  return rows;
}

/** The timer of a closed connection that is only remembered. */
const timeWaitTimer = 3;

function rowIn(text: string, start: number, end: number, wanted: Wanted): SocketRow | undefined {
  // The line that names the columns has no colon before the addresses: this finds one of a later line, or none.
  const local = text.indexOf(': ', start) + 2;
  const colon = text.indexOf(':', local);
  const digits = colon - local;
  if (local < 2 || colon < 0 || colon > end || (digits !== 8 && digits !== 32)) return undefined;
  const remote = colon + 6;
  const localPort = hex(text, colon + 1, 4);
  const remotePort = hex(text, remote + digits + 1, 4);
  const state = states[hex(text, remote + digits + 6, 2) - 1];
  if (state === undefined || !wanted(localPort, remotePort, state)) return undefined;
  // From here on everything up to the user's number has its place: `tx:rx tr:when retrnsmt   uid  timeout inode`.
  const queues = remote + digits + 9;
  const isForgotten = hex(text, queues + 18, 2) === timeWaitTimer;
  const [uid = '0', , inode = '0'] = text
    .slice(queues + 39, end)
    .trim()
    .split(/ +/, 3);
  return {
    family: digits === 8 ? 4 : 6,
    local: { address: addressOf(text.slice(local, colon)), port: localPort },
    remote: { address: addressOf(text.slice(remote, remote + digits)), port: remotePort },
    state,
    uid: Number(uid),
    inode: isForgotten ? '0' : inode,
    // In hundredths of a second on every architecture that Node runs on.
    ...(isForgotten && { forgottenIn: hex(text, queues + 21, 8) * 10 }),
    unsent: hex(text, queues, 8),
    unread: hex(text, queues + 9, 8),
  };
}

/** `parseInt` of a part, without making it a string of its own: this is most of the work. */
function hex(text: string, start: number, length: number): number {
  let value = 0;
  for (let at = start; at < start + length; at += 1) {
    const code = text.charCodeAt(at);
    // '0' to '9' are 48 to 57, 'A' to 'F' 65 to 70.
    value = value * 16 + (code <= 57 ? code - 48 : code - 55);
  }
  return value;
}

const addresses = new Map<string, string>();
const mostAddresses = 1_000;

/** The address behind the kernel's hexadecimal: 32-bit words in network order, each printed as a native number. */
function addressOf(digits: string): string {
  const known = addresses.get(digits);
  if (known !== undefined) return known;
  const words = digits.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => {
    const four = [0, 2, 4, 6].map((at) => hex(word, at, 2));
    return endianness() === 'LE' ? four.reverse() : four;
  });
  const address = bytes.length === 4 ? bytes.join('.') : addressOfIPv6(bytes);
  if (addresses.size >= mostAddresses) addresses.clear();
  addresses.set(digits, address);
  return address;
}

function addressOfIPv6(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, at) => (bytes[2 * at] ?? 0) * 256 + (bytes[2 * at + 1] ?? 0));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return bytes.slice(12).join('.');
  const text = groups.map((group) => group.toString(16)).join(':');
  // The longest run of zeros, the first of equals, and only if there are two.
  const [run] = (text.match(/\b0(?::0)+\b/g) ?? []).sort((a, b) => b.length - a.length);
  if (run === undefined) return text;
  const at = text.search(new RegExp(`\\b${run}\\b`));
  const [before, after] = [text.slice(0, at), text.slice(at + run.length)];
  return `${before.replace(/:$/, '')}::${after.replace(/^:/, '')}`;
}

/**
 * Which of these sockets the processes hold, as far as we may look (other users' only as root).
 * @throws Error where that cannot be read, although we may
 */
export function heldBy(pids: readonly number[], inodes: ReadonlySet<string>): Set<string> {
  const held = new Set<string>();
  for (const pid of pids) {
    for (const inode of inodesOf(pid)) {
      if (inodes.has(inode)) held.add(inode);
    }
    if (held.size === inodes.size) break;
  }
  return held;
}

function inodesOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return []; // closed since
      }
    });
  } catch (error) {
    if (!isAbsent(error)) throw error;
    return []; // EACCES: another user's; ENOENT: gone
  }
}

/** How many connections this machine has accepted since it started; undefined where that is not told. Costs 0.06 ms. */
export function readAccepted(): number | undefined {
  try {
    return parseAccepted(read('/proc/net/snmp'));
  } catch {
    return undefined;
  }
}

export function parseAccepted(text: string): number | undefined {
  const [names, values] = text.split('\n').flatMap((line) => (line.startsWith('Tcp: ') ? [line.split(' ')] : []));
  const at = names?.indexOf('PassiveOpens') ?? -1;
  return at < 0 ? undefined : Number(values?.[at]);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (!isAbsent(error)) throw error;
    return ''; // ENOENT: not Linux, or gone
  }
}

function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ESRCH', 'ENOTDIR', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
}
