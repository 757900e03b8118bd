/**
 * A plan as text, for --dry-run. Owns what a reader is shown: what was decided, and of the environment only
 * what proclet adds, because the rest may hold secrets.
 */
import { formatDuration } from '../duration.js';
import type { InstanceSpec, Plan, ServiceSpec } from '../model.js';
import { lookUp } from '../record.js';
import { ADDED_VARIABLES, portVariable } from './environment.js';

/** A paragraph for each instance, in the order of the Procfile. Ends with a line feed. */
export function describePlan(plan: Plan): string {
  const shown = [...ADDED_VARIABLES, ...new Set(plan.services.map(({ tag }) => portVariable(tag)))];
  const paragraphs = plan.services.flatMap((service) =>
    service.instances.map((instance) => describeInstance({ plan, service, instance, shown })),
  );
  return `${paragraphs.join('\n\n')}\n`;
}

/** The same as data: milliseconds, and null for never. */
export function planAsData({ root, services }: Plan): unknown {
  const finite = (time: number | undefined) => (time === undefined || time === Infinity ? null : time);
  const instances = services.flatMap((service) =>
    service.instances.map(({ id, port, directory, stopSignal, stop, grace, restart }) => ({
      ...{ id, port, command: service.command, directory, stop, restart, reload: service.reload },
      'stop-signal': stopSignal,
      ...{ grace: finite(grace), ttl: finite(service.ttl), idle: finite(service.idle), every: service.every ?? null },
      watch: service.watch,
    })),
  );
  return { root, instances };
}

interface Subject {
  readonly plan: Plan;
  readonly service: ServiceSpec;
  readonly instance: InstanceSpec;
  /** Names of the variables to show. */
  readonly shown: readonly string[];
}

function describeInstance({ plan, service, instance, shown }: Subject): string {
  const { stopSignal, stop, grace, user, umask, directory } = instance;
  const variables = shown.flatMap((name) => {
    const value = lookUp(instance.env, name);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  const kill = grace === Infinity ? 'never SIGKILL' : `SIGKILL after ${formatDuration(grace)}`;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['port', instance.port > 0 ? String(instance.port) : 'none'],
    ['command', service.command],
    ['directory', directory === plan.root ? undefined : directory],
    ['user', user],
    ['umask', umask],
    ['every', service.every],
    ['ttl', formatDuration(service.ttl)],
    ['idle', formatDuration(service.idle)],
    ['watch', service.watch.length === 0 ? undefined : `${service.watch.join(', ')} (${service.reload})`],
    ['grace', `${stopSignal} to the ${stop}, ${kill}`],
    ['restart', instance.restart],
    ['success', instance.expected && `exit status ${[0, ...instance.expected].join(', ')}`],
    ['environment', variables.join(' ')],
  ];
  const lines = rows.flatMap(([name, text]) => (text === undefined ? [] : [`  ${name.padEnd(12)}${text}`]));
  return [instance.id, ...lines].join('\n');
}
