/** What of a status somebody asks for. Pure. */
import { ProcletError } from '../errors.js';
import type { Targets } from '../model.js';
import { targetPattern } from '../target-pattern.js';
import type { Status } from './protocol.js';

/** Throws ProcletError when none is meant. */
export function fromTargets(services: Status['services'], targets: Targets): Status['services'] {
  if (targets.length === 0) return services;
  const patterns = targets.map(targetPattern);
  const isMeant = (text: string) => patterns.some((pattern) => pattern.test(text));
  const chosen = services.flatMap((service) => {
    if (isMeant(service.tag)) return [service];
    const instances = service.instances.filter(({ id }) => isMeant(id));
    return instances.length === 0 ? [] : [{ ...service, instances }];
  });
  if (chosen.length > 0) return chosen;
  const tags = services.map(({ tag }) => tag).join(', ');
  throw new ProcletError('NOT_FOUND', `there is no service ${targets.join(', ')}; these run here: ${tags}`);
}
