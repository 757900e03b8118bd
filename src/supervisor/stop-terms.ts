/** What is still to be done to end a life, by the state of its instance. Pure. */
import type { Instance } from '../model.js';
import type { StopTerms } from '../ports.js';

export function stopTermsOf({ spec, role, phase }: Instance): StopTerms {
  const { stopSignal: signal, grace } = spec;
  if (phase.is !== 'stopping') return { signal, to: role === 'going' ? 'leader' : spec.stop, grace };
  if (phase.forced !== undefined) return { signal, to: 'nobody', grace: 0 };
  return { signal, to: phase.spreadsAt === undefined ? 'nobody' : 'rest', grace };
}
