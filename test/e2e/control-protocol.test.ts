import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { shell, statusOf } from '../support/launch.js';
import { has } from '../support/terminal.js';
import { workspace } from '../support/workspace.js';

const page = readFileSync(resolve(import.meta.dirname, '../../docs/control-protocol.md'), 'utf8');
const [, script = ''] = /```sh\n(.*?)```/s.exec(page) ?? [];

test('what the documentation does with socat works', async ({ skip }) => {
  if (!has('socat')) skip('needs socat');
  const ws = workspace({ Procfile: 'web: sleep 1000' });
  const app = ws.proclet('start', '-p', String(ws.port));
  await app.line('web.1 started');
  const talk = shell(ws, script);
  expect(await statusOf(talk), talk.text).toBe(0);
  const answers = talk.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const [ps, restart, ...events] = answers;
  expect(ps).toMatchObject({ id: null, ok: true, result: { protocol: 1, pid: app.pid, services: [{ tag: 'web' }] } });
  expect(restart).toMatchObject({ id: 'a', ok: true, result: { ids: ['web.1'] } });
  expect(events.pop()).toMatchObject({ id: 'b', ok: true });
  for (const each of events) expect(each).toMatchObject({ id: 'b', event: { type: expect.any(String) } });
  expect(events.length).toBeGreaterThan(0);
});
