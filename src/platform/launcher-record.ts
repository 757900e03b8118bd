/** Where this user's launcher is: a file beside those of the runs, of which only one live launcher has it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ProcletError } from '../errors.js';
import type { Clock } from '../ports.js';
import { describeTrouble } from '../system-error.js';
import { type Maker, mayLive } from './attendance.js';
import { bootId, pidNamespace } from './boot.js';
import { claim } from './claim.js';
import { keepThere } from './keep-there.js';
import { createProcessTable } from './process-table.js';
import { runtimeDirectory, runtimePlace } from './runtime-dir.js';
import { readShared } from './shared-file.js';

export interface LauncherRecord extends Maker {
  readonly url: string;
}

/** Undefined when none lives. */
export function findLauncher(): LauncherRecord | undefined {
  return liveIn(readShared(pathIn(runtimePlace())));
}

/** Answers the end of it. Throws ProcletError when another one lives. */
function claimLauncher(url: string): () => void {
  const started = createProcessTable().find(process.pid)?.started ?? '';
  const maker = { boot: bootId(), pids: pidNamespace(), pid: process.pid, started };
  const text = `${JSON.stringify({ ...maker, url } satisfies LauncherRecord)}\n`;
  return claim({
    ...{ path: pathIn(runtimeDirectory()), text, mode: 0o600 },
    assertStale(found) {
      const other = liveIn(found);
      if (other === undefined) return;
      throw new ProcletError('REFUSED', `a launcher runs already: ${other.url} (pid ${other.pid})`, {
        hint: 'End it with proclet launcher --stop.',
      });
    },
  });
}

/** The same, made again when it is removed while the launcher lives, which is said. */
export function keepLauncher(url: string, clock: Clock, notice: (text: string) => void): () => void {
  let release = claimLauncher(url);
  const directory = runtimeDirectory();
  const path = pathIn(directory);
  const kept = {
    isThere: () => existsSync(path),
    remake() {
      release = claimLauncher(url);
    },
  };
  const leave = keepThere(directory, [kept], {
    clock,
    remade: () => notice(`what other commands find the launcher by was removed from ${directory}, and is there again`),
    failed: (error) =>
      notice(
        `other commands do not find the launcher any more: ${describeTrouble(error)}; kill -TERM ${process.pid} ends it`,
      ),
  });
  return () => {
    leave();
    release();
  };
}

/** Whether the launcher that wrote this is gone. */
export function isLauncherGone(text: string): boolean {
  return liveIn(text) === undefined;
}

function pathIn(directory: string): string {
  return join(directory, 'launcher.claim');
}

function liveIn(text: string | undefined): LauncherRecord | undefined {
  try {
    const record = JSON.parse(text ?? '') as LauncherRecord;
    return mayLive(record, (pid) => createProcessTable().find(pid)?.started) ? record : undefined;
  } catch {
    return undefined; // half of one, or none
  }
}
