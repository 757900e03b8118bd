import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * Live processes that belong to a test's own directory: they run in it, or name it in their arguments.
 * Shares nothing with the way that proclet finds what it started.
 */
export function survivors(directory: string): { pid: number; command: string }[] {
  const found: { pid: number; command: string }[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      const here = command.includes(directory) || readlinkSync(`/proc/${name}/cwd`).startsWith(directory);
      if (here && isRunning(Number(name))) found.push({ pid: Number(name), command });
    } catch {
      // ENOENT, ESRCH: it ended while we looked
    }
  }
  return found;
}

/** Whether there is such a process and it has not ended; a zombie has. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !'ZX'.includes(stat[stat.lastIndexOf(')') + 2] ?? 'X');
  } catch {
    return false; // ENOENT, ESRCH
  }
}

/** The live children of a process. */
export function childrenOf(parent: number): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (Number(ppid) !== parent || state === 'Z') return [];
        const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
        return [{ pid: Number(name), command }];
      } catch {
        return []; // ENOENT, ESRCH: it ended while we looked
      }
    });
}
