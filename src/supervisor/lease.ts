/**
 * The lease of one service: how long it may live. It belongs to the service, not to one life of it, so a
 * restart does not renew it. Pure, like the instance table: the supervisor steps it and acts on the effects.
 */
import type { Millis, StopCause } from '../model.js';

export interface Lease {
  readonly ttl: Millis;
  readonly state:
    | { readonly is: 'off' }
    | { readonly is: 'running'; readonly endsAt: Millis; readonly warnAt: Millis }
    | { readonly is: 'ended' };
}

export type LeaseInput =
  /** The service was started on request: the lease begins, unless it runs. */
  { readonly type: 'started' } | { readonly type: 'stopped' } | { readonly type: 'deadline' };

export type LeaseEffect =
  | { readonly type: 'warn'; readonly in: Millis }
  | { readonly type: 'expire'; readonly cause: StopCause };

export interface LeaseStep {
  readonly lease: Lease;
  readonly effects: readonly LeaseEffect[];
}

export function newLease(ttl: Millis): Lease {
  return { ttl, state: { is: 'off' } };
}

/** One minute before the end, or a tenth of the lease if that is shorter. */
export function warningBefore(window: Millis): Millis {
  return Math.min(60_000, window / 10);
}

export function stepLease(lease: Lease, input: LeaseInput, now: Millis): LeaseStep {
  const { ttl, state } = lease;
  switch (input.type) {
    case 'started': {
      if (state.is === 'running') return { lease, effects: [] };
      const endsAt = now + ttl;
      return { lease: { ttl, state: { is: 'running', endsAt, warnAt: endsAt - warningBefore(ttl) } }, effects: [] };
    }
    case 'stopped':
      return { lease: { ttl, state: { is: 'off' } }, effects: [] };
    case 'deadline': {
      if (state.is !== 'running') return { lease, effects: [] };
      if (now >= state.endsAt) {
        return {
          lease: { ttl, state: { is: 'ended' } },
          effects: [{ type: 'expire', cause: { reason: 'ttl', window: ttl } }],
        };
      }
      if (now < state.warnAt) return { lease, effects: [] };
      return {
        lease: { ttl, state: { ...state, warnAt: Infinity } },
        effects: [{ type: 'warn', in: state.endsAt - now }],
      };
    }
    default:
      return input satisfies never;
  }
}

/** When the lease must be stepped again; `Infinity` for never. */
export function leaseDeadline({ state }: Lease): Millis {
  return state.is === 'running' ? Math.min(state.endsAt, state.warnAt) : Infinity;
}
