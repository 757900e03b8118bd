/** `start -D`: the same command once more, without a terminal, and our end once it has started. */
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ProcletError } from '../errors.js';
import { spawnDetached } from '../platform/detached.js';

/** Tells the second process what it is. */
const variable = 'PROCLET_DETACHED';

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
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'proclet.out');
  const fd = openSync(path, 'a', 0o600);
  const { size } = statSync(path);
  const words = [process.argv[1] ?? '', 'start', ...argv.filter((word) => word !== '-D' && word !== '--detach')];
  const end = await spawnDetached(process.execPath, words, { ...process.env, [variable]: directory }, fd);
  closeSync(fd);
  if ('pid' in end) return end.pid;
  const said = readFileSync(path)
    .subarray(size)
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^proclet: /, ''));
  const message = said.filter((line) => !line.startsWith('  ')).join('\n');
  const hint = said.filter((line) => line.startsWith('  ')).map((line) => line.trim());
  throw new ProcletError(
    end.status === 2 ? 'USAGE' : 'FAILED',
    message || `proclet ended with status ${end.status} before anything had started`,
    { hint: hint.length === 0 ? undefined : hint.join('\n  ') },
  );
}
