/** Events for tests of observers, with what does not matter filled in. */
import type { Happening, Output, ProcletEvent } from '../../src/model.js';

/** 2026-11-22 12:23:16.123 UTC. */
export const noon = Date.UTC(2026, 10, 22, 12, 23, 16, 123);

type Unimportant = 'generation' | 'coming' | 'role';
type Loose<H> = H extends Happening ? Omit<H, Unimportant> & { [K in Extract<keyof H, Unimportant>]?: H[K] } : never;

/** Of the first life of an instance that serves, unless told otherwise. */
export function at(happening: Loose<Happening>, moment = noon): ProcletEvent {
  const life = {
    spawned: { generation: 1, coming: false },
    up: { generation: 1 },
    exited: { generation: 1, role: 'serving' },
  };
  const missing = happening.type in life ? life[happening.type as keyof typeof life] : {};
  return { at: moment, ...missing, ...happening } as ProcletEvent;
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
