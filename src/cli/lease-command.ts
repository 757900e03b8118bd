/** What the commands share that change leases by hand. */
import { Args } from '@oclif/core';
import { formatDuration } from '../duration.js';
import { ProcletError } from '../errors.js';
import type { InstanceId, LeaseSnapshot, ServiceSnapshot } from '../model.js';
import { ControlCommand, type Whereabouts } from './control-command.js';
import { jsonFlag, printJson } from './json.js';

interface Answer {
  readonly ids: readonly InstanceId[];
  readonly services: readonly ServiceSnapshot[];
}

export abstract class LeaseCommand extends ControlCommand {
  static override strict = false;
  static override args = { targets: Args.string({ name: 'TARGET', description: 'web, web.2, w* or all' }) };
  static override flags = { json: jsonFlag };

  protected async change(
    flags: Whereabouts & { readonly json: boolean },
    message: { readonly verb: string; readonly targets: readonly string[]; readonly by?: number },
    sentence: (service: ServiceSnapshot) => string,
  ): Promise<number> {
    const { ids, services } = await this.talk(flags, (client) => client.request<Answer>({ ...message }));
    if (flags.json) printJson({ ids, services: services.map(({ tag, lease }) => ({ tag, ...(lease && { lease }) })) });
    else for (const service of services) this.print(sentence(service));
    return 0;
  }
}

/** `29m left`, `9m left if it is not used` */
export function leaseInWords(lease: LeaseSnapshot | undefined): string {
  if (lease === undefined) return 'does not run';
  if (lease.kept) return 'is kept: it runs until it is stopped';
  const parts = [
    ...(lease.ttl === undefined ? [] : [`${formatDuration(lease.ttl)} left`]),
    ...(lease.idle === undefined ? [] : [`${formatDuration(lease.idle)} left if it is not used`]),
  ];
  return parts.length === 0 ? 'has no end' : `has ${parts.join(', and ')}`;
}

export function needed<T>(value: T | undefined, what: string, hint: string): T {
  if (value === undefined) throw new ProcletError('USAGE', what, { hint });
  return value;
}
