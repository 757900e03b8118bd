/**
 * The command line's entry. Hands the arguments to oclif, prints what went wrong in the user's words, and
 * ends the process only when everything that was written has left it.
 */
import { run } from '@oclif/core';
import Check from '../commands/check.js';
import Run from '../commands/run.js';
import Start from '../commands/start.js';
import Version from '../commands/version.js';
import { ProcletError } from '../errors.js';
import { hoistFlags } from './argv.js';

/** oclif finds the commands here: see `oclif` in package.json. */
export const COMMANDS = { check: Check, run: Run, start: Start, version: Version };

/**
 * Runs one command and ends the process with its status.
 * `root` is the package's directory; `done` is called when the command has ended, before the process does.
 */
export async function main(argv: readonly string[], root: string, done: () => void): Promise<void> {
  const status = await execute(argv, root);
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  done();
  process.exit(status);
}

async function execute(argv: readonly string[], root: string): Promise<number> {
  try {
    const status: unknown = await run(hoistFlags(argv), { root });
    return typeof status === 'number' ? status : 0;
  } catch (error) {
    return report(error);
  }
}

/** Prints an error for people and answers the exit status it stands for. */
function report(error: unknown): number {
  if (error instanceof ProcletError) {
    const hint = error.hint === undefined ? '' : `\n  ${error.hint}`;
    process.stderr.write(`${error.message.replace(/^/gm, 'proclet: ')}${hint}\n`);
    return error.status;
  }
  const status = (error as { oclif?: { exit?: number } }).oclif?.exit;
  if (status === undefined) {
    process.stderr.write(
      `proclet: this is a bug in proclet: ${error instanceof Error ? error.stack : String(error)}\n`,
    );
    return 1;
  }
  if (status !== 0) process.stderr.write(`proclet: ${(error as Error).message}\n`);
  return status === 0 ? 0 : 2;
}

/** Resolves when everything written so far was handed to the system, or nobody reads it any more. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) return resolve();
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}
