/**
 * The life of one instance, as a table: phase x input -> the next phase and what to do about it.
 *
 * Pure: the supervisor performs the effects and feeds the results back as inputs. Waits are absolute times. The number
 * of a life that begins is not decided here: other instances may have had lives in the same slot.
 */
import { lastChance } from '../grace.js';
import type {
  Exit,
  Happening,
  Instance,
  InstanceSpec,
  Millis,
  Phase,
  PhaseName,
  Remains,
  Role,
  StopCause,
} from '../model.js';
import { isReload, reasonToStay } from './down-reason.js';
import { endedByItself, exited, tell } from './end-of-life.js';

export type Input =
  | { readonly type: 'start' }
  /** `patient` never escalates to SIGKILL. */
  | { readonly type: 'stop'; readonly cause: StopCause; readonly patient: boolean }
  | { readonly type: 'restart'; readonly cause: StopCause }
  | { readonly type: 'kill'; readonly cause: StopCause }
  | { readonly type: 'ready' }
  /** The leader ignores the stop signal that it alone was sent. */
  | { readonly type: 'unheard' }
  | { readonly type: 'orphaned'; readonly exit: Exit; readonly processes: number }
  | { readonly type: 'exited'; readonly remains: Remains }
  | { readonly type: 'deadline' };

export type Effect =
  | { readonly type: 'spawn' }
  | { readonly type: 'signal'; readonly signal: NodeJS.Signals; readonly to: 'leader' | 'rest' | 'tree' }
  | { readonly type: 'kill' }
  | { readonly type: 'abandon' }
  | { readonly type: 'tell'; readonly event: Happening };

export interface Step {
  readonly instance: Instance;
  readonly effects: readonly Effect[];
}

/** So long a process may outlive SIGKILL (state D) before it is named and left. */
export const patience: Millis = 5_000;

type In<P extends PhaseName> = Instance & { readonly phase: Extract<Phase, { is: P }> };
type InputOf<T extends Input['type']> = Extract<Input, { type: T }>;
type Cell<P extends PhaseName, T extends Input['type']> = (i: In<P>, input: InputOf<T>, now: Millis) => Step;
type Table = { [P in PhaseName]: { [T in Input['type']]: Cell<P, T> } };

// biome-ignore format: the columns are the point
const table: Table = {
  //          start               stop              restart               kill              ready            unheard          orphaned               exited              deadline
  down:     { start: spawnAfresh, stop: wantDown,   restart: revive,      kill: wantDown,   ready: stay,     unheard: stay,   orphaned: impossible,  exited: impossible, deadline: stay   },
  starting: { start: stay,        stop: bringDown,  restart: bringAround, kill: endNow,     ready: rise,     unheard: stay,   orphaned: sweep,       exited: died,       deadline: settle },
  up:       { start: stay,        stop: bringDown,  restart: bringAround, kill: endNow,     ready: stay,     unheard: stay,   orphaned: sweep,       exited: died,       deadline: stay   },
  stopping: { start: wantUp,      stop: hurry,      restart: wantAnother, kill: killNow,    ready: stay,     unheard: spread, orphaned: spread,      exited: stopped,    deadline: escalate },
  backoff:  { start: spawnAfresh, stop: settleDown, restart: spawnAfresh, kill: settleDown, ready: stay,     unheard: stay,   orphaned: impossible,  exited: impossible, deadline: retry  },
  failed:   { start: spawnAfresh, stop: wantDown,   restart: revive,      kill: wantDown,   ready: stay,     unheard: stay,   orphaned: impossible,  exited: impossible, deadline: stay   },
};

/** One that has not lived yet. `key`: unlike that of any other instance of the run. */
export function newInstance(spec: InstanceSpec, key: string, role: Role = 'serving'): Instance {
  return { spec, key, role, generation: 0, goal: 'down', failures: 0, stillborn: 0, phase: { is: 'down' } };
}

/** What an input does to an instance at a time. A `deadline` before its time changes nothing. */
export function step(instance: Instance, input: Input, now: Millis): Step {
  // The one cast: the row is chosen by `instance.phase.is` and the cell by `input.type`, which TypeScript cannot follow.
  const cell = table[instance.phase.is][input.type] as (i: Instance, input: Input, now: Millis) => Step;
  return cell(instance, input, now);
}

/** When this instance must be stepped again if nothing else happens; `Infinity` for never. */
export function nextDeadline({ phase }: Instance): Millis {
  switch (phase.is) {
    case 'starting':
      return Math.min(phase.settlesAt, phase.givesUpAt);
    case 'stopping':
      return Math.min(phase.spreadsAt ?? Infinity, phase.killAt, phase.abandonAt);
    case 'backoff':
      return phase.retryAt;
    case 'up':
    case 'down':
    case 'failed':
      return Infinity;
    default:
      return phase satisfies never;
  }
}

function stay(instance: Instance): Step {
  return { instance, effects: [] };
}

function impossible(instance: Instance, input: Input): Step {
  throw new Error(`${instance.spec.id} is ${instance.phase.is} and cannot have ${input.type}`);
}

function wantDown(instance: Instance): Step {
  return stay({ ...instance, goal: 'down' });
}

function spawnAfresh(instance: Instance, input: Input, now: Millis): Step {
  const changed = input.type === 'restart' && input.cause.reason === 'changed';
  return spawn({ ...instance, goal: 'up', failures: 0, stillborn: 0 }, now, changed);
}

function spawn(instance: Instance, now: Millis, changed = false): Step {
  const { settle, ready } = instance.spec;
  const settlesAt = ready === undefined ? now + settle : Infinity;
  const givesUpAt = ready === undefined ? Infinity : now + ready.timeout;
  return {
    instance: {
      ...instance,
      phase: { is: 'starting', since: now, settlesAt, givesUpAt, changed },
    },
    effects: [{ type: 'spawn' }],
  };
}

/** A reload wakes what ended by itself; never what a person or a lease put down, nor what nobody has started yet. */
function revive(i: In<'down' | 'failed'>, input: InputOf<'restart'>, now: Millis): Step {
  return isReload(input.cause) && i.goal === 'down' ? stay(i) : spawnAfresh(i, input, now);
}

function settle(i: In<'starting'>, _input: Input, now: Millis): Step {
  if (now >= i.phase.givesUpAt) return giveUp(i, now);
  return now < i.phase.settlesAt ? stay(i) : rise(i, { type: 'ready' }, now);
}

function rise(i: In<'starting'>, _input: Input, now: Millis): Step {
  const { since } = i.phase;
  const probed = i.spec.ready !== undefined;
  return {
    instance: { ...i, stillborn: 0, phase: { is: 'up', since: now, startedAt: since } },
    effects: [tell({ type: 'up', id: i.spec.id, generation: i.generation, after: now - since, probed })],
  };
}

/** It runs but is not ready in time: that counts as a crash, so it is ended without a cause of ours. */
function giveUp(i: In<'starting'>, now: Millis): Step {
  const { generation, spec, role } = i;
  const { id, grace } = spec;
  const { phase, effect } = asked(i, { ...ending(i.phase, now), unready: true }, grace, now);
  const life = { id, generation, ...(role === 'coming' && { coming: true as const }) };
  return {
    instance: { ...i, phase },
    effects: [tell({ type: 'unready', ...life, after: now - i.phase.since, waiting: [] }), effect],
  };
}

function bringDown(i: In<'starting' | 'up'>, { cause, patient }: InputOf<'stop'>, now: Millis): Step {
  const { id, stopSignal: signal } = i.spec;
  const grace = patient ? Infinity : i.spec.grace;
  const { phase, effect } = asked(i, { ...ending(i.phase, now), cause }, grace, now);
  return {
    instance: { ...i, goal: 'down', phase },
    effects: [tell({ type: 'stopping', id, generation: i.generation, cause, signal, grace }), effect],
  };
}

/** The stop signal is sent: to the leader, where that is to finish its work and tells its processes how, or to all. */
function asked(i: Instance, phase: Omit<In<'stopping'>['phase'], 'killAt' | 'abandonAt'>, grace: Millis, now: Millis) {
  const { stop, stopSignal: signal } = i.spec;
  const isReplaced = i.role === 'going' && phase.cause?.reason === 'replaced';
  const to = isReplaced ? 'leader' : stop;
  const killAt = now + grace;
  const spreadsAt = killAt - (grace === Infinity ? 0 : lastChance(grace));
  return {
    phase: { ...phase, killAt, abandonAt: Infinity, ...(to === 'leader' && { spreadsAt }) },
    effect: { type: 'signal', signal, to } as const,
  };
}

function endNow(i: In<'starting' | 'up'>, { cause }: InputOf<'kill'>, now: Millis): Step {
  const forced = { killAt: Infinity, abandonAt: now + patience, forced: 'request' } as const;
  const phase: Phase = { ...ending(i.phase, now), cause, ...forced };
  return { instance: { ...i, goal: 'down', phase }, effects: [{ type: 'kill' }] };
}

/** The leader went and left processes: end them before anything else, so that the port is free for the next life. */
function sweep(i: In<'starting' | 'up'>, { exit, processes }: InputOf<'orphaned'>, now: Millis): Step {
  const { id, stopSignal: signal } = i.spec;
  return {
    instance: { ...i, phase: { ...ending(i.phase, now), killAt: now + i.spec.grace, abandonAt: Infinity } },
    effects: [tell({ type: 'orphaned', id, exit, processes }), { type: 'signal', signal, to: 'tree' }],
  };
}

/** The leader has gone, does not listen, or has taken its time: the processes that it has not told are told. */
function spread(i: In<'stopping'>): Step {
  const { spreadsAt, ...phase } = i.phase;
  if (spreadsAt === undefined || phase.abandonAt < Infinity) return stay(i);
  return { instance: { ...i, phase }, effects: [{ type: 'signal', signal: i.spec.stopSignal, to: 'rest' }] };
}

function ending(phase: In<'starting' | 'up'>['phase'], now: Millis) {
  const wasUp = phase.is === 'up';
  const changed = phase.is === 'starting' && phase.changed;
  const since = phase.is === 'up' ? phase.startedAt : phase.since;
  return { is: 'stopping', since, wasUp, changed, stoppedAt: now } as const;
}

function bringAround(i: In<'starting' | 'up'>, input: InputOf<'restart'>, now: Millis): Step {
  const down = bringDown(i, { type: 'stop', cause: input.cause, patient: false }, now);
  return { ...down, instance: { ...down.instance, goal: 'up' } };
}

function wantUp(i: In<'stopping'>): Step {
  return stay({ ...i, goal: 'up' });
}

/** What a person or a lease is putting down, a reload does not bring back. */
function wantAnother(i: In<'stopping'>, input: InputOf<'restart'>): Step {
  if (input.cause.reason !== 'requested' && i.goal === 'down') return stay(i);
  return stay({ ...i, goal: 'up', phase: { ...i.phase, cause: i.phase.cause ?? input.cause } });
}

function hurry(i: In<'stopping'>, input: InputOf<'stop'>): Step {
  return stay({ ...i, goal: 'down', phase: { ...i.phase, cause: reasonToStay(i.goal, i.phase.cause, input.cause) } });
}

function killNow(i: In<'stopping'>, input: InputOf<'kill'>, now: Millis): Step {
  const { instance } = hurry(i, { type: 'stop', cause: input.cause, patient: false });
  const { spreadsAt: _, ...phase } = i.phase;
  return {
    instance: {
      ...instance,
      phase: { ...phase, cause: input.cause, killAt: Infinity, abandonAt: now + patience, forced: 'request' },
    },
    effects: [{ type: 'kill' }],
  };
}

function escalate(i: In<'stopping'>, _input: Input, now: Millis): Step {
  if (now >= i.phase.abandonAt) {
    return { instance: { ...i, phase: { ...i.phase, abandonAt: Infinity } }, effects: [{ type: 'abandon' }] };
  }
  if (now < i.phase.killAt) return now < (i.phase.spreadsAt ?? Infinity) ? stay(i) : spread(i);
  const { spreadsAt: _, ...phase } = i.phase;
  return {
    instance: { ...i, phase: { ...phase, killAt: Infinity, abandonAt: now + patience, forced: 'grace' } },
    effects: [
      { type: 'kill' },
      tell({ type: 'killed', id: i.spec.id, signal: i.spec.stopSignal, after: now - i.phase.stoppedAt }),
    ],
  };
}

function retry(i: In<'backoff'>, _input: Input, now: Millis): Step {
  return now < i.phase.retryAt ? stay(i) : spawn(i, now);
}

function settleDown(i: In<'backoff'>, { cause }: InputOf<'stop' | 'kill'>): Step {
  const remains: Remains = { exit: i.phase.lastExit, processes: 0, survivors: [] };
  return {
    instance: { ...i, goal: 'down', phase: { is: 'down', lastExit: i.phase.lastExit, cause } },
    effects: [exited(i, { remains, ran: 0, wasUp: false, changed: false, cause }, { is: 'down' })],
  };
}

function stopped(i: In<'stopping'>, input: InputOf<'exited'>, now: Millis): Step {
  const { cause, since, stoppedAt, wasUp, changed, unready, forced } = i.phase;
  const ended = {
    ...{ remains: input.remains, ran: stoppedAt - since, wasUp, changed, took: now - stoppedAt },
    ...{ ...(forced && { forced }), ...(unready && { unready }) },
  };
  if (cause === undefined) return endedByItself(i, ended, now);
  if (i.goal === 'up') {
    const next = spawnAfresh(i, { type: 'restart', cause }, now);
    return {
      ...next,
      effects: [exited(i, { ...ended, cause }, { is: 'restart', delay: 0, failures: 0 }), ...next.effects],
    };
  }
  return {
    instance: { ...i, phase: { is: 'down', lastExit: input.remains.exit, cause } },
    effects: [exited(i, { ...ended, cause }, { is: 'down' })],
  };
}

function died(i: In<'starting' | 'up'>, input: InputOf<'exited'>, now: Millis): Step {
  const wasUp = i.phase.is === 'up';
  const changed = i.phase.is === 'starting' && i.phase.changed;
  const since = i.phase.is === 'up' ? i.phase.startedAt : i.phase.since;
  return endedByItself(i, { remains: input.remains, ran: now - since, wasUp, changed }, now);
}
