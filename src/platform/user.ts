/** Who a service runs as: a user's ids and home, from the system's user database. */
import { execFileSync } from 'node:child_process';
import { ProcletError } from '../errors.js';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
  /** HOME, USER and LOGNAME, as login(1) sets them. */
  readonly env: Readonly<Record<string, string>>;
}

/** Throws ProcletError when there is no such user. */
export function identityOf(user: string): Owner {
  let line: string;
  try {
    line = execFileSync('getent', ['passwd', user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch (cause) {
    throw new ProcletError('CONFIG', `there is no user '${user}' on this machine`, { cause });
  }
  // passwd(5): name:password:uid:gid:comment:home:shell
  const [name = user, , uid, gid, , home = '/'] = line.split(':');
  return { uid: Number(uid), gid: Number(gid), env: { HOME: home, USER: name, LOGNAME: name } };
}
