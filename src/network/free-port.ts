/**
 * Ports that nobody has: a private one for a service behind the front, and a block of them for a whole project.
 * Nothing is held: who gets a number must bind it soon, and may still find it taken.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { ProcletError } from '../errors.js';
import { isPortTaken } from './port-owner.js';

interface Range {
  readonly from: number;
  /** Not part of it. */
  readonly to: number;
}

const usual: Range = { from: 20_000, to: 32_000 };

/** Fewer than this are not worth the choice. */
const least = 1_000;

/** Where private ports are taken from: below those that the kernel gives to clients, or else above them. */
export function privateRange(kernels: string): Range {
  const [low = Number.NaN, high = Number.NaN] = kernels.trim().split(/\s+/).map(Number);
  if (!(low <= high)) return usual;
  if (low - usual.from >= least) return { from: usual.from, to: Math.min(usual.to, low) };
  // The kernel was given nearly everything: a client may then come between, and the service will say so.
  return 65_536 - (high + 1) >= least ? { from: high + 1, to: 65_536 } : usual;
}

/** Runs through the whole range once from a random start, so that two proclets rarely meet. */
interface Run extends Range {
  offset: number;
}

let run: Run | undefined;

function beginRun(): Run {
  const range = privateRange(kernelsRange());
  return { ...range, offset: Math.floor(Math.random() * (range.to - range.from)) };
}

function kernelsRange(): string {
  try {
    return readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  } catch {
    return ''; // ENOENT: not Linux
  }
}

/** A port that nobody listens on. The same one is not given twice in a process before all others were. */
export function reservePort(isTaken: (port: number) => boolean | undefined = isPortTaken): number {
  run ??= beginRun();
  const size = run.to - run.from;
  for (let tries = 0; tries < size; tries += 1) {
    const port = run.from + run.offset;
    run.offset = (run.offset + 1) % size;
    if (isTaken(port) !== true) return port;
  }
  throw new ProcletError('OS', `no port between ${run.from} and ${run.to - 1} is free`);
}

const blocks: Range & { readonly size: number } = { from: 10_000, to: 20_000, size: 100 };

/** Bases lie so far apart: services have 100 ports each, but most have one instance, and two projects rarely meet. */
const apart = 10;

/** A project's own base port: the same for a directory as long as its real path is. */
export function stableBase(root: string): number {
  return baseOf(realpathSync(root));
}

/** The base port of a directory with this real path. Paths that differ in one letter are as far apart as any others. */
export function baseOf(path: string): number {
  const count = (blocks.to - blocks.from) / apart;
  return blocks.from + (hashOf(path) % count) * apart;
}

/** The first free block from `base` on, around the end of the range to its start. */
export function nextFreeBlock(base: number, isFree: (base: number) => boolean): number {
  const span = blocks.to - blocks.from;
  for (let offset = 0; offset < span; offset += blocks.size) {
    const candidate = blocks.from + ((base - blocks.from + offset) % span);
    if (isFree(candidate)) return candidate;
  }
  throw new ProcletError('OS', `no ${blocks.size} ports between ${blocks.from} and ${blocks.to - 1} are free`, {
    hint: 'Give a base with --port',
  });
}

/**
 * FNV-1a, 32 bits, then MurmurHash3's finalizer: FNV alone mixes the last letters hardly at all, and a remainder
 * takes nothing but those from it, so that the neighbours of a folder would share bases.
 */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
