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
  expect(answers).toMatchObject([
    { id: null, ok: true, result: { protocol: 1, pid: app.pid, services: [{ tag: 'web' }] } },
    { id: 'a', ok: true, result: { ids: ['web.1'] } },
    { id: 'b', event: { type: expect.any(String) } },
    { id: 'b', event: { type: expect.any(String) } },
    { id: 'b', event: { type: expect.any(String) } },
    { id: 'b', ok: true },
  ]);
});
