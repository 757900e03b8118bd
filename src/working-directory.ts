/** The directory that proclet was called in, which may have been removed since the shell went there. */
import { ProcletError } from './errors.js';

/** Throws ProcletError where it is gone. */
export function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw directoryGone(cause);
  }
}

/** For who can do without it: the root of everything where it is gone. */
export function directoryOrRoot(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}

/** Whether it is what an error is about; of the command line's own (bin/proclet.cjs), or the system's. */
export function isDirectoryGone(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return error instanceof Error && (code === 'NO_WORKING_DIRECTORY' || syscall === 'uv_cwd');
}

export function directoryGone(cause: unknown): ProcletError {
  return new ProcletError('USAGE', 'the directory that this was called in has been removed', {
    hint: 'Go to one that is there with cd, also if there is one of the same name again.',
    cause,
  });
}
