/** What the operating system refused, in words: the cause, and what to do next. Decides by the error's code alone. */
import { constants } from 'node:os';

export interface SystemError extends Error {
  readonly code: string;
  readonly syscall?: string;
  readonly path?: string;
}

interface Words {
  readonly cause: string;
  readonly next?: string;
}

const words: Readonly<Record<string, Words>> = {
  EMFILE: { cause: 'proclet has too many files open', next: 'raise the limit with ulimit -n' },
  ENFILE: { cause: 'the machine has too many files open', next: 'end what holds them, or raise fs.file-max' },
  ENOSPC: { cause: 'no space is left', next: 'free some, or name another place' },
  EDQUOT: { cause: 'the quota is used up', next: 'free some space, or name another place' },
  EROFS: { cause: 'the file system is read-only', next: 'name another place' },
  EACCES: { cause: 'permission denied', next: 'see whose it is, and who may use it' },
  EPERM: { cause: 'the system does not permit it' },
  ENOENT: { cause: 'no such file or directory' },
  ENOTDIR: { cause: 'a part of the path is not a directory' },
  EISDIR: { cause: 'it is a directory' },
  EIO: { cause: 'the device reports an error', next: 'look into the kernel’s log' },
  ENOMEM: { cause: 'the machine is out of memory', next: 'end something, or raise the limit of memory' },
  EAGAIN: { cause: 'the system has no more of it for this user now' },
  E2BIG: { cause: 'the command line and the environment together are longer than the system takes' },
};

const ofSpawn: Readonly<Record<string, Words>> = {
  EAGAIN: { cause: 'this user may not have more processes', next: 'end some, or raise the limit with ulimit -u' },
};

/** Whether an error comes from the operating system: then it is no bug, whoever let it through. */
export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && Object.hasOwn(constants.errno, (error as NodeJS.ErrnoException).code ?? '');
}

function wordsOf(error: SystemError): Words {
  const { code, syscall } = error;
  const own = syscall?.startsWith('spawn') ? ofSpawn[code] : undefined;
  return own ?? words[code] ?? { cause: error.message };
}

/** `permission denied (EACCES)`; what another error says of itself. */
export function causeOf(error: unknown): string {
  if (!isSystemError(error)) return error instanceof Error ? error.message : String(error);
  const { cause } = wordsOf(error);
  return cause === error.message ? cause : `${cause} (${error.code})`;
}

/** What can be done about it, if that can be said. */
export function nextStep(error: unknown): string | undefined {
  return isSystemError(error) ? wordsOf(error).next : undefined;
}

/** The cause and the next step: one sentence without its full stop, for whoever has named the file. */
export function adviceOn(error: unknown): string {
  const next = nextStep(error);
  return `${causeOf(error)}${next === undefined ? '' : `; ${next}`}`;
}

/** The cause, after the file that it is about. */
export function causeWithPath(error: unknown): string {
  const path = isSystemError(error) && error.syscall?.startsWith('spawn') !== true ? error.path : undefined;
  return `${path === undefined ? '' : `${path}: `}${causeOf(error)}`;
}

/** The cause and the next step, after the file that it is about. */
export function describeTrouble(error: unknown): string {
  const next = nextStep(error);
  return `${causeWithPath(error)}${next === undefined ? '' : `; ${next}`}`;
}
