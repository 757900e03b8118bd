/**
 * Commands that go on in a second process without a terminal, as `start -D` does: the same command once more, and our
 * end, or our next task, once it has started.
 */
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ProcletError } from '../errors.js';
import { spawnWaiting } from '../platform/detached.js';
import { noteFiles } from '../platform/drafts.js';
import { makeDirectory } from '../platform/make-directory.js';
import { createProcessTable } from '../platform/process-table.js';

/** Tells the second process what it is. */
const variable = 'PROCLET_DETACHED';

/** The variable's value in a process that waits for its job. */
const waits = 'waits';

interface Job {
  readonly argv: readonly string[];
  readonly into: string;
}

/** In the second process: the words of its command line, as soon as the first one says them. */
export async function awaitJob(warmUp: () => Promise<unknown>): Promise<readonly string[] | undefined> {
  if (process.env[variable] !== waits || process.send === undefined) return undefined;
  const job = new Promise<Job | undefined>((resolve) => {
    process.once('message', (message) => resolve(message as Job)).once('disconnect', () => resolve(undefined));
  });
  await warmUp();
  const { argv, into } = (await job) ?? process.exit(0);
  process.env[variable] = into;
  return argv;
}

/** In the second process: where its output goes. The services do not see the variable. */
export function detachedInto(): string | undefined {
  const directory = process.env[variable];
  delete process.env[variable];
  return directory || undefined;
}

/** In the second process: the services are started. */
export function tellStarted(): void {
  process.send?.({ started: true });
  process.disconnect?.();
}

/** Resolves with the pid of the second process once it has started everything; throws what it says if it ends before. */
export async function startDetached(argv: readonly string[], directory: string): Promise<number> {
  if (process.pid === 1) {
    const message = 'proclet is process 1 here, and everything ends with that: nothing would go on in the background';
    throw new ProcletError('REFUSED', message, { hint: 'Leave -D out.' });
  }
  const second = createSecond(directory);
  return second.start(
    argv.filter((word) => word !== '-D' && word !== '--detach' && word !== '--json'),
    directory,
  );
}

/** A second process that waits to be told what to start: it has done already what is the same for every start. */
export interface Second {
  /** Once. Output of the services goes to files in the directory. */
  start(argv: readonly string[], directory: string): Promise<number>;
  /** It is not needed. */
  close(): Promise<void>;
}

/** What it says itself goes to a file in `directory`. */
export function createSecond(directory: string, command = 'start'): Second {
  const path = join(directory, 'proclet.out');
  const noted = noteFiles([path]);
  const fd = openOutput(path);
  const { size } = statSync(path);
  const words = [process.argv[1] ?? '', command];
  const waiting = spawnWaiting(process.execPath, words, { ...process.env, [variable]: waits }, fd);
  closeSync(fd);
  return {
    async start(argv, into) {
      const end = await waiting.give({ argv: [command, ...argv], into } satisfies Job);
      if ('pid' in end) {
        noted.forget();
        return end.pid;
      }
      const error = errorIn(readFileSync(path).subarray(size).toString('utf8'), end.status);
      noted.clear(createProcessTable());
      throw error;
    },
    close: () => {
      noted.forget();
      return waiting.close();
    },
  };
}

/** Throws ProcletError OS when there is no place for it. */
function openOutput(path: string): number {
  try {
    makeDirectory(dirname(path));
    return openSync(path, 'a', 0o600);
  } catch (cause) {
    const message = `the output of a run in the background has no place: ${(cause as Error).message}`;
    const hint = 'Set XDG_STATE_HOME to a directory that you can write to. proclet start needs none without -D.';
    throw new ProcletError('OS', message, { hint, cause });
  }
}

function errorIn(text: string, status: number): ProcletError {
  const said = text
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^proclet: /, ''));
  const message = said.filter((line) => !line.startsWith('  ')).join('\n');
  const hint = said.filter((line) => line.startsWith('  ')).map((line) => line.trim());
  return new ProcletError(
    status === 2 ? 'USAGE' : 'FAILED',
    message || `proclet ended with status ${status} before anything had started`,
    { hint: hint.length === 0 ? undefined : hint.join('\n  ') },
  );
}
