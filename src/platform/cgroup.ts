/**
 * Control groups (cgroups(7), version 2): a directory per life, whose `cgroup.procs` lists every process that was
 * born in it, wherever it went, and whose `cgroup.kill` ends them all in one write (Linux 5.14). The best
 * means there is, where proclet may make directories below its own group.
 */
import {
  accessSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isGoneOrForeign, withSpareDescriptor } from './spare-descriptor.js';

export interface Cgroups {
  /** The directory of the whole run. */
  readonly directory: string;
  /** Makes the group of one life; undefined when that is not possible any more. */
  create(life: string): Cgroup | undefined;
  /** Removes what is empty. */
  close(): void;
}

export interface Cgroup {
  /** The directory, for the shell that joins it. */
  readonly directory: string;
  /** The processes in it and below it. */
  pids(): number[];
  /** Ends every process in it and below it. */
  kill(): void;
  /** Removes it, if nothing is left in it; answers whether it is gone. */
  remove(): boolean;
}

/** Where the group of a run would be; '' when it is plain that none can be made. */
export function plannedGroup(run: string): string {
  const own = ownGroup();
  try {
    if (own === undefined) return '';
    accessSync(own, constants.W_OK);
    return join(own, `proclet-${run}`);
  } catch {
    return ''; // EACCES, EROFS
  }
}

/** Makes the group of a run below proclet's own, or answers why that cannot be. */
export function openCgroups(run: string): Cgroups | { readonly unavailable: string } {
  const own = ownGroup();
  if (own === undefined) return { unavailable: 'no cgroup of version 2 is mounted here' };
  const directory = join(own, `proclet-${run}`);
  try {
    mkdirSync(directory);
  } catch (error) {
    return { unavailable: `no directory can be made in ${own} (${(error as NodeJS.ErrnoException).code})` };
  }
  try {
    for (const file of ['cgroup.procs', 'cgroup.kill']) accessSync(join(directory, file), constants.W_OK);
    // Moving a process also takes the right to write where it comes from.
    accessSync(join(own, 'cgroup.procs'), constants.W_OK);
  } catch (error) {
    removeCgroups(directory);
    return { unavailable: `${own} is not ours to use (${(error as NodeJS.ErrnoException).code})` };
  }
  return {
    directory,
    create(life) {
      const place = join(directory, life);
      try {
        mkdirSync(place);
      } catch {
        return undefined; // a limit on groups, or the directory was taken away: the other means do without
      }
      return cgroupAt(place);
    },
    close: () => removeCgroups(directory),
  };
}

/** The group of a life or of a run that has one already. */
export function cgroupAt(directory: string): Cgroup {
  return {
    directory,
    pids: () => pidsBelow(directory),
    kill() {
      try {
        withSpareDescriptor(() => writeFileSync(join(directory, 'cgroup.kill'), '1'));
      } catch {
        // ENOENT: it is gone, and so is all that was in it. Whatever else: each process is killed by itself, too.
      }
    },
    remove: () => removeCgroups(directory),
  };
}

/** The groups of runs below this process's own, by run. */
export function cgroupsOfRuns(): Map<string, string> {
  const own = ownGroup();
  try {
    const found = own === undefined ? [] : inner(own);
    return new Map(found.flatMap((path) => (/proclet-(\d{11})$/.test(path) ? [[path.slice(-11), path]] : [])));
  } catch {
    return new Map(); // ENOENT, EACCES: nothing of ours can be in it
  }
}

/** Why it cannot be known what is in a group; undefined when it can, also when the group is gone. */
export function troubleReading(directory: string): string | undefined {
  if (ownGroup() === undefined) return `its control group ${directory} is not mounted here`;
  try {
    // A process of another pid namespace is listed as 0.
    const hidden = readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').includes('0');
    if (hidden) return `its control group ${directory} holds processes of another pid namespace`;
    for (const below of inner(directory)) {
      const trouble = troubleReading(below);
      if (trouble !== undefined) return trouble;
    }
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENODEV'
      ? undefined
      : `its control group ${directory} cannot be read (${code})`;
  }
}

/** Where this process's own group is mounted. */
function ownGroup(): string | undefined {
  try {
    const path = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
    // proc(5): … root mount-point options … - type source …
    for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
      const [, , , root, mount] = line.split(' ');
      if (path === undefined || root === undefined || mount === undefined || !line.includes(' - cgroup2 ')) continue;
      if (root === '/' || path === root || path.startsWith(`${root}/`)) {
        return join(mount, root === '/' ? path : path.slice(root.length));
      }
    }
  } catch {
    // ENOENT: not Linux, or no /proc
  }
  return undefined;
}

/** The processes in a group and below it; none when it is gone. */
export function pidsBelow(directory: string): number[] {
  try {
    const own = withSpareDescriptor(() => readFileSync(join(directory, 'cgroup.procs'), 'utf8'))
      .split('\n')
      .filter(Boolean)
      .map(Number);
    // A directory has a link from itself, one from above, and one from each below.
    return statSync(directory).nlink === 2 ? own : [...own, ...inner(directory).flatMap(pidsBelow)];
  } catch (error) {
    if (!isGoneOrForeign(error)) throw error;
    return []; // ENOENT, ENODEV: removed
  }
}

/** Removes a group and those below it, as far as nothing lives in them; answers whether it is gone. */
export function removeCgroups(directory: string): boolean {
  try {
    if (statSync(directory).nlink !== 2) for (const below of inner(directory)) removeCgroups(below);
    rmdirSync(directory);
    return true;
  } catch (error) {
    // EBUSY: something still lives in it, which the guardian will end.
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function inner(directory: string): string[] {
  const entries = withSpareDescriptor(() => readdirSync(directory, { withFileTypes: true }));
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name));
}
