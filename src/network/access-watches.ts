/** The services whose accesses are counted without a front: those with an idle window on access, while they run. */
import type { Plan, ServiceSpec, Tag } from '../model.js';
import type { Clock, Use } from '../ports.js';
import { type Passive, watchPassively } from './passive.js';

export interface AccessWatchOptions {
  readonly clock: Clock;
  pidsOf(tag: Tag): readonly number[];
  /** Whether a connection from this port is proclet's. */
  isOwnPort(port: number): boolean;
}

export class AccessWatches {
  readonly #options: AccessWatchOptions;
  readonly #watches = new Map<Tag, Passive>();

  constructor(options: AccessWatchOptions) {
    this.#options = options;
  }

  look(tag: Tag): Use {
    return this.#watches.get(tag)?.look() ?? { last: -Infinity, busy: false, listens: false };
  }

  /** A life of the service begins. */
  begin(service: ServiceSpec): void {
    const { tag } = service;
    if (!isCounted(service) || this.#watches.has(tag)) return;
    const { clock, isOwnPort, pidsOf } = this.#options;
    this.#watches.set(tag, watchPassively({ clock, isOwnPort, pids: () => pidsOf(tag) }));
  }

  /** Nothing of the service runs. */
  end(tag: Tag): void {
    this.#watches.get(tag)?.close();
    this.#watches.delete(tag);
  }

  /** What runs already is watched as if it had begun under this plan. */
  follow({ services }: Pick<Plan, 'services'>): void {
    for (const service of services) {
      if (!isCounted(service)) this.end(service.tag);
      else if (this.#options.pidsOf(service.tag).length > 0) this.begin(service);
    }
  }

  close(): void {
    for (const tag of [...this.#watches.keys()]) this.end(tag);
  }
}

function isCounted({ idle, idleOn }: ServiceSpec): boolean {
  return idle < Infinity && idleOn === 'access';
}
