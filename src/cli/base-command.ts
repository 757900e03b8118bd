/** What every command of proclet shares. */
import { Command, type Interfaces } from '@oclif/core';

/**
 * `run` answers the exit status. Errors are thrown; main.ts prints them.
 */
export abstract class BaseCommand extends Command {
  abstract override run(): Promise<number>;

  /** Runs as oclif would run it, without the search for commands that oclif begins with. */
  execute(): Promise<number> {
    return this._run();
  }

  /** oclif takes what is piped in for an argument that was left out. Standard input belongs to the caller's script. */
  protected override parse<
    F extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    B extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    A extends Interfaces.OutputArgs<Interfaces.ArgInput>,
  >(options: Interfaces.Input<F, B, A>, argv?: string[]): Promise<Interfaces.ParserOutput<F, B, A>> {
    const args = Object.fromEntries(
      Object.entries(options.args ?? {}).map(([name, arg]) => [name, { ...arg, ignoreStdin: true }]),
    );
    // A copy has what the class itself has, not what it inherits.
    const { baseFlags } = options;
    return super.parse({ ...options, ...(baseFlags && { baseFlags }), args: args as Interfaces.ArgInput<A> }, argv);
  }

  /** oclif would print some errors itself and exit; here each goes up to main.ts. */
  protected override async catch(error: Error): Promise<never> {
    throw error;
  }
}
