/**
 * Names of signals as people write them. Owns which signals may ask a program to end; whether this system
 * has one is the system's answer.
 */
import { constants } from 'node:os';

/** What a stop signal can be, without `SIG`. Left out are those that pause, report, or mean a fault. */
export const STOP_SIGNALS = ['TERM', 'INT', 'QUIT', 'HUP', 'KILL', 'ABRT', 'ALRM', 'PIPE', 'USR1', 'USR2', 'WINCH'];

/** `TERM`, `SIGTERM` or `term` to `SIGTERM`; undefined for anything that cannot be a stop signal here. */
export function parseStopSignal(text: string): NodeJS.Signals | undefined {
  const name = text.trim().toUpperCase().replace(/^SIG/, '');
  const signal = `SIG${name}`;
  return STOP_SIGNALS.includes(name) && isSignal(signal) ? signal : undefined;
}

function isSignal(name: string): name is NodeJS.Signals {
  return Object.hasOwn(constants.signals, name);
}
