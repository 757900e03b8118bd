/** How an instance that comes is another than one that serves. Pure. */
import type { Happening, Instance, InstanceSpec, Millis, Tag } from '../model.js';

/** How long a coming one may take to listen, when only its port tells. */
const listensWithin: Millis = 30_000;

/** One that comes is not started again when it fails, and shows somehow that it is ready. */
export function asComing(spec: InstanceSpec, { listensItself }: { listensItself(tag: Tag): boolean }): InstanceSpec {
  const probed = spec.ready !== undefined || !listensItself(spec.tag);
  const ready = probed ? {} : { ready: { kind: 'tcp', timeout: listensWithin } as const };
  return { ...spec, ...ready, restart: 'never' };
}

/** What becomes of one that was to take over from a life that ended by itself before it could. */
export function inItsPlace({ spec, generation }: Instance): Happening {
  return { type: 'notice', text: `${spec.id}: generation ${generation}, which was to take over, goes on in its place` };
}
