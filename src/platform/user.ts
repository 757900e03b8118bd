/** Who services run as: users' ids and homes, from the system's user database. */
import { ProcletError } from '../errors.js';
import type { Plan } from '../model.js';
import type { RunPart } from '../run-part.js';
import { toolEnv } from '../tools.js';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
  /** HOME, USER and LOGNAME, as login(1) sets them. */
  readonly env: Readonly<Record<string, string>>;
}

/** The users that the services of a plan run as, by name. */
export interface Owners extends RunPart<Plan> {
  get(user: string): Owner | undefined;
}

/** They are looked up for each plan. A plan is refused for one that does not exist, or that only root may become. */
export function createOwners(): Owners {
  let owners: ReadonlyMap<string, Owner> = new Map();
  return {
    get: (user) => owners.get(user),
    async prepare({ services }) {
      const users = services.flatMap(({ instances }) => instances.flatMap(({ user }) => user ?? []));
      const next = await ownersOf(users);
      return {
        take() {
          owners = next;
        },
      };
    },
  };
}

async function ownersOf(users: Iterable<string>): Promise<ReadonlyMap<string, Owner>> {
  const owners = new Map<string, Owner>();
  for (const user of new Set(users)) owners.set(user, await ownerOf(user));
  return owners;
}
async function ownerOf(user: string): Promise<Owner> {
  const { execa } = await import('execa');
  const { stdout, failed } = await execa('getent', ['passwd', user], { reject: false, env: toolEnv(), cwd: '/' });
  if (failed) throw new ProcletError('CONFIG', `there is no user '${user}' on this machine`);
  // passwd(5): name:password:uid:gid:comment:home:shell
  const [name = user, , uid, gid, , home = '/'] = stdout.trim().split(':');
  const own = process.getuid?.();
  if (own !== 0 && own !== Number(uid)) {
    throw new ProcletError('CONFIG', `only root can start a service as the user '${user}'`);
  }
  return { uid: Number(uid), gid: Number(gid), env: { HOME: home, USER: name, LOGNAME: name } };
}

/**
 * The numbers of `user`, `user:group` or `:group`; -1 leaves what is.
 * @throws ProcletError for one that does not exist, or to whom only root may give a file
 */
export async function idsOf(owner: string): Promise<{ readonly uid: number; readonly gid: number }> {
  const [user = '', group] = owner.split(':');
  const [, , uid = '-1', usual = '-1'] = user === '' ? [] : await entryOf('passwd', user);
  const [, , gid = usual] = group === undefined ? [] : await entryOf('group', group);
  const ids = { uid: Number(uid), gid: Number(gid) };
  const own = process.getuid?.();
  const isOwnUser = own === 0 || ids.uid === -1 || ids.uid === own;
  const isOwnGroup = own === 0 || ids.gid === process.getgid?.() || process.getgroups?.().includes(ids.gid) === true;
  if (isOwnUser && isOwnGroup) return ids;
  throw new ProcletError('CONFIG', `only root can give a socket to '${owner}'`, {
    hint: 'A group of your own can be given without being root: owner: ":GROUP".',
  });
}

/** A line of the system's database, by name or number. */
async function entryOf(database: 'passwd' | 'group', name: string): Promise<readonly string[]> {
  const { execa } = await import('execa');
  const { stdout, failed } = await execa('getent', [database, name], { reject: false, env: toolEnv(), cwd: '/' });
  if (!failed) return stdout.trim().split(':');
  throw new ProcletError('CONFIG', `there is no ${database === 'passwd' ? 'user' : 'group'} '${name}' on this machine`);
}
