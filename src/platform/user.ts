/** Who services run as: users' ids and homes, from the system's user database. */
import { execa } from 'execa';
import { ProcletError } from '../errors.js';
import { toolEnv } from '../tools.js';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
  /** HOME, USER and LOGNAME, as login(1) sets them. */
  readonly env: Readonly<Record<string, string>>;
}

/** Looks every user up. Throws ProcletError for one that does not exist, or that only root may become. */
export async function ownersOf(users: Iterable<string>): Promise<ReadonlyMap<string, Owner>> {
  const owners = new Map<string, Owner>();
  for (const user of new Set(users)) owners.set(user, await ownerOf(user));
  return owners;
}

async function ownerOf(user: string): Promise<Owner> {
  const { stdout, failed } = await execa('getent', ['passwd', user], { reject: false, env: toolEnv() });
  if (failed) throw new ProcletError('CONFIG', `there is no user '${user}' on this machine`);
  // passwd(5): name:password:uid:gid:comment:home:shell
  const [name = user, , uid, gid, , home = '/'] = stdout.trim().split(':');
  const own = process.getuid?.();
  if (own !== 0 && own !== Number(uid)) {
    throw new ProcletError('CONFIG', `only root can start a service as the user '${user}'`);
  }
  return { uid: Number(uid), gid: Number(gid), env: { HOME: home, USER: name, LOGNAME: name } };
}
