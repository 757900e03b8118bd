/** Exit statuses as a shell reports them. */
import { constants } from 'node:os';
import type { Exit } from './model.js';

/** The code, 128 + n for signal n, 127 for what could not be started. */
export function statusOf(exit: Exit): number {
  switch (exit.how) {
    case 'code':
      return exit.code;
    case 'signal':
      return statusOfSignal(exit.signal);
    case 'hangup':
      return statusOfSignal('SIGHUP');
    case 'spawn-error':
      return 127;
    default:
      return exit satisfies never;
  }
}

/** 128 + n. */
export function statusOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** Whether a program has done its work: it ended with 0, or with a status that is expected of it. */
export function isSuccess(exit: Exit, expected: readonly number[] = []): boolean {
  if (exit.how !== 'code' && exit.how !== 'signal') return false;
  const status = statusOf(exit);
  return status === 0 || expected.includes(status);
}

/** How something ended, in words that follow its name: `exited with code 1`. */
export function describeExit(exit: Exit): string {
  switch (exit.how) {
    case 'code':
      return `exited with code ${exit.code}`;
    case 'signal':
      return `was killed by ${exit.signal}`;
    case 'hangup':
      return `lost its terminal: script, which held it, was killed by ${exit.signal}`;
    case 'spawn-error':
      return `could not be started: ${exit.message}`;
    default:
      return exit satisfies never;
  }
}
