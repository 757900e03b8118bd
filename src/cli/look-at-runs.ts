/** How runs stand, with what the machine says of their processes: one reading of it for all of them. */
import { connect } from '../control/client.js';
import type { Status } from '../control/protocol.js';
import { inspect } from '../inspect.js';
import type { LiveRun } from '../platform/runs.js';

/** A run that does not answer is left out, and named. */
export interface Sight {
  readonly statuses: readonly Status[];
  readonly silent: readonly { readonly run: LiveRun; readonly why: string }[];
}

export async function lookAtRuns(runs: readonly LiveRun[]): Promise<Sight> {
  const silent: { run: LiveRun; why: string }[] = [];
  const answers = await Promise.all(
    runs.map(async (run) => {
      try {
        const client = await connect(run.socket);
        const status = await client.request<Status>({ verb: 'ps' });
        client.close();
        return [status];
      } catch (error) {
        silent.push({ run, why: (error as Error).message });
        return [];
      }
    }),
  );
  const statuses = answers.flat();
  const instances = statuses.flatMap(({ services }) => services.flatMap((service) => service.instances));
  const usages = inspect(
    instances,
    runs.map(({ cgroup }) => cgroup),
  );
  const measured = statuses.map((status) => ({
    ...status,
    services: status.services.map((service) => ({
      ...service,
      instances: service.instances.map((instance) => {
        const usage = instance.mark === undefined ? undefined : usages.get(instance.mark);
        return { ...instance, ...(usage && { usage }) };
      }),
    })),
  }));
  return { statuses: measured, silent };
}
