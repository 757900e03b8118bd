/** When a life that was given a port counts as listening: on a clock that stands still, beside a machine that is told what to show. */
import { expect, test } from 'vitest';
import type { InstanceId } from '../../../src/model.js';
import type { Heard } from '../../../src/ports.js';
import { code } from '../../support/fake-children.js';
import { planOf, type ServiceWish } from '../../support/plans.js';
import { supervised } from '../../support/supervised.js';

const nothing: Heard = { ports: [], isAtPort: false, cpu: 0 };
const atPort: Heard = { ports: [5000], isAtPort: true, cpu: 0 };

/** A run of these services, all with a port to listen on, and how often its machine was looked at. */
function run(wishes: Record<string, ServiceWish>) {
  const shown = new Map<InstanceId, Heard | (() => Heard)>();
  const looks: InstanceId[][] = [];
  const wanted = Object.entries(wishes).map(([tag, wish]) => [tag, { isToListen: true as const, ...wish }]);
  const { supervisor, clock, ...rest } = supervised(planOf(Object.fromEntries(wanted)), {
    hear(lives) {
      looks.push(lives.map(({ id }) => id));
      return lives.map(({ id }) => {
        const one = shown.get(id) ?? nothing;
        return typeof one === 'function' ? one() : one;
      });
    },
  });
  const listens = (id: InstanceId) =>
    supervisor
      .snapshot()
      .services.flatMap(({ instances }) => instances)
      .find((one) => one.id === id)?.listens;
  const told = () => rest.events.flatMap((event) => (event.type === 'listening' ? [event] : []));
  return { ...rest, supervisor, clock, shown, looks, listens, told };
}

test('a service is up after its second, and listens only when it does: at its port', () => {
  const { clock, shown, listens, told, types } = run({ web: {} });
  clock.advance(1_400);
  expect([types().includes('up'), listens('web.1')]).toEqual([true, 'pending']);
  shown.set('web.1', atPort);
  clock.advance(1_000);
  expect(listens('web.1')).toBe('port');
  expect(told()).toMatchObject([{ id: 'web.1', generation: 1, listens: 'port', ports: [5000] }]);
});

test('another port counts when it is the same at two questions', () => {
  const { clock, shown, listens, looks } = run({ web: {} });
  shown.set('web.1', { ...nothing, ports: [9229] });
  clock.advance(50);
  expect(listens('web.1')).toBe('pending');
  shown.set('web.1', { ...nothing, ports: [3000] });
  clock.advance(100);
  expect(listens('web.1')).toBe('pending');
  clock.advance(200);
  expect([listens('web.1'), looks.length]).toEqual(['elsewhere', 3]);
});

test('what is at rest for five seconds and listens nowhere is said to listen nowhere, and goes on', () => {
  const { clock, listens, children } = run({ worker: {} });
  clock.advance(4_999);
  expect(listens('worker.1')).toBe('pending');
  clock.advance(1_500);
  expect([listens('worker.1'), children.log]).toEqual(['nowhere', ['worker.1 spawn']]);
});

test('what computes has its whole time, and after that nobody looks any more', () => {
  const { clock, shown, listens, looks } = run({ worker: {} });
  shown.set('worker.1', () => ({ ...nothing, cpu: clock.now() }));
  clock.advance(29_000);
  expect(listens('worker.1')).toBe('pending');
  clock.advance(2_000);
  expect(listens('worker.1')).toBe('nowhere');
  const before = looks.length;
  clock.advance(600_000);
  expect([looks.length, before < 40]).toEqual([before, true]);
});

test('what listens late is known to, although it was said that it does not', () => {
  const { clock, shown, listens, told } = run({ web: {} });
  clock.advance(7_000);
  expect(listens('web.1')).toBe('nowhere');
  shown.set('web.1', atPort);
  clock.advance(1_000);
  expect(told().map((event) => event.listens)).toEqual(['nowhere', 'port']);
});

test('the next life of what listened nowhere is not waited for again', () => {
  const { clock, supervisor, children, listens, shown } = run({ worker: {} });
  clock.advance(7_000);
  supervisor.request({ type: 'restart', targets: ['worker'] });
  children.exit('worker.1', code(0));
  expect(listens('worker.1')).toBe('nowhere');
  shown.set('worker.1', atPort);
  clock.advance(50);
  expect(listens('worker.1')).toBe('port');
});

test('all services are asked about at once, those that are known or about to end not at all', () => {
  const { clock, shown, looks, supervisor } = run({
    web: {},
    api: {},
    job: {},
    db: { isToListen: undefined as never },
  });
  shown.set('web.1', atPort);
  clock.advance(50);
  supervisor.request({ type: 'stop', targets: ['job'] });
  clock.advance(100);
  expect(looks).toEqual([['web.1', 'api.1', 'job.1'], ['api.1']]);
});

test('what is after such a service starts when that is up, listening or not', () => {
  const { clock, children, listens } = run({ web: {}, worker: { after: ['web'] } });
  clock.advance(1_000);
  expect([children.alive, listens('web.1')]).toEqual([['web.1', 'worker.1'], 'pending']);
});
