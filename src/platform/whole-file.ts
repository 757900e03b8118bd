/** Files that appear whole or not at all: written as a draft beside their place, then put there. */
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { draftSuffix } from './maker.js';

export interface Options {
  /** Of a file that is new; one that is there keeps its own. */
  readonly mode?: number;
  /** Whether it outlives a loss of power, for the time that this takes. */
  readonly isDurable?: boolean;
}

/** Replaces a file, or what a link names; one that was there keeps its mode and owner. Throws for a device, a pipe or a socket. */
export function writeWhole(path: string, text: string, { mode = 0o666, isDurable = false }: Options = {}): void {
  const place = realPath(path);
  const before = statSync(place, { throwIfNoEntry: false });
  if (before !== undefined && !before.isFile()) throw new Error(`${path} is not a plain file`);
  const draft = writeDraft(place, text, before?.mode ?? mode);
  try {
    if (isDurable) sync(draft);
    if (before !== undefined) keepOwner(draft, before);
    renameSync(draft, place);
  } catch (error) {
    removeIfThere(draft);
    throw error;
  }
}

/** Writes what is to become `path` and returns where it is; leaves nothing when it fails, as on a full disk. */
export function writeDraft(path: string, text: string, mode: number): string {
  const draft = path + draftSuffix();
  try {
    removeIfThere(draft);
    // Made here and nowhere else: a link of that name leads nobody's file into this.
    writeFileSync(draft, text, { mode, flag: 'wx' });
    return draft;
  } catch (error) {
    removeIfThere(draft);
    throw error;
  }
}

export function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function sync(path: string): void {
  const fd = openSync(path, 'r+');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // ENOENT: it is new
  }
}

function keepOwner(draft: string, { mode, uid, gid }: { mode: number; uid: number; gid: number }): void {
  try {
    chownSync(draft, uid, gid);
    chmodSync(draft, mode); // the umask took bits of it, and a new owner some more
  } catch {
    // EPERM: only root gives files away
  }
}
