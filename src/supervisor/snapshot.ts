/** How a run stands, as data for whoever asks. Only reads. */
import type { Instance, InstanceSnapshot, Millis, Plan, ServiceSnapshot, Snapshot } from '../model.js';
import type { Leases } from './leases.js';
import type { Lives } from './lives.js';
import type { Roster } from './roster.js';
import type { Schedules } from './schedules.js';
import type { Uses } from './uses.js';

export interface Shown {
  readonly plan: Plan;
  readonly roster: Roster;
  readonly leases: Leases;
  readonly lives: Lives;
  readonly uses: Uses;
  readonly schedules: Schedules;
}

export function takeSnapshot({ roster, ...shown }: Shown, now: Millis): Snapshot {
  const { leases, uses, schedules } = shown;
  const services = [...roster.services.values()].map((service): ServiceSnapshot => {
    const { tag, command, position, start, reload, fronts } = service;
    const lease = leases.isHeld(tag) ? leases.remaining(tag) : undefined;
    const nextIn = schedules.remaining(tag);
    const { last, busy } = uses.of(service);
    const usedAgo = busy && !roster.has(tag, 'starting') ? 0 : now - last;
    return {
      ...{ tag, command, position, start, listen: fronts.map(({ listen }) => listen) },
      ...(reload !== 'restart' && { reload }),
      ...(lease && { lease }),
      ...(nextIn !== undefined && { nextIn }),
      ...(usedAgo < Infinity && { usedAgo: Math.max(0, usedAgo) }),
      instances: roster.of(tag).map((instance) => instanceSnapshot(instance, shown, now)),
    };
  });
  return { services };
}

function instanceSnapshot(instance: Instance, { lives }: Pick<Shown, 'lives'>, now: Millis): InstanceSnapshot {
  const { spec, phase, role, generation } = instance;
  const child = lives.of(instance);
  const began = phase.is === 'up' ? phase.startedAt : 'since' in phase ? phase.since : undefined;
  const last = lives.lastEnd(spec.id);
  return {
    ...{ id: spec.id, phase: phase.is, role, generation, port: spec.port },
    ...(child && child.pid > 0 && { pid: child.pid, mark: child.mark }),
    ...listensOf(instance, lives),
    ...(began !== undefined && { age: now - began }),
    ...(phase.is === 'backoff' && { retryIn: Math.max(0, phase.retryAt - now) }),
    ...('cause' in phase && phase.cause && { cause: phase.cause }),
    ...(last && {
      last: {
        exit: last.exit,
        ago: now - last.at,
        ...(last.cause && { cause: last.cause }),
        ...(last.forced && { forced: last.forced }),
        ...(last.unready && { unready: last.unready }),
      },
    }),
  };
}

function listensOf({ spec, phase, generation }: Instance, lives: Lives): Pick<InstanceSnapshot, 'listens'> {
  const isAlive = phase.is === 'starting' || phase.is === 'up';
  const listens = isAlive ? lives.listening.of({ id: spec.id, generation }) : undefined;
  return listens === undefined ? {} : { listens };
}
