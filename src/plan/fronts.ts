/**
 * Which public addresses proclet holds for a service. A service that needs neither waking nor an idle window, an
 * address of its own nor two generations side by side has none and binds its port directly.
 */
import { resolve } from 'node:path';
import type { FrontSpec, InstanceId, Millis, ServiceConfig } from '../model.js';

export interface FrontClaim {
  readonly config: ServiceConfig;
  /** What a relative path begins at. */
  readonly root: string;
  readonly idle: Millis;
  /** The instances and the ports they have. */
  readonly instances: readonly { readonly id: InstanceId; readonly port: number }[];
  /** The computed port of the first instance, which is public when the service's own is fixed. */
  readonly computed: number;
}

const loopback = '127.0.0.1';

export function frontsOf({ config, root, idle, instances, computed }: FrontClaim): readonly FrontSpec[] {
  const proxyProtocol = config['proxy-protocol'] ?? false;
  const ids = instances.map(({ id }) => id);
  // Fixed: the program listens where it wants to, or nowhere, whatever it is told.
  const fixed = typeof config.port === 'number';
  const none = config.port === false;
  const handsOver = config.reload === 'handover' || config.reload === 'shotgun';
  const sleeps = config.start === 'on-access';
  if (config.listen !== undefined) {
    // Who sleeps has to be woken by a connection, and who is to see fresh code held back: both need a proxy.
    const inherited = !sleeps && !fixed && !proxyProtocol && config.reload !== 'shotgun';
    return config.listen.map((written) => {
      const listen = 'path' in written ? { ...written, path: resolve(root, written.path) } : written;
      const same = 'port' in listen && !fixed && instances.some(({ port }) => port === listen.port);
      const hidesPort = !fixed && !none && (same || handsOver);
      return { listen, instances: ids, eager: true, hidesPort, proxyProtocol, inherited };
    });
  }
  if (none) return [];
  const eager = sleeps || (handsOver && !fixed) || config.reload === 'shotgun';
  const counted = idle < Infinity && (config['idle-on'] ?? 'access') === 'access';
  if (!eager && (fixed || !counted)) return [];
  return instances.map(({ id, port }, index) => ({
    listen: { host: loopback, port: fixed ? computed + index : port },
    instances: [id],
    ...{ eager, hidesPort: !fixed, proxyProtocol, inherited: false },
  }));
}
