/** By which means this machine lets proclet know what belongs to a service, and what each of them would miss. */
import { openCgroups } from './cgroup.js';
import { newRun } from './mark.js';
import { limitsCarryMarks } from './proc-table.js';

export interface Mean {
  readonly name: string;
  readonly state: 'in use' | 'not available';
  /** Where, or why not. */
  readonly detail: string;
  readonly misses: string;
}

/** Tries each means, best first, and leaves nothing. */
export function probeMeans(): readonly Mean[] {
  return [controlGroup(), mark(), parents(), guardian()];
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

function mark(): Mean {
  if (process.platform !== 'linux') {
    return { name: 'mark', state: 'not available', detail: 'this system has no /proc', misses: 'everything' };
  }
  if (limitsCarryMarks()) {
    const misses = 'the same, and programs that set the limit on file locks themselves, as su does';
    return { name: 'mark', state: 'in use', detail: 'the soft limit on file locks of each process', misses };
  }
  const misses = 'the same, and programs that clear their environment or write their title over it';
  return {
    name: 'mark',
    state: 'in use',
    detail: 'an environment variable, as the limit on file locks is bounded here',
    misses,
  };
}

function parents(): Mean {
  const misses = 'by itself, a child that left the group and whose parent died first';
  return {
    name: 'process table',
    state: 'in use',
    detail: 'process group, session, parents, and earlier members',
    misses,
  };
}

function guardian(): Mean {
  const misses = 'a run whose proclet and guardian are killed in the same instant: proclet reap finds it';
  const state = process.platform === 'linux' ? 'in use' : 'not available';
  return { name: 'guardian', state, detail: '/bin/sh, waiting for the end of proclet', misses };
}
