/**
 * How the process ends. Node puts its terminals back at its end: of one that was closed meanwhile that fails, and Node
 * aborts instead of ending with its status; one that another job has in front by now would get modes that are not that
 * job's. And Node waits for all its threads, one that waits for a disk that hangs too.
 */
import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';
import { standing } from './job-control.js';

let isArmed = false;
let isThreadStuck = false;

/** From now on the end of the process does not touch a terminal that is gone or another's. */
export function spareTerminalAtExit(): void {
  if (isArmed) return;
  isArmed = true;
  const terminals = [0, 1, 2].filter(isatty);
  process.on('exit', () => {
    for (const fd of terminals) if (!isatty(fd) || standing() === 'background') replace(fd);
  });
}

/** What Node finds reopened it leaves as it is. The lowest descriptor that is free is taken, which is this one. */
function replace(fd: number): void {
  try {
    closeSync(fd);
    openSync('/dev/null', 'r+');
  } catch {
    // EBADF: somebody closed it already
  }
}

/** A file operation has not come back, and its thread may never. */
export function noteStuckThread(): void {
  isThreadStuck = true;
}

/** Ends the process with a status; by a signal where a thread hangs and Node knows no other way. */
export function exitWith(status: number): never {
  if (isThreadStuck) {
    const { execve } = process as { execve?: (file: string, argv: string[], env: NodeJS.ProcessEnv) => void };
    execve?.('/bin/sh', ['sh', '-c', `exit ${status}`], {});
    process.kill(process.pid, 'SIGKILL');
  }
  process.exit(status);
}
