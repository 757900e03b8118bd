/** Events for tests of observers, with what does not matter filled in. */
import type { Happening, Output, ProcletEvent } from '../../src/model.js';

/** 2026-11-22 12:23:16.123 UTC. */
export const noon = Date.UTC(2026, 10, 22, 12, 23, 16, 123);

export function at(happening: Happening, moment = noon): ProcletEvent {
  return { at: moment, ...happening };
}

/** Output of `web.1` unless told otherwise; the text is given decoded, `shown` counts bytes. */
export function output(text: string, more: Partial<Omit<Output, 'text'>> = {}): ProcletEvent {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  const defaults = { id: 'web.1', stream: 'stdout', shown: 0, continued: false, end: 'line' } as const;
  return at({ type: 'output', ...defaults, text: bytes, ...more });
}

type Exited = Extract<Happening, { type: 'exited' }>;

/** The end of `web.1`: one process, after 300 ms, with code 1. */
export function exited(more: Partial<Omit<Exited, 'type'>>): ProcletEvent {
  return at({
    type: 'exited',
    id: 'web.1',
    exit: { how: 'code', code: 1 },
    ran: 300,
    signal: 'SIGTERM',
    processes: 1,
    survivors: [],
    next: { is: 'down' },
    ...more,
  });
}
