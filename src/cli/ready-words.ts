/** Says how instances stand that a command has waited for. */
import type { Waited } from '../control/protocol.js';

/** Of what runs and has a port, but listens nowhere. */
export const upAndSilent = 'up (nothing listens)';

/** `web.1, web.2: ready; worker.1: up (nothing listens)` */
export function readyWords({ ids, silent = [] }: Waited): string {
  const ready = ids.filter((id) => !silent.includes(id));
  return [
    ...(ready.length === 0 ? [] : [`${ready.join(', ')}: ready`]),
    ...(silent.length === 0 ? [] : [`${silent.join(', ')}: ${upAndSilent}`]),
  ].join('; ');
}
