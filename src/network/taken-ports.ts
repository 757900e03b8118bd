/** Ports that a plan gives to instances and that others listen on. Not an error: only the service knows whether it needs its port. */
import type { InstanceSpec, Plan } from '../model.js';
import type { RunPart } from '../run-part.js';
import { describeOwners, isPortTaken, ownersOf } from './port-owner.js';

/** `warn` gets a sentence for each of those that the plan before did not give to the same instance. */
export function createPortWarnings(warn: (text: string) => void, isOurs: (pid: number) => boolean): RunPart<Plan> {
  let known: ReadonlySet<string> = new Set();
  const keyOf = ({ id, port }: InstanceSpec) => `${id} ${port}`;
  return {
    prepare({ services }) {
      const instances = services.flatMap((service) => service.instances).filter(({ port }) => port > 0);
      const warnings = instances.filter((spec) => !known.has(keyOf(spec))).flatMap((spec) => warning(spec, isOurs));
      return {
        take() {
          known = new Set(instances.map(keyOf));
          for (const text of warnings) warn(text);
        },
      };
    },
  };
}

function warning({ id, port }: InstanceSpec, isOurs: (pid: number) => boolean): string[] {
  if (isPortTaken(port) !== true) return [];
  const owners = ownersOf(port);
  if (owners.length > 0 && owners.every(({ pid }) => isOurs(pid))) return [];
  return [`port ${port}, which is ${id}'s, is held by ${describeOwners(owners)}`];
}
