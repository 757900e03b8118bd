/** Whether somebody has a file open. */
import { readdirSync, readlinkSync, realpathSync } from 'node:fs';

/** Of those processes that this user may look at. Where that cannot be known, somebody has. */
export function isOpenSomewhere(path: string): boolean {
  let file: string;
  let pids: string[];
  try {
    file = realpathSync(path);
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return true; // ENOENT: not Linux, or the file is gone
  }
  return pids.some((pid) => descriptorsOf(pid).some((fd) => targetOf(`/proc/${pid}/fd/${fd}`) === file));
}

function descriptorsOf(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`);
  } catch {
    return []; // ENOENT: gone; EACCES: another user's
  }
}

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined; // ENOENT: closed since
  }
}
