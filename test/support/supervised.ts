import type { Plan, ProcletEvent } from '../../src/model.js';
import type { World } from '../../src/ports.js';
import { Supervisor } from '../../src/supervisor/supervisor.js';
import { FakeChildren } from './fake-children.js';
import { FakeClock } from './fake-clock.js';

/** A run of a plan without processes, started, on a clock that stands still. */
export function supervised(plan: Plan, over: Partial<World> = {}, { mayOverlap = false } = {}) {
  const clock = new FakeClock();
  const children = new FakeChildren({ mayOverlap });
  const use = { last: -Infinity, busy: false, listens: false };
  const supervisor = new Supervisor(plan, {
    ...{ clock, spawn: children.spawn, look: () => use, drain: async () => {} },
    ...{ hear: () => [], listensItself: () => false, next: () => Infinity, ...over },
  });
  const events: ProcletEvent[] = [];
  supervisor.subscribe((event) => events.push(event));
  let ended: number | undefined;
  void supervisor.finished.then((value) => {
    ended = value;
  });
  supervisor.start();
  const status = () => Promise.resolve().then(() => ended);
  return { use, clock, children, supervisor, events, types: () => events.map(({ type }) => type), status };
}
