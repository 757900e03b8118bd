/**
 * Ports for tests: blocks of 200 from 10,000 on, where the kernel chooses none. proclet chooses there for `--port auto`,
 * so projects of tests that ask for it lie where it chooses others: see `launching.ts`. A block belongs to
 * the process that made its file, so that tests which run beside each other never share one.
 */
import { chmodSync, linkSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPortTaken } from '../../src/network/port-owner.js';

const directory = join(tmpdir(), 'proclet-test-ports');
const first = 10_000;
const size = 200;
const blocks = 42;

/** From here on no test claims any. */
export const firstUnclaimed = first + blocks * size;

/** The first port of a block that no living process has. */
export function claimPorts(): number {
  mkdirSync(directory, { recursive: true });
  share();
  for (let n = 0; n < 2 * blocks; n += 1) {
    const block = (process.pid + n) % blocks;
    const path = join(directory, String(block));
    if (!claim(path)) continue;
    const port = first + block * size;
    if ([port, port + 1, port + 100].every((each) => isPortTaken(each) !== true)) return port;
    unlinkOr(path); // somebody has it who claims nothing
  }
  throw new Error('every block of ports is taken');
}

/** Gives a block back whose ports nobody has any more. */
export function releasePorts(port: number): void {
  unlinkOr(join(directory, String((port - first) / size)));
}

/** Users of one machine have the same ports. */
function share(): void {
  try {
    chmodSync(directory, 0o777);
  } catch {
    // EPERM: another user made it, and did this
  }
}

function claim(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    // Its owner may be gone, and then the next round finds it free. Not reused by its own owner: tests may run at once.
    if (!isAlive(Number(readOr(path, '0')))) clear(path);
    return false;
  }
}

/** Takes a stale claim away. Whoever was faster may have put a good one there since it was looked at: that goes back. */
function clear(path: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    if (isAlive(Number(readOr(aside, '0')))) linkSync(aside, path);
  } catch {
    // ENOENT, EEXIST: somebody else saw the same
  }
  unlinkOr(aside);
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // another user's
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

function unlinkOr(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // somebody else saw the same
  }
}
