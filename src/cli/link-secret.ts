/** The secret behind the keys in the launcher's links. It is in a file of the user's, so bookmarks outlive a launcher. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ProcletError } from '../errors.js';
import { ownPlaces } from '../platform/home.js';
import { changeShared, readShared } from '../platform/shared-file.js';
import type { Clock } from '../ports.js';

const length = 32;

/** Another one for each launcher where none can be kept. */
export async function linkSecret(clock: Clock): Promise<string> {
  const fresh = randomBytes(length).toString('base64url');
  let secret = fresh;
  const keep = (text: string | undefined) => {
    secret = text !== undefined && text.length >= length ? text : fresh;
    return secret;
  };
  try {
    const path = join(ownPlaces().state, 'launcher', 'link-secret');
    const found = readShared(path);
    if (found === undefined || keep(found) === fresh) await changeShared(path, clock, keep);
  } catch (error) {
    if (!(error instanceof ProcletError)) throw error;
  }
  return secret;
}
