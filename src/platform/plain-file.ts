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

/** How long a pipe in the file system is waited for: until somebody writes into it, and between two pieces. In pauses. */
const pause = 10;
const mostWithoutWriter = 25;
const mostSilent = 500;

/** A descriptor of the caller's own, as of `<(…)`: there is a writer, or it has written everything. */
const held = /^\/(?:dev\/(?:stdin$|fd\/)|proc\/[^/]+\/fd\/)/;

/**
 * The text of a file of a project, which may be a pipe that somebody writes into. What a person has opened for it
 * (`<(…)`) is waited for as long as that takes. A device that never ends is left after 16 MB; /dev/null is empty.
 * @throws Error with `code`: the system's, ENOTPLAIN for a socket or a device, EUNWRITTEN for a pipe that nobody writes into, or EFBIG
 */
export function readGiven(path: string): string {
  const found = statSync(path);
  const isHeld = held.test(path);
  if (isNull(found)) return '';
  if (!isHeld && !found.isFIFO()) assertPlain(found, path, Infinity);
  const fd = openSync(path, O_RDONLY | O_NOCTTY | (isHeld ? 0 : O_NONBLOCK));
  try {
    return readToEnd(fd, path, found.isFIFO() && !isHeld);
  } finally {
    closeSync(fd);
  }
}

function readToEnd(fd: number, path: string, isPipe: boolean): string {
  const pieces: Buffer[] = [];
  let [length, silent, alone] = [0, 0, 0];
  for (;;) {
    const piece = Buffer.allocUnsafe(64 * 1024);
    const read = readNow(fd, piece);
    if (read === 0 && (length > 0 || !isPipe)) return Buffer.concat(pieces, length).toString('utf8');
    if (read === 0 || read === undefined) {
      if (read === 0) alone += 1;
      else silent += 1;
      if (isPipe && (alone > mostWithoutWriter || silent > mostSilent)) throw refused('EUNWRITTEN', path);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause);
      continue;
    }
    silent = 0;
    pieces.push(piece.subarray(0, read));
    length += read;
    if (length > 16 * longestText) throw refused('EFBIG', path);
  }
}

/** Undefined while somebody has the pipe open and writes nothing. */
function readNow(fd: number, piece: Buffer): number | undefined {
  try {
    return readSync(fd, piece);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    return undefined;
  }
}

/** Whether it is /dev/null, with which people say that a file has nothing in it. */
function isNull(found: Stats): boolean {
  return found.isCharacterDevice() && found.rdev === statSync('/dev/null', { throwIfNoEntry: false })?.rdev;
}

/** Whether there is nothing to be read from it. Throws the system's error. */
export function isEmptyDevice(path: string): boolean {
  return isNull(statSync(path));
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
  EUNWRITTEN: 'is a pipe that nobody writes into',
};

function refused(code: keyof typeof reasons, path: string): Error {
  return Object.assign(new Error(`${path} ${reasons[code]}`), { code });
}
