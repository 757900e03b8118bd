import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { statusOf } from '../support/launch.js';
import { guardianOf, recordOf, tracesOf } from '../support/traces.js';
import { workspace } from '../support/workspace.js';

test('what carries the mark of a run at its end, though every service has ended, is ended and named', async () => {
  const ws = workspace({ Procfile: 'web: echo ready; exec sleep 60' });
  const app = ws.proclet('start', '--log-format', 'json');
  await app.line('"text":"ready"');
  const [record, guardian] = [recordOf(ws, app), guardianOf(app)];
  const mark = `{ ulimit -S -w ${record.run}0777 || ulimit -S -x ${record.run}0777; } 2>/dev/null`;
  const stray = ws.start('/bin/sh', ['-c', `${mark}; trap "" TERM; echo marked; while :; do sleep 0.2; done`]);
  await stray.line('marked');
  app.signal('SIGTERM');
  expect(await statusOf(app)).toBe(143);
  await stray.exited;
  const events = app.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; text?: string });
  const notice = events.findIndex(({ text }) => text?.includes(`pid ${stray.pid} (/bin/sh`));
  expect(events[notice]).toMatchObject({ type: 'notice' });
  expect(events.slice(notice).at(-1)).toMatchObject({ type: 'stopped', status: 143 });
  await eventually(() => expect(tracesOf(ws, record, guardian)).toEqual([]));
  expect(ws.survivors()).toEqual([]);
});
