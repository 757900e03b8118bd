/** By which means this machine lets proclet know what belongs to a service, and what each of them would miss. */
import { openCgroups } from './cgroup.js';
import { troubleOfGuardian } from './guardian-probe.js';
import { newRun } from './mark.js';
import { limitsCarryMarks } from './proc-table.js';
import { tableKind } from './process-table.js';

export interface Mean {
  readonly name: string;
  readonly state: 'in use' | 'not available';
  /** Where, or why not. */
  readonly detail: string;
  readonly misses: string;
}

/** Tries each means, best first, and leaves nothing. */
export async function probeMeans(): Promise<readonly Mean[]> {
  return [controlGroup(), mark(), parents(), await guardian()];
}

function controlGroup(): Mean {
  const groups =
    process.env['PROCLET_CGROUP'] === 'off' ? { unavailable: 'PROCLET_CGROUP=off' } : openCgroups(newRun());
  const misses = 'what another daemon starts on request (docker, systemd, a running tmux server)';
  if ('unavailable' in groups)
    return { name: 'control group', state: 'not available', detail: groups.unavailable, misses };
  groups.close();
  return { name: 'control group', state: 'in use', detail: groups.directory, misses };
}

/** What a program can do to be lost where there is no control group: all of it, and before anybody looks. */
const lost =
  'sets its own limits (sudo, su), has no environment or writes over it, closes all that it has open, and leaves its session with its parent gone';

function mark(): Mean {
  const name = 'mark';
  if (tableKind() !== 'proc') {
    return { name, state: 'not available', detail: 'there is no /proc here, or it is empty', misses: '' };
  }
  const misses = `the same, and what ${lost}`;
  const second = 'the environment and the pipes of each process';
  const detail = limitsCarryMarks()
    ? `the soft limit on file locks of each process, then ${second}`
    : `${second}, as the limit on file locks is bounded here`;
  return { name, state: 'in use', detail, misses };
}

function parents(): Mean {
  const name = 'process table';
  const kind = tableKind();
  if (kind === 'groups') {
    const detail = 'no /proc and no ps shows a process, so that only process groups are signalled';
    return { name, state: 'not available', detail, misses: '' };
  }
  const misses = 'by itself, a child that left the group and whose parent died first';
  const source = kind === 'ps' ? ', from ps' : '';
  return {
    name,
    state: 'in use',
    detail: `process group, session, parents, and earlier members${source}`,
    misses,
  };
}

async function guardian(): Promise<Mean> {
  const name = 'guardian';
  const trouble = await troubleOfGuardian();
  if (trouble !== undefined) return { name, state: 'not available', detail: trouble, misses: '' };
  const detail = 'it was tried: a shell that waits for the end of proclet, then Node';
  const both =
    'a run whose proclet and guardian are killed in the same instant: proclet reap finds it by its marks, leaders and pipes';
  const misses = tableKind() === 'groups' ? `${both}; and whatever has left its process group` : both;
  return { name, state: 'in use', detail, misses };
}
