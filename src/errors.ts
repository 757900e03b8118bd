/** What a user can fix: a code, a sentence, a next step. Anything else that is thrown is a bug. */
import type { Problem } from './model.js';

export type ErrorCode = 'USAGE' | 'CONFIG' | 'NOT_FOUND' | 'REFUSED' | 'NOT_RUNNING' | 'TIMEOUT' | 'FAILED' | 'OS';

const statusByCode: Record<ErrorCode, number> = {
  USAGE: 2,
  CONFIG: 2,
  NOT_FOUND: 2,
  /** It was understood and makes no sense now. */
  REFUSED: 1,
  /** As service managers answer about what does not run. */
  NOT_RUNNING: 3,
  TIMEOUT: 1,
  FAILED: 1,
  OS: 1,
};

/** What programs that ask a run have to tell apart. */
export type ErrorReason = 'no-terminal' | 'no-socket';

export class ProcletError extends Error {
  override readonly name = 'ProcletError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Which of the errors with this code it is, where somebody acts on it. */
  readonly reason: ErrorReason | undefined;
  /** The problems of files, each with its place, if the message is about files. */
  readonly problems: readonly Problem[];

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      hint?: string | undefined;
      cause?: unknown;
      reason?: ErrorReason | undefined;
      problems?: readonly Problem[];
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.reason = options.reason;
    this.problems = options.problems ?? [];
  }

  /** The exit status of a command that ends with this error. */
  get status(): number {
    return statusByCode[this.code];
  }
}

/** One error for everything that is wrong with the project's files: a line each. */
export function configError(problems: readonly Problem[]): ProcletError {
  return new ProcletError('CONFIG', problems.map(problemLine).join('\n'), { problems });
}

export function problemLine(problem: Problem): string {
  const { message, hint } = problem;
  return `${placeOf(problem)}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
}

export function placeOf({ path, line, column }: Problem): string {
  return [path, line, column].filter((part) => part !== undefined).join(':');
}

/**
 * Throws what one of many listeners threw, once the others had their turn: whoever listens for uncaught exceptions
 * hears of it, and nobody else is hurt.
 */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Calls one of many listeners: what it throws is thrown later. */
export function sparing(listen: () => void): void {
  try {
    listen();
  } catch (error) {
    throwLater(error);
  }
}
