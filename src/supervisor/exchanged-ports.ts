/**
 * Addresses that lives hold themselves, and that another plan gives to others: these start when those have ended. Pure.
 * What proclet holds for a service is not of that; it changes hands while it is open.
 */
import { isSamePlace } from '../address.js';
import type { Address, InstanceId, InstanceSpec, ServiceSpec, Tag } from '../model.js';

/** What a life holds from its beginning to its end, whatever a plan says meanwhile. */
export interface Held {
  readonly tag: Tag;
  readonly id: InstanceId;
  readonly addresses: readonly Address[];
}

/** The addresses that a life of a slot holds itself: its port, unless a front has that, and the sockets that it inherits. */
export function ownAddresses({ fronts }: ServiceSpec, { id, port }: InstanceSpec): readonly Address[] {
  const before = fronts.filter(({ instances }) => instances.includes(id));
  const own = port > 0 && !before.some(({ hidesPort }) => hidesPort) ? [{ host: '*', port }] : [];
  return [...own, ...before.filter(({ inherited }) => inherited).map(({ listen }) => listen)];
}

/** The slots that are to get what lives of others hold and are not to have any more, with those lives. */
export function exchangedPorts(
  lives: readonly Held[],
  services: ReadonlyMap<Tag, ServiceSpec>,
): ReadonlyMap<InstanceId, readonly Held[]> {
  const addressesOf = ({ tag, id }: Held) => {
    const service = services.get(tag);
    const spec = service?.instances.find((each) => each.id === id);
    return service && spec ? ownAddresses(service, spec) : [];
  };
  const leaving = lives.flatMap((life) => {
    const kept = addressesOf(life);
    const addresses = life.addresses.filter((each) => !kept.some((own) => isSamePlace(own, each)));
    return addresses.length > 0 ? [{ ...life, addresses }] : [];
  });
  const exchanged = new Map<InstanceId, readonly Held[]>();
  for (const service of leaving.length > 0 ? services.values() : []) {
    for (const spec of service.instances) {
      const wanted = ownAddresses(service, spec);
      const holders = leaving.filter(
        ({ id, addresses }) => id !== spec.id && addresses.some((each) => wanted.some((own) => isSamePlace(own, each))),
      );
      if (holders.length > 0) exchanged.set(spec.id, holders);
    }
  }
  return exchanged;
}
