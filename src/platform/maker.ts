/**
 * Who made a file that is not meant to stay, in the file's own name: the boot, the pid namespace, the pid and its start.
 * So whoever finds one later can tell whether its maker may still be at work, though it was killed before it wrote a word.
 */

import { bootId, pidNamespace } from './boot.js';
import { createProcessTable, type ProcessTable } from './process-table.js';

const form = /\.draft-([0-9a-f]*)\.(\d*)\.(\d+)\.([\w-]+)/;

let suffix: string | undefined;

/** What the name of a draft ends with. A random part may follow behind a dot, which no start has in it. */
export function draftSuffix(): string {
  suffix ??= `.draft-${boot()}.${namespace()}.${process.pid}.${startOf(process.pid, createProcessTable()) ?? ''}`;
  return suffix;
}

/** Whether a name is that of a draft. */
export function isDraft(name: string): boolean {
  return form.test(name);
}

/** Whether the maker of a draft has ended. Of another pid namespace that cannot be known, so it has not. */
export function isMakerGone(name: string, table: ProcessTable): boolean {
  const [, itsBoot, itsNamespace, pid, started] = form.exec(name) ?? [];
  if (pid === undefined) return false;
  if (itsBoot !== boot()) return true;
  return itsNamespace === namespace() && startOf(Number(pid), table) !== started;
}

/** The pid of a draft's maker. */
export function makerOf(name: string): number {
  return Number(form.exec(name)?.[3]);
}

function boot(): string {
  return bootId().slice(0, 8);
}

function namespace(): string {
  return /\d+/.exec(pidNamespace())?.[0] ?? '';
}

/** In the letters that a name may have; `ps` says it in words. */
function startOf(pid: number, table: ProcessTable): string | undefined {
  return table.find(pid)?.started.replace(/[^\w]+/g, '-');
}
