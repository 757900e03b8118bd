import { describe, expect, test } from 'vitest';
import type { FrontSpec, Plan, ServiceSpec, Tag } from '../../../src/model.js';
import { exchangedPorts, type Held, ownAddresses } from '../../../src/supervisor/exchanged-ports.js';
import { signal } from '../../support/fake-children.js';
import { planOf, type ServiceWish } from '../../support/plans.js';
import { supervised } from '../../support/supervised.js';

/** Services with these ports of their first instances. */
function at(ports: Readonly<Record<Tag, number>>, wish: ServiceWish = {}): Plan {
  const plan = planOf(Object.fromEntries(Object.keys(ports).map((tag) => [tag, wish])));
  const services = plan.services.map((service): ServiceSpec => {
    const first = ports[service.tag] ?? 0;
    return { ...service, instances: service.instances.map((spec, index) => ({ ...spec, port: first + index })) };
  });
  return { ...plan, services };
}

function exchanges(before: Plan, after: Plan): Record<string, string[]> {
  const lives = before.services.flatMap((service) =>
    service.instances.map((spec): Held => {
      return { tag: spec.tag, id: spec.id, addresses: ownAddresses(service, spec) };
    }),
  );
  const found = exchangedPorts(lives, new Map(after.services.map((service) => [service.tag, service])));
  return Object.fromEntries([...found].map(([id, holders]) => [id, holders.map((life) => life.id)]));
}

describe('a slot waits for the lives that hold what it is to get:', () => {
  test('two that exchange their ports, and three in a ring', () => {
    expect(exchanges(at({ a: 1, b: 2 }), at({ a: 2, b: 1 }))).toEqual({ 'a.1': ['b.1'], 'b.1': ['a.1'] });
    const ring = exchanges(at({ a: 1, b: 2, c: 3 }), at({ a: 2, b: 3, c: 1 }));
    expect(ring).toEqual({ 'a.1': ['b.1'], 'b.1': ['c.1'], 'c.1': ['a.1'] });
  });

  test('in a chain all but the last; a new service for one that is gone; its own instances', () => {
    expect(exchanges(at({ a: 1, b: 2 }), at({ a: 2, b: 3 }))).toEqual({ 'a.1': ['b.1'] });
    expect(exchanges(at({ a: 1 }), at({ b: 1 }))).toEqual({ 'b.1': ['a.1'] });
    expect(exchanges(at({ a: 1 }, { count: 2 }), at({ a: 2 }, { count: 2 }))).toEqual({ 'a.1': ['a.2'] });
  });

  test('none where nothing changes hands, or where an address stays whose it was', () => {
    expect(exchanges(at({ a: 1, b: 2 }), at({ a: 1, b: 2 }))).toEqual({});
    expect(exchanges(at({ a: 1, b: 2 }), at({ a: 3, b: 2 }))).toEqual({});
    expect(exchanges(at({ a: 1, b: 1 }), at({ a: 1, b: 1 }))).toEqual({});
  });

  test('a socket that is inherited is held by those that inherit it, and a port behind a front by nobody', () => {
    const front = (path: string, over: Partial<FrontSpec>): FrontSpec => {
      const how = { eager: true, hidesPort: false, proxyProtocol: false, inherited: false };
      return { listen: { path }, instances: ['a.1', 'b.1'], ...how, ...over };
    };
    const behind = (plan: Plan, over: Partial<FrontSpec>, ...paths: string[]): Plan => ({
      ...plan,
      services: plan.services.map((service, n) => ({ ...service, fronts: [front(paths[n] ?? '', over)] })),
    });
    const ports = at({ a: 1, b: 2 });
    const sockets = [behind(ports, { inherited: true }, '/1', '/2'), behind(ports, { inherited: true }, '/2', '/1')];
    expect(exchanges(...(sockets as [Plan, Plan]))).toEqual({ 'a.1': ['b.1'], 'b.1': ['a.1'] });
    const hidden = (one: Plan) => behind(one, { hidesPort: true }, '/1', '/2');
    expect(exchanges(hidden(ports), hidden(at({ a: 2, b: 1 })))).toEqual({});
  });
});

describe('after another plan', () => {
  const spawned = (log: readonly string[]) => log.filter((line) => line.endsWith(' spawn'));
  const given = (before: Plan, after: Plan) => {
    const run = supervised(before);
    run.clock.advance(1_000);
    run.supervisor.reconfigure(after);
    return { ...run, since: run.children.log.length };
  };

  test('services that exchange their ports are all stopped before one of them starts', () => {
    const { children, supervisor, types } = given(at({ a: 1, b: 2, c: 3 }), at({ a: 2, b: 3, c: 1 }));
    expect(children.log.slice(3)).toEqual(['a.1 SIGTERM', 'b.1 SIGTERM', 'c.1 SIGTERM']);
    children.exit('a.1', signal('SIGTERM'));
    // c waits for a alone, and for its own end.
    expect(spawned(children.log)).toHaveLength(3);
    children.exit('b.1', signal('SIGTERM'));
    expect(spawned(children.log).slice(3)).toEqual(['a.1 spawn']);
    children.exit('c.1', signal('SIGTERM'));
    expect(spawned(children.log).slice(3).sort()).toEqual(['a.1 spawn', 'b.1 spawn', 'c.1 spawn']);
    expect(types()).not.toContain('stopped');
    expect(supervisor.snapshot().services.map(({ instances }) => instances[0]?.port)).toEqual([2, 3, 1]);
  });

  test('a new service waits for the one that is gone, an instance more for one that moves away', () => {
    const gone = given(at({ a: 1 }), at({ b: 1 }));
    expect(gone.children.log).toEqual(['a.1 spawn', 'a.1 SIGTERM']);
    gone.children.exit('a.1', signal('SIGTERM'));
    expect(gone.children.log.at(-1)).toBe('b.1 spawn');
    const [one, more] = [at({ a: 1, b: 2 }), at({ a: 1, b: 9 })];
    const [two] = at({ a: 1 }, { count: 2 }).services;
    const scaled = given(one, {
      ...more,
      services: more.services.map((each) => (each.tag === 'a' && two ? two : each)),
    });
    expect(scaled.children.log.slice(2)).toEqual(['b.1 SIGTERM']);
    scaled.children.exit('b.1', signal('SIGTERM'));
    expect(scaled.children.log.slice(3)).toEqual(['b.1 spawn', 'a.2 spawn']);
  });

  test('one that would wait for an access gives its port up at once, and one that was put down stays down', () => {
    const lazy = given(at({ a: 1, b: 2 }, { reload: 'shotgun' }), at({ a: 2, b: 3 }, { reload: 'shotgun' }));
    expect(lazy.children.log.slice(2).sort()).toEqual(['a.1 SIGTERM', 'b.1 SIGTERM']);
    const run = supervised(at({ a: 1, b: 2 }));
    run.clock.advance(1_000);
    run.supervisor.request({ type: 'stop', targets: ['b'] });
    run.supervisor.reconfigure(at({ a: 2, b: 1 }));
    run.children.exit('b.1', signal('SIGTERM'));
    run.children.exit('a.1', signal('SIGTERM'));
    expect(run.children.alive).toEqual(['a.1']);
    const [, b] = run.supervisor.snapshot().services;
    expect(b?.instances).toMatchObject([{ phase: 'down', cause: { reason: 'requested' } }]);
  });

  test('what is stopped, or asked for, while it waits for its port is that', () => {
    const { children, supervisor } = given(at({ a: 1, b: 2, c: 3 }), at({ a: 3, b: 3, c: 1 }));
    children.exit('a.1', signal('SIGTERM'));
    children.exit('b.1', signal('SIGTERM'));
    supervisor.request({ type: 'stop', targets: ['a'] });
    supervisor.request({ type: 'stop', targets: ['b'] });
    supervisor.request({ type: 'restart', targets: ['b'] });
    expect(children.alive).toEqual(['c.1']);
    children.exit('c.1', signal('SIGTERM'));
    expect(children.alive.sort()).toEqual(['b.1', 'c.1']);
  });

  test('what its lease puts down while others wait for its port stays down', () => {
    const { children, clock } = given(at({ a: 1, b: 2 }, { ttl: 1_500 }), at({ a: 2, b: 1 }, { ttl: 1_500 }));
    clock.advance(1_000);
    children.exit('a.1', signal('SIGTERM'));
    children.exit('b.1', signal('SIGTERM'));
    expect(children.alive).toEqual([]);
  });

  test('a plan that follows before the ports are free waits for the same lives', () => {
    const { children, supervisor } = given(at({ a: 1, b: 2 }), at({ a: 2, b: 1 }));
    supervisor.reconfigure(at({ a: 2, b: 3, c: 1 }));
    children.exit('b.1', signal('SIGTERM'));
    expect(spawned(children.log).slice(2)).toEqual(['b.1 spawn']);
    children.exit('a.1', signal('SIGTERM'));
    expect(spawned(children.log).slice(3).sort()).toEqual(['a.1 spawn', 'c.1 spawn']);
  });
});
