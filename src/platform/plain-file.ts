/**
 * Reading files that others may have put there: only what is a plain file, and not more of it than is of use. A FIFO
 * would hold up the whole program until somebody writes into it, a device for ever.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync, type Stats, statSync } from 'node:fs';

/** The largest file that people write by hand. */
export const longestText = 1024 * 1024;

const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = constants;

/**
 * Its text.
 * @throws Error with `code`: the system's, ENOTPLAIN for a pipe, a socket or a device, EFBIG for more than `most` bytes
 */
export function readPlain(path: string, most = longestText, encoding: BufferEncoding = 'utf8'): string {
  // Whoever has opened a FIFO to write into it would write for us.
  assertPlain(statSync(path), path, most);
  // It may be another file by now: a FIFO opens at once in this way.
  const fd = openSync(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  try {
    assertPlain(fstatSync(fd), path, most);
    return readFileSync(fd, encoding);
  } finally {
    closeSync(fd);
  }
}

/**
 * The text of a file that a person has named, which may be a pipe: waits for what is written into it. A device that
 * never ends is left after 16 MB.
 * @throws Error with `code`: the system's, or EFBIG
 */
export function readGiven(path: string): string {
  const fd = openSync(path, O_RDONLY | O_NOCTTY);
  try {
    const pieces: Buffer[] = [];
    for (let length = 0; ; ) {
      const piece = Buffer.allocUnsafe(64 * 1024);
      const read = readSync(fd, piece);
      if (read === 0) return Buffer.concat(pieces, length).toString('utf8');
      pieces.push(piece.subarray(0, read));
      length += read;
      if (length > 16 * longestText) throw refused('EFBIG', path);
    }
  } finally {
    closeSync(fd);
  }
}

/** Whether it can be read without waiting. Throws the system's error. */
export function isPlain(path: string): boolean {
  return statSync(path).isFile();
}

function assertPlain(found: Stats, path: string, most: number): void {
  if (found.isDirectory()) throw refused('EISDIR', path);
  if (!found.isFile()) throw refused('ENOTPLAIN', path);
  if (found.size > most) throw refused('EFBIG', path);
}

const reasons = {
  EISDIR: 'is a directory, not a file',
  ENOTPLAIN: 'is not a plain file',
  EFBIG: 'is too large',
};

function refused(code: keyof typeof reasons, path: string): Error {
  return Object.assign(new Error(`${path} ${reasons[code]}`), { code });
}
