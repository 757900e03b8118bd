/**
 * A FIFO that every process of a service holds open for writing, and whose reader is here: the kernel tells the
 * end of the file when, and only when, none of them is left. See test/fixtures/adversaries/README.md.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';

export function tie(path) {
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const byte = Buffer.alloc(1);
  return {
    isHeld() {
      try {
        return readSync(reader, byte, 0, 1, null) > 0;
      } catch (error) {
        if (error.code === 'EAGAIN') return true;
        throw error;
      }
    },
    close: () => closeSync(reader),
  };
}

/** The processes that hold any of these files. */
export function holdersOf(paths) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => descriptorsOf(pid).some((path) => paths.includes(path)));
}

function descriptorsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return []; // closed since
      }
    });
  } catch {
    return []; // gone, or a zombie
  }
}
