/** Whether services are ready, may still become so, or will not. Pure. */
import { describeExit } from '../exit-status.js';
import type { InstanceId, InstanceSnapshot, LastExit, ServiceSnapshot } from '../model.js';

export type Standing = { readonly is: 'ready' } | { readonly is: 'pending' | 'hopeless'; readonly why: string };

/** `named`: somebody asks for this service itself, not for all that the run starts. */
export function standingOf(
  { tag, start, instances }: ServiceSnapshot,
  ids: readonly InstanceId[],
  named: boolean,
): Standing {
  const serving = instances.filter(({ id, role }) => role === 'serving' && ids.includes(id));
  const isDown = serving.every(({ phase }) => phase === 'down');
  // What sleeps is there for whoever comes.
  if (start === 'on-access' && isDown) return { is: 'ready' };
  if (start === 'manual' && isDown && !named) return { is: 'ready' };
  for (const { id, phase, cause, last, retryIn, listens } of serving) {
    if (phase === 'up' && listens === 'pending') return { is: 'pending', why: `${id} is up and does not listen yet` };
    if (phase === 'up') continue;
    if (phase === 'failed') return { is: 'hopeless', why: `${id} failed${last ? `: it ${endOf(last)}` : ''}` };
    if (phase === 'down' && cause !== undefined) return { is: 'hopeless', why: `${id} is down (${cause.reason})` };
    // It did what it had to do, and well.
    if (phase === 'down' && last !== undefined) continue;
    if (phase === 'down' && start === 'manual') return { is: 'hopeless', why: `${id} is not started` };
    const crashed =
      phase === 'backoff' && last
        ? `${id} ${endOf(last)} and is started again in ${Math.ceil((retryIn ?? 0) / 1000)}s`
        : '';
    return { is: 'pending', why: crashed || (phase === 'down' ? `${tag} waits for others` : `${id} is ${phase}`) };
  }
  return { is: 'ready' };
}

/** Of these instances, those that are up and listen nowhere, although they were given a port. */
export function silentOf(services: readonly ServiceSnapshot[], ids: readonly InstanceId[]): readonly InstanceId[] {
  const all = services.flatMap(({ instances }) => instances);
  const isSilent = ({ id, phase, role, listens }: InstanceSnapshot) =>
    role === 'serving' && phase === 'up' && listens === 'nowhere' && ids.includes(id);
  return all.filter(isSilent).map(({ id }) => id);
}

function endOf({ exit, unready }: LastExit): string {
  return unready ? 'was not ready in time' : describeExit(exit);
}
