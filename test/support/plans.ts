import type { InstanceSpec, Plan, ServiceSpec } from '../../src/model.js';

/** An instance with short, round numbers; what a test is about it says itself. */
export function instanceSpec(over: Partial<InstanceSpec> = {}): InstanceSpec {
  const id = over.id ?? 'web.1';
  return {
    id,
    tag: id.split('.')[0] ?? id,
    argv: ['/bin/sh', '-c', 'true'],
    env: {},
    port: 5000,
    tty: false,
    directory: '/',
    detach: [],
    restart: 'on-failure',
    backoff: { first: 1_000, max: 8_000, forgiveAfter: 30_000, giveUpAfter: 3 },
    settle: 1_000,
    stopSignal: 'SIGTERM',
    stop: 'tree',
    reloadSignal: 'SIGTERM',
    grace: 300,
    ...over,
  };
}

export interface ServiceWish extends Partial<InstanceSpec> {
  readonly ttl?: number;
  readonly count?: number;
  readonly idle?: number;
  readonly idleOn?: ServiceSpec['idleOn'];
  readonly start?: ServiceSpec['start'];
  readonly after?: readonly string[];
  readonly every?: string;
  readonly watch?: readonly string[];
  readonly reload?: ServiceSpec['reload'];
  readonly overlaps?: boolean;
  readonly reloadEvery?: number;
  readonly killOldDelay?: number;
}

/** A plan from wishes by tag: `{ web: { ttl: 5000, count: 2 }, worker: {} }`. */
export function planOf(wishes: Record<string, ServiceWish>, over: Partial<Plan> = {}): Plan {
  const services = Object.entries(wishes).map(([tag, wish], position): ServiceSpec => {
    const {
      ttl = Infinity,
      idle = Infinity,
      idleOn = 'access',
      start = 'always',
      after = [],
      every,
      watch = [],
      reload = 'restart',
      overlaps = true,
      reloadEvery = Infinity,
      killOldDelay = 0,
      count = 1,
      ...spec
    } = wish;
    const instances = Array.from({ length: count }, (_, index) =>
      instanceSpec({ ...spec, id: `${tag}.${index + 1}`, tag, port: 5000 + 100 * position + index }),
    );
    const reloading = { watch, reload, overlaps, reloadEvery, killOldDelay };
    return {
      tag,
      command: 'true',
      position,
      ttl,
      idle,
      idleOn,
      start,
      after,
      ...reloading,
      fronts: [],
      instances,
      ...(every && { every }),
    };
  });
  return { root: '/', procfile: '/Procfile', services, onExit: 'restart', expireStatus: 0, ...over };
}
