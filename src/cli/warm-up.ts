/**
 * What a process does that waits to be told what to start: everything that is the same for every start, once. Modules are
 * loaded, and what they do first is done for nothing, because the first time takes several times as long as the second.
 */
import { fileURLToPath } from 'node:url';

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
  // What it finds wrong is no project's fault; the start itself will say what stands in its way.
  await rehearse().catch(() => {});
}

/** Reads and plans a project that is none, reads a request, and makes what can be made before. */
async function rehearse(): Promise<void> {
  const [{ loadProject }, { withFreePorts }, { buildPlan }, { parseProcfile }, { readMessage }, { makePipesAhead }] =
    await Promise.all([
      import('./load-project.js'),
      import('./free-ports.js'),
      import('../plan/build-plan.js'),
      import('../procfile/parse-procfile.js'),
      import('../control/messages.js'),
      import('../platform/pipes.js'),
    ]);
  const root = fileURLToPath(new URL('../templates', import.meta.url));
  const given = (text: string) => ({ text, origin: 'a rehearsal' });
  const flags = { root: given(root), port: given('auto'), idle: given('web=10m'), start: given('web=always') };
  const project = await loadProject({ flags, procfile: 'optional' });
  const procfile = parseProcfile('web: true\n', 'Procfile');
  if (procfile.ok) await withFreePorts({ ...project, procfile: procfile.value }, async (input) => buildPlan(input));
  readMessage('{"v":1,"id":1,"verb":"ps"}');
  makePipesAhead();
}
