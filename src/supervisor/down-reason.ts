/** Why an instance is down, where several have wanted that. Pure. */
import type { Instance, StopCause } from '../model.js';

/**
 * Of what is being stopped: what put it down first, though others want the same later; only a person, or the end of the run,
 * speaks after that. That it is to have another life is no reason to be down.
 */
export function reasonToStay(goal: Instance['goal'], before: StopCause | undefined, cause: StopCause): StopCause {
  const first = goal === 'up' || (before && isReload(before)) ? undefined : before;
  const isLast = cause.reason === 'requested' || cause.reason === 'shutdown';
  return isLast ? cause : (first ?? cause);
}

/** Whether it makes way for its next life. */
export function isReload({ reason }: StopCause): boolean {
  return reason === 'changed' || reason === 'replaced';
}
