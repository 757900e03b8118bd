/**
 * The lease of one service: how long it may live (ttl), and how long without use (idle). It belongs to the
 * service, not to one life of it, so a restart does not renew a ttl and an access to any instance renews the
 * window of all. Pure, like the instance table: the supervisor steps it and acts on the effects.
 *
 * Use is looked for, not reported: at a deadline of the idle window the supervisor says what is known by then.
 */
import type { LeaseSnapshot, Millis, StopCause, Why } from '../model.js';
import type { Use } from '../ports.js';

export interface Lease {
  readonly ttl: Millis;
  readonly idle: Millis;
  readonly state:
    | { readonly is: 'off' }
    | {
        readonly is: 'running';
        /** Of the ttl. */
        readonly endsAt: Millis;
        /** Of the idle window, as far as is known. */
        readonly idleAt: Millis;
        /** The last use that is known of; when the lease began, if none. */
        readonly usedAt: Millis;
        readonly everUsed: boolean;
        /** The next warning for each. */
        readonly warnAt: Millis;
        readonly warnIdleAt: Millis;
        /** The idle window does not end before: somebody extended it. */
        readonly heldUntil: Millis;
        /** Somebody took the end away. */
        readonly kept: boolean;
      }
    | { readonly is: 'ended' };
}

type Running = Extract<Lease['state'], { is: 'running' }>;

export type LeaseInput =
  /** The service was started on request: the lease begins, unless it runs. */
  | { readonly type: 'started' }
  | { readonly type: 'stopped' }
  /** More time: the end of what there is moves; what is kept gets an end again, so far from now. */
  | { readonly type: 'extend'; readonly by: Millis; readonly use?: Pick<Use, 'last' | 'busy'> }
  | { readonly type: 'keep' }
  /** Ends now. */
  | { readonly type: 'expire'; readonly why?: Why }
  /** `use`: what is known of its use now; needed when there is an idle window. */
  | { readonly type: 'deadline'; readonly use?: Pick<Use, 'last' | 'busy'> };

export type LeaseEffect =
  | { readonly type: 'warn'; readonly reason: 'ttl' | 'idle'; readonly in: Millis }
  | { readonly type: 'expire'; readonly cause: StopCause };

export interface LeaseStep {
  readonly lease: Lease;
  readonly effects: readonly LeaseEffect[];
}

export function newLease({ ttl, idle }: Pick<Lease, 'ttl' | 'idle'>): Lease {
  return { ttl, idle, state: { is: 'off' } };
}

/** One minute before the end, or a tenth of the lease if that is shorter. */
export function warningBefore(window: Millis): Millis {
  return Math.min(60_000, window / 10);
}

export function stepLease(lease: Lease, input: LeaseInput, now: Millis): LeaseStep {
  const { state } = lease;
  switch (input.type) {
    case 'started':
      if (state.is === 'running') return { lease, effects: [] };
      return { lease: { ...lease, state: begin(lease, now) }, effects: [] };
    case 'stopped':
      return { lease: { ...lease, state: { is: 'off' } }, effects: [] };
    case 'extend':
      if (state.is !== 'running') return { lease, effects: [] };
      return {
        lease: { ...lease, state: extended(lease, renewed(lease, state, input.use, now), input.by, now) },
        effects: [],
      };
    case 'keep':
      if (state.is !== 'running') return { lease, effects: [] };
      return { lease: { ...lease, state: { ...state, ...endless } }, effects: [] };
    case 'expire':
      return state.is === 'running'
        ? expire(lease, { reason: 'expired', ...(input.why && { why: input.why }) })
        : { lease, effects: [] };
    case 'deadline':
      return state.is === 'running'
        ? atDeadline(lease, renewed(lease, state, input.use, now), now)
        : { lease, effects: [] };
    default:
      return input satisfies never;
  }
}

/** When the lease must be stepped again; `Infinity` for never. */
export function leaseDeadline({ state }: Lease): Millis {
  return state.is === 'running' ? Math.min(state.endsAt, state.idleAt, state.warnAt, state.warnIdleAt) : Infinity;
}

function begin({ ttl, idle }: Lease, now: Millis): Running {
  const endsAt = now + ttl;
  const idleAt = now + idle;
  return {
    ...{ is: 'running', endsAt, idleAt, usedAt: now, everUsed: false },
    ...{ warnAt: endsAt - warningBefore(ttl), warnIdleAt: idleAt - warningBefore(idle) },
    ...{ heldUntil: -Infinity, kept: false },
  };
}

const endless = { kept: true, endsAt: Infinity, idleAt: Infinity, warnAt: Infinity, warnIdleAt: Infinity } as const;

function extended({ ttl, idle }: Lease, state: Running, by: Millis, now: Millis): Running {
  // What was not there before it was kept is not there afterwards.
  const from = (window: Millis, end: Millis) => (window === Infinity ? Infinity : (state.kept ? now : end) + by);
  const [endsAt, idleAt] = [from(ttl, state.endsAt), from(idle, state.idleAt)];
  return {
    ...{ ...state, kept: false, endsAt, idleAt, heldUntil: idle === Infinity ? -Infinity : idleAt },
    ...{ warnAt: endsAt - warningBefore(ttl), warnIdleAt: idleAt - warningBefore(idle) },
  };
}

/** What is left of a lease, as far as its use is known; undefined when it does not run. */
export function remaining(
  lease: Lease,
  use: Pick<Use, 'last' | 'busy'> | undefined,
  now: Millis,
): LeaseSnapshot | undefined {
  if (lease.state.is !== 'running') return undefined;
  const { endsAt, idleAt, kept } = renewed(lease, lease.state, use, now);
  const left = (at: Millis) => Math.max(0, at - now);
  return { ...(endsAt < Infinity && { ttl: left(endsAt) }), ...(idleAt < Infinity && { idle: left(idleAt) }), kept };
}

/** The idle window as the last use leaves it. While the service is in use, it has the whole window before it. */
function renewed({ idle }: Lease, state: Running, use: Pick<Use, 'last' | 'busy'> | undefined, now: Millis): Running {
  if (use === undefined) return state;
  const usedAt = use.busy ? now : Math.min(Math.max(use.last, state.usedAt), now);
  if (usedAt <= state.usedAt) return state;
  const idleAt = state.kept ? Infinity : Math.max(usedAt + idle, state.heldUntil);
  const everUsed = state.everUsed || use.last > state.usedAt;
  return { ...state, usedAt, idleAt, everUsed, warnIdleAt: idleAt - warningBefore(idle) };
}

function atDeadline(lease: Lease, state: Running, now: Millis): LeaseStep {
  const { ttl, idle } = lease;
  if (now >= state.endsAt) return expire(lease, { reason: 'ttl', window: ttl });
  if (now >= state.idleAt) {
    const since = state.everUsed ? { since: now - state.usedAt } : {};
    return expire(lease, { reason: 'idle', window: idle, ...since });
  }
  const effects: LeaseEffect[] = [];
  if (now >= state.warnAt) effects.push({ type: 'warn', reason: 'ttl', in: state.endsAt - now });
  if (now >= state.warnIdleAt) effects.push({ type: 'warn', reason: 'idle', in: state.idleAt - now });
  return {
    lease: {
      ...lease,
      state: {
        ...state,
        warnAt: now >= state.warnAt ? Infinity : state.warnAt,
        warnIdleAt: now >= state.warnIdleAt ? Infinity : state.warnIdleAt,
      },
    },
    effects,
  };
}

function expire(lease: Lease, cause: StopCause): LeaseStep {
  return { lease: { ...lease, state: { is: 'ended' } }, effects: [{ type: 'expire', cause }] };
}
