/** Lives that cannot begin: why, and what stands in for their child. */
import { statSync } from 'node:fs';
import type { Exit, InstanceSpec } from '../model.js';
import type { Child, ChildListener } from '../ports.js';
import { terminalTrouble } from './pty.js';
import type { Owner } from './user.js';

/** A life for which no process could be started, and how to tell why: that counts once. */
export function unborn(listener: ChildListener): { readonly child: Child; failed(message: string): void } {
  let report = (exit: Exit) => listener.exited({ exit, processes: 0, survivors: [] });
  const nothing = { pid: 0, mark: '', pass: () => true, signal() {}, kill() {}, abandon() {}, entrust() {} };
  return {
    child: { ...nothing, pids: () => [], send: () => false, endInput() {}, tap: () => () => {} },
    failed(message) {
      report({ how: 'spawn-error', message });
      report = () => {};
    },
  };
}

/** What would make the spawn fail with a message that does not name the cause. */
export function troubleWith(
  { directory, tty, env, user }: InstanceSpec,
  owners: { get(user: string): Owner | undefined },
): string | undefined {
  // Without its user it would run as ours, which may be root.
  if (user !== undefined && owners.get(user) === undefined) return `the user '${user}' is not known`;
  const trouble = tty ? terminalTrouble(env['PATH']) : undefined;
  if (trouble !== undefined) return trouble;
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found === undefined) return `its directory ${directory} does not exist`;
  return found.isDirectory() ? undefined : `${directory} is not a directory`;
}
