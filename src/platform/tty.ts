/** The terminal that proclet was started in. */
import { spawnSync } from 'node:child_process';
import { isatty } from 'node:tty';
import type { Millis } from '../model.js';
import type { Clock } from '../ports.js';
import { toolEnv } from '../tools.js';
import { standing } from './job-control.js';

/** How often a job in the background looks whether it has come to the front: not every shell tells it by SIGCONT. */
const lookEvery: Millis = 500;

/** How long stty may take, with a terminal that hangs. */
const patience: Millis = 1_000;

/**
 * Remembers the modes of the terminal on proclet's streams and returns what puts them back: a full-screen
 * program that is killed leaves the terminal raw and without echo. Undefined when there is no terminal.
 */
export function keepTerminal(): (() => void) | undefined {
  if (![0, 1, 2].some(isatty)) return undefined;
  const modes = isatty(0) ? stty('-g')?.trim() : undefined;
  return () => {
    if (modes && isInFront()) setModes(modes);
  };
}

/**
 * Hears keys one by one, with Ctrl-C and Ctrl-Z still being signals, and returns what puts the terminal back. Undefined
 * when proclet has no terminal. Nothing is heard while it is in the background.
 */
export function hearKeys(clock: Clock, heard: (key: string) => void): (() => void) | undefined {
  const { stdin } = process;
  // Another session's terminal is not ours to read.
  if (!stdin.isTTY || !process.stdout.isTTY || standing() === 'none') return undefined;
  let restore: (() => void) | undefined;
  stdin.on('error', () => {}); // the terminal was closed
  const onData = (chunk: Buffer) => {
    for (const key of chunk.toString('utf8')) heard(key);
  };
  return whileInFront(clock, {
    enter() {
      restore ??= keepTerminal();
      setModes('-icanon', '-echo', 'min', '1');
      stdin.on('data', onData).resume().unref();
    },
    leave() {
      stdin.off('data', onData).pause();
      // Not every shell puts its terminal right when a job stops.
      restore?.();
    },
  });
}

/**
 * Calls `enter` when proclet is in front of its terminal, at once if it is, and `leave` before it is not any more. The
 * returned function ends that, and leaves.
 */
export function whileInFront(clock: Clock, acts: { enter(): void; leave(): void }): () => void {
  let isIn = false;
  let cancel = () => {};
  const look = () => {
    cancel();
    if (!isInFront()) return leave();
    if (!isIn) acts.enter();
    isIn = true;
  };
  const watch = () => {
    cancel = clock.wakeAt(clock.now() + lookEvery, look);
  };
  const leave = () => {
    if (isIn) acts.leave();
    isIn = false;
    watch();
  };
  // Stopped by the signal's own action, which the kernel leaves out where nobody could wake us again.
  const onStop = () => {
    leave();
    process.off('SIGTSTP', onStop);
    process.kill(process.pid, 'SIGTSTP');
    process.on('SIGTSTP', onStop);
    look();
  };
  process.on('SIGTSTP', onStop).on('SIGCONT', look);
  look();
  return () => {
    process.off('SIGTSTP', onStop).off('SIGCONT', look);
    leave();
    cancel();
  };
}

function isInFront(): boolean {
  return standing() !== 'background';
}

/**
 * At once, where stty can: by default it waits until nobody writes, and while a writer is blocked (Ctrl-S, a window that
 * hangs) the kernel lets it spin, and no signal ends it.
 */
function setModes(...modes: string[]): void {
  if (stty('-drain', ...modes) === undefined) stty(...modes);
}

/** What it printed; undefined when it failed. */
function stty(...words: string[]): string | undefined {
  const { status, stdout } = spawnSync('stty', words, {
    stdio: ['inherit', 'pipe', 'ignore'],
    timeout: patience,
    env: toolEnv(),
    encoding: 'utf8',
  });
  return status === 0 ? stdout : undefined;
}
