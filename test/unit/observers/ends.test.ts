import { expect, test } from 'vitest';
import type { ProcletEvent } from '../../../src/model.js';
import { endLine, lastEndIn } from '../../../src/observers/ends.js';

const exited = (id: string, at: number, code: number): ProcletEvent => ({
  ...{ type: 'exited', at, id, generation: 1, role: 'serving', exit: { how: 'code', code }, ran: 300 },
  ...{ signal: 'SIGTERM', processes: 1, survivors: [], next: { is: 'down' } },
});
const textOf = (events: readonly ProcletEvent[]) => events.map((event) => endLine(event) ?? '').join('');

test('an end is what an event says, whatever the service printed or proclet said', () => {
  const text = textOf([
    exited('web.1', 1000, 3),
    { type: 'spawned', at: 2000, id: 'web.1', pid: 1, port: 5000, generation: 2, coming: true },
    { type: 'notice', at: 2001, text: 'web.1 is gone, says a notice' },
    { type: 'handed-over', at: 2002, id: 'web.1', generation: 2, from: 1 },
  ]);
  expect(lastEndIn(text, 'web', 0)).toEqual({ at: 1000, text: 'web.1 exited with code 3 after 300ms' });
  expect(lastEndIn(text, 'web', 1001)).toBeUndefined();
  expect(lastEndIn(text, 'web.1', 0)).toBeUndefined();
});

test('what had to be killed, was not ready or waits in vain has an end, too', () => {
  const stranded = textOf([{ type: 'stranded', at: 5, tag: 'web', for: 'db' }]);
  expect(lastEndIn(stranded, 'web', 0)?.text).toContain('web is not started: db');
  const unready = textOf([{ type: 'unready', at: 5, id: 'web.1', generation: 1, after: 30_000, waiting: [] }]);
  expect(lastEndIn(unready, 'web', 0)?.text).toContain('web.1');
});

test('a line that was cut by the end of a run is passed over', () => {
  const whole = textOf([exited('web.1', 1000, 3)]);
  expect(lastEndIn(`${whole}{"time":"2026-`, 'web', 0)?.at).toBe(1000);
});
