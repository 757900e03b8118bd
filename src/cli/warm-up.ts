/**
 * What a process does that waits to be told what to start: everything that is the same for every start, once. Modules are
 * loaded, and what they do first is done for nothing, because the first time takes several times as long as the second.
 */
import { fileURLToPath } from 'node:url';
import type { ProcletError } from '../errors.js';

export async function warmUp(): Promise<void> {
  await Promise.all([
    import('../commands/start.js'),
    import('../network/gateway.js'),
    import('../network/front.js'),
    import('../procfile/parse-config.js'),
    import('../observers/log-files.js'),
    import('../control/server.js'),
    import('../control/desk.js'),
    import('../inspect.js'),
  ]);
  await rehearse().catch((_notImportant: ProcletError) => {});
}

/** Reads and plans a project that is none, and reads a request. */
async function rehearse(): Promise<void> {
  const [{ loadProject, planInput }, { buildPlan }, { parseProcfile }, { readMessage }, { liveRuns }] =
    await Promise.all([
      import('./load-project.js'),
      import('../plan/build-plan.js'),
      import('../procfile/parse-procfile.js'),
      import('../control/messages.js'),
      import('../platform/runs.js'),
    ]);
  const root = fileURLToPath(new URL('../templates', import.meta.url));
  const given = (text: string) => ({ text, origin: 'a rehearsal' });
  const flags = { root: given(root), port: given('auto'), idle: given('web=10m'), start: given('web=always') };
  const project = await loadProject({ flags, procfile: 'optional' });
  const procfile = parseProcfile('web: true\n', 'Procfile');
  if (procfile.ok) buildPlan(planInput({ ...project, procfile: procfile.value }));
  readMessage('{"v":1,"id":1,"verb":"ps"}');
  liveRuns();
}
