/** The name of one life of a slot, for maps: given once in a run, because no two lives of a slot have one number. */
import type { InstanceId } from './model.js';

export function lifeKey({ id, generation }: { readonly id: InstanceId; readonly generation: number }): string {
  return `${id}#${generation}`;
}
