/** A gateway for runs of which most need none: it is loaded with the first plan that has something for it. */
import type { Plan } from '../model.js';
import type { Clock } from '../ports.js';
import type { Gateway } from './gateway.js';
import type { Keeper } from './keeper.js';

export function createGatewayOnDemand(clock: Clock, keeper: Keeper): Gateway {
  let gateway = noGateway;
  return {
    portOf: (spec, generation) => gateway.portOf(spec, generation),
    socketsOf: (spec) => gateway.socketsOf(spec),
    observe: (event) => gateway.observe(event),
    look: (tag) => gateway.look(tag),
    listensItself: (tag) => gateway.listensItself(tag),
    drain: (life, within) => gateway.drain(life, within),
    async prepare(plan) {
      const next = gateway === noGateway && isNeeded(plan) ? await load(clock, keeper) : gateway;
      const prepared = await next.prepare(plan);
      return {
        ...prepared,
        take() {
          gateway = next;
          return prepared.take();
        },
      };
    },
    close: () => gateway.close(),
  };
}

function isNeeded({ services }: Plan): boolean {
  return services.some(
    ({ fronts, idle, instances }) =>
      fronts.length > 0 || idle < Infinity || instances.some(({ ready }) => ready && ready.kind !== 'command'),
  );
}

async function load(clock: Clock, keeper: Keeper): Promise<Gateway> {
  const { createGateway } = await import('./gateway.js');
  return createGateway(clock, keeper);
}

const noGateway: Gateway = {
  portOf: ({ port }) => port,
  observe() {},
  look: () => ({ last: -Infinity, busy: false, listens: false }),
  socketsOf: () => [],
  listensItself: () => false,
  drain: async () => {},
  prepare: () => ({ take() {} }),
  close: async () => {},
};
