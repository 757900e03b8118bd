/**
 * Which public addresses proclet holds for a service. A service that needs neither waking nor an idle window nor
 * an address of its own has none and binds its port directly.
 */
import type { FrontSpec, InstanceId, Millis, ServiceConfig } from '../model.js';

export interface FrontClaim {
  readonly config: ServiceConfig;
  readonly idle: Millis;
  /** The instances and the ports they have. */
  readonly instances: readonly { readonly id: InstanceId; readonly port: number }[];
  /** The computed port of the first instance, which is public when the service's own is fixed. */
  readonly computed: number;
}

const loopback = '127.0.0.1';

export function frontsOf({ config, idle, instances, computed }: FrontClaim): readonly FrontSpec[] {
  const proxyProtocol = config['proxy-protocol'] ?? false;
  const ids = instances.map(({ id }) => id);
  const fixed = config.port !== undefined;
  if (config.listen !== undefined) {
    const { listen } = config;
    const same = 'port' in listen && !fixed && instances.some(({ port }) => port === listen.port);
    return [{ listen, instances: ids, eager: true, hidesPort: same, proxyProtocol }];
  }
  const eager = config.start === 'on-access';
  const counted = idle < Infinity && (config['idle-on'] ?? 'access') === 'access';
  if (!eager && (fixed || !counted)) return [];
  return instances.map(({ id, port }, index) => ({
    listen: { host: loopback, port: fixed ? computed + index : port },
    instances: [id],
    ...{ eager, hidesPort: !fixed, proxyProtocol },
  }));
}
