/** What became of new generations that somebody asked for: for each slot, once it is known. */
import { formatDuration } from '../duration.js';
import { ProcletError } from '../errors.js';
import { describeExit } from '../exit-status.js';
import type { InstanceId, Millis, ProcletEvent, ServiceSnapshot, Why } from '../model.js';
import type { Supervision } from '../ports.js';
import type { Subject } from './desk.js';
import type { Reloaded } from './protocol.js';
import type { Call } from './server.js';

/** How much of what a failed generation printed is told. */
const lastLines = 20;

/** What happened to a slot since, beside how it stands. */
export interface Since {
  /** The generation that was the last one when the reload was asked for. */
  readonly before: number;
  /** The last generation that failed while the one before it went on. */
  readonly failed?: number;
  /** The one from which the last one took over. */
  readonly from?: number;
  /** A new generation of another slot failed, so that this one was not tried. */
  readonly isOff: boolean;
}

type Outcome =
  | { readonly is: 'handed-over'; readonly generation: number; readonly from: number; readonly silent?: true }
  | { readonly is: 'restarted'; readonly generation: number; readonly silent?: true }
  | { readonly is: 'failed'; readonly generation: number }
  | { readonly is: 'kept'; readonly generation: number; readonly failed?: number }
  | { readonly is: 'stopped' };

/** Undefined while it is not known yet. Pure. */
export function outcomeOf(id: InstanceId, service: ServiceSnapshot | undefined, since: Since): Outcome | undefined {
  const own = service?.instances.filter((one) => one.id === id) ?? [];
  const serving = own.find(({ role }) => role === 'serving');
  if (serving === undefined) return { is: 'stopped' };
  const { phase, generation, cause, listens } = serving;
  const { before, failed, from, isOff } = since;
  if (failed !== undefined && failed > before) return { is: 'kept', generation, failed };
  if (phase === 'down' && cause !== undefined) return { is: 'stopped' };
  if (own.some(({ role }) => role === 'coming')) return undefined;
  if (phase === 'failed' || (phase === 'backoff' && generation > before)) return { is: 'failed', generation };
  const serves = phase === 'up' || phase === 'starting';
  if (generation <= before) return isOff && serves ? { is: 'kept', generation } : undefined;
  // It has done its work already, and well.
  if (phase === 'down') return { is: 'restarted', generation };
  if (phase !== 'up' || listens === 'pending') return undefined;
  const silent = listens === 'nowhere' && ({ silent: true } as const);
  return {
    ...(from === undefined ? { is: 'restarted', generation } : { is: 'handed-over', generation, from }),
    ...silent,
  };
}

/** Asks for it, and resolves when the outcome of each slot is known. Rejects with TIMEOUT and those that are not. */
export function reload(
  {
    targets,
    why,
    timeout,
    wait,
  }: { readonly targets: readonly string[]; readonly why?: Why; readonly timeout: Millis; readonly wait: boolean },
  call: Call,
  subject: Subject,
): Promise<{ ids: readonly InstanceId[]; reloaded?: readonly Reloaded[] }> {
  const { supervision, clock } = subject;
  const before = new Map(lastGenerations(supervision));
  const seen = createWitness();
  return new Promise((resolve, reject) => {
    let ids: readonly InstanceId[] = [];
    const look = (isLast: boolean) => {
      const { services } = supervision.snapshot();
      const outcomes = ids.map((id) => {
        const service = services.find(({ instances }) => instances.some((one) => one.id === id));
        return { id, outcome: outcomeOf(id, service, seen.since(id, before.get(id) ?? 0)) };
      });
      const pending = outcomes.filter(({ outcome }) => outcome === undefined).map(({ id }) => id);
      if (pending.length > 0) {
        if (isLast) reject(new ProcletError('TIMEOUT', `not done: ${pending.join(', ')}`));
        return;
      }
      const reloaded = outcomes.flatMap(({ id, outcome }) => (outcome ? [{ id, ...outcome }] : []));
      resolve({ ids, reloaded: reloaded.map((one) => withReason(one, seen, subject.events())) });
    };
    // Before it is asked for: what happens at once is seen, too.
    const leave = supervision.subscribe((event) => {
      seen.observe(event);
      if (event.type === 'stopped') reject(new ProcletError('NOT_RUNNING', 'the run ended'));
      else if (event.type !== 'output' && ids.length > 0) look(false);
    });
    call.onEnd(leave);
    ids = supervision.request({ type: 'reload', targets, ...(why && { why }) });
    if (!wait) return resolve({ ids });
    call.onEnd(clock.wakeAt(clock.now() + timeout, () => look(true)));
    look(false);
  });
}

function lastGenerations(supervision: Supervision): readonly (readonly [InstanceId, number])[] {
  const all = supervision.snapshot().services.flatMap(({ instances }) => instances);
  return all.map(({ id }) => [id, Math.max(...all.flatMap((one) => (one.id === id ? [one.generation] : [])))] as const);
}

/** Remembers what events say of generations. */
function createWitness() {
  const failed = new Map<InstanceId, number>();
  const from = new Map<InstanceId, number>();
  const ends = new Map<string, string>();
  return {
    observe(event: ProcletEvent): void {
      if (event.type === 'kept') failed.set(event.id, event.failed);
      else if (event.type === 'handed-over') from.set(event.id, event.from);
      else if (event.type === 'exited') {
        const how = event.unready ? `was not ready in ${formatDuration(event.ran)}` : describeExit(event.exit);
        ends.set(`${event.id} ${event.generation}`, how);
      }
    },
    since(id: InstanceId, before: number): Since {
      const [own, old] = [failed.get(id), from.get(id)];
      const isOff = [...failed.keys()].some((other) => tagOf(other) === tagOf(id));
      return { before, isOff, ...(own !== undefined && { failed: own }), ...(old !== undefined && { from: old }) };
    },
    endOf: (id: InstanceId, generation: number): string | undefined => ends.get(`${id} ${generation}`),
  };
}

/** How a generation that failed ended, and what it printed last. */
function withReason(
  one: { readonly id: InstanceId } & Outcome,
  { endOf }: Pick<ReturnType<typeof createWitness>, 'endOf'>,
  events: readonly ProcletEvent[],
): Reloaded {
  const generation = one.is === 'kept' ? one.failed : one.is === 'failed' ? one.generation : undefined;
  if (generation === undefined) return one;
  const how = endOf(one.id, generation);
  const lines = events.flatMap((event) =>
    event.type === 'output' && event.end !== 'open' && event.id === one.id && event.generation === generation
      ? Buffer.from(event.text, 'latin1').toString('utf8').replace(/\n$/, '').split('\n')
      : [],
  );
  return { ...one, ...(how !== undefined && { how }), lastWords: lines.slice(-lastLines) };
}

function tagOf(id: InstanceId): string {
  return id.slice(0, id.lastIndexOf('.'));
}
