/** Which instances somebody means by `web`, `web.2`, `w*` or nothing. Pure. */
import { ProcletError } from '../errors.js';
import type { InstanceId, ServiceSpec, Tag, Targets } from '../model.js';
import { targetPattern } from '../target-pattern.js';

export interface Target {
  readonly tag: Tag;
  /** Of all of them, when the service is meant. */
  readonly ids: readonly InstanceId[];
  readonly isWhole: boolean;
}

/** In the order of the Procfile. Throws ProcletError for a word that names nothing. */
export function resolveTargets(targets: Targets, services: Iterable<ServiceSpec>): readonly Target[] {
  const all = [...services];
  const patterns = targets.map((text) => ({ text, pattern: targetPattern(text) }));
  for (const { text, pattern } of patterns) {
    const isKnown = all.some(({ tag, instances }) => pattern.test(tag) || instances.some(({ id }) => pattern.test(id)));
    if (!isKnown) throw unknownTarget(text, all);
  }
  return all.flatMap(({ tag, instances }) => {
    const ids = instances.map(({ id }) => id);
    if (patterns.length === 0 || patterns.some(({ pattern }) => pattern.test(tag)))
      return [{ tag, ids, isWhole: true }];
    const chosen = ids.filter((id) => patterns.some(({ pattern }) => pattern.test(id)));
    return chosen.length === 0 ? [] : [{ tag, ids: chosen, isWhole: chosen.length === ids.length }];
  });
}

function unknownTarget(text: string, services: readonly ServiceSpec[]): ProcletError {
  const [tag, ...rest] = text.split('.');
  const service = services.find((one) => one.tag === tag);
  if (service !== undefined && rest.length > 0) {
    const count = service.instances.length;
    const has = count === 1 ? 'one instance' : `${count === 0 ? 'no' : count} instances`;
    return new ProcletError('NOT_FOUND', `there is no instance ${text}: ${tag} has ${has}`, {
      hint: `proclet scale ${tag}=N changes that`,
    });
  }
  const tags = services.map((one) => one.tag).join(', ');
  return new ProcletError('NOT_FOUND', `there is no service ${text}; these run here: ${tags}`);
}
