/** What every command of proclet shares. */
import { Command } from '@oclif/core';

/**
 * `run` answers the exit status. Errors are thrown; main.ts prints them.
 */
export abstract class BaseCommand extends Command {
  abstract override run(): Promise<number>;

  /** Runs as oclif would run it, without the search for commands that oclif begins with. */
  execute(): Promise<number> {
    return this._run();
  }

  /** oclif would print some errors itself and exit; here each goes up to main.ts. */
  protected override async catch(error: Error): Promise<never> {
    throw error;
  }
}
