/** What a run is given, at its start and whenever its files are read again: what it runs, and how it shows. */
import { ProcletError } from './errors.js';
import type { Plan } from './model.js';
import type { Bonds } from './platform/ends.js';
import type { RunPart } from './run-part.js';

export interface Configuration {
  readonly plan: Plan;
  readonly look: Look;
  /** What its files say that may not be meant. */
  readonly remarks?: readonly string[];
}

/** How a run shows: the look of its output, and its pid. */
export interface Look extends Bonds {
  /** Of the run; '' for none. */
  readonly name: string;
  /** Whether keys are acted on, if there is a terminal. */
  readonly keys: boolean;
  /** Gets a file for each service. Absolute. */
  readonly logDirectory?: string;
  /** A command for each event. */
  readonly onEvent?: string;
  readonly format: 'text' | 'json' | 'none';
  readonly color: boolean;
  /** Whether colours of the services are taken out when proclet shows none itself. */
  readonly stripColor: boolean;
  readonly timestamp: boolean;
  /** Tags whose output is not shown. */
  readonly quiet: readonly string[];
  /** A file that holds proclet's pid while it runs. */
  readonly pidFile?: string;
}

/** The same, where services are told whether colours are shown: what cannot be seen from a pipe. */
export function withColors({ plan, look, ...rest }: Configuration): Configuration {
  if (!look.color) return { plan, look, ...rest };
  const colored = ({ NO_COLOR: _, ...env }: Readonly<Record<string, string>>) => {
    return { ...env, FORCE_COLOR: '1', CLICOLOR_FORCE: '1' };
  };
  const services = plan.services.map((service) => ({
    ...service,
    instances: service.instances.map((spec) => ({ ...spec, env: colored(spec.env) })),
  }));
  return { plan: { ...plan, services }, look, ...rest };
}

/** Says each remark once, as long as it holds. */
export function remarksPart(say: (remark: string) => void): RunPart<Configuration> {
  let said: readonly string[] = [];
  return {
    prepare: ({ remarks = [] }) => ({
      take() {
        for (const remark of remarks) if (!said.includes(remark)) say(remark);
        said = remarks;
      },
    }),
  };
}

/** By its name others find a run, so it keeps it. */
export function nameThatStays(name: string): RunPart<Configuration> {
  return {
    prepare({ look }) {
      if (look.name === name) return { take() {} };
      const [is, wanted] = [name, look.name].map((each) => (each === '' ? 'no name' : `the name ${each}`));
      throw new ProcletError('REFUSED', `the run has ${is}, and cannot get ${wanted} while it runs`, {
        hint: 'Stop it, and start it again.',
      });
    },
  };
}
