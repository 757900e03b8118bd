/** The promise: as process 1 of a container it ends everything as elsewhere, and says what it cannot do there. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createProcessTable } from '../../src/platform/process-table.js';
import { environment } from '../support/environment.js';
import { statusOf } from '../support/launch.js';
import { bin, workspace } from '../support/workspace.js';

const inNamespace = [...(process.getuid?.() === 0 ? [] : ['-Ur']), '--pid', '--fork', '--mount-proc', '--kill-child'];

test('as process 1 it says that zombies stay, they keep nothing from ending, and nothing outlives it', async ({
  skip,
}) => {
  const can = spawnSync('unshare', [...inNamespace, 'true'], { env: environment() }).status === 0;
  if (!can) skip('needs unshare(1), and to be allowed a pid namespace');
  const ws = workspace({ Procfile: `web: (sh -c 'sleep 0.1 & exec true'); exec sleep 1000\n` });
  for (const [signal, status] of [
    ['SIGTERM', 143],
    ['SIGKILL', expect.anything()],
  ] as const) {
    const app = ws.start('unshare', [...inNamespace, process.execPath, bin, 'start']);
    await app.line('web.1 started');
    await app.line('docker run --init');
    const first = [...createProcessTable().read().values()].find(({ ppid }) => ppid === app.pid);
    process.kill(first?.pid ?? Number.NaN, signal);
    expect(await statusOf(app)).toEqual(status);
    expect(ws.survivors()).toEqual([]);
  }
});
