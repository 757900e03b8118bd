/** Where lives listen, as the machine shows it: one reading of its processes and one of its sockets for all of them. */
import { membersOf } from './inspect.js';
import { createKnocks } from './network/knocks.js';
import { listeningPorts } from './network/listening.js';
import { readSockets, type SocketRow } from './network/sockets.js';
import type { Stage } from './platform/spawn.js';
import { usageOf } from './platform/usage.js';
import type { Clock, Heard, World } from './ports.js';

export interface Hearing {
  readonly hear: World['hear'];
  close(): void;
}

/** `cgroup`: the run's, '' where it has none. */
export function createHearing(clock: Clock, { portOf, cgroup }: { portOf: Stage['portOf']; cgroup: string }): Hearing {
  // Elsewhere sockets are not shown: only a connection tells.
  const knocks = process.platform === 'linux' ? undefined : createKnocks(clock);
  return {
    hear(lives) {
      const members = membersOf(lives, [cgroup]);
      const rows = readSockets((_local, _remote, state) => state === 'listen');
      const ports = listeningPorts(members, rows);
      const unseen = portsOfOthers(rows);
      return lives.map(({ spec, generation, mark }): Heard => {
        const port = portOf(spec, generation);
        const own = ports.get(mark) ?? [];
        const isAtPort = own.includes(port) || unseen.has(port) || knocks?.answers(port) === true;
        const { cpu } = usageOf(members.get(mark) ?? []);
        return { ports: isAtPort ? [...new Set([...own, port])] : own, isAtPort, cpu };
      });
    },
    close: () => knocks?.close(),
  };
}

/** Sockets of other users cannot be led back to their processes: one at a life's port counts as the life's (a container's). */
function portsOfOthers(rows: readonly SocketRow[]): ReadonlySet<number> {
  const own = process.geteuid?.();
  return new Set(own === 0 ? [] : rows.filter(({ uid }) => uid !== own).map(({ local }) => local.port));
}
