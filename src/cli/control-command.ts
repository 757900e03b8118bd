/** What the commands share that talk to a running proclet. */
import { realpathSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { Flags } from '@oclif/core';
import type { ControlClient } from '../control/client.js';
import { ProcletError } from '../errors.js';
import { reach } from '../fleet/reach.js';
import { createClock } from '../platform/clock.js';
import { findRun, type LiveRun, liveRuns } from '../platform/runs.js';
import { workingDirectory } from '../working-directory.js';
import { BaseCommand } from './base-command.js';
import { keptLogs } from './state-dir.js';

export interface Whereabouts {
  readonly root?: string | undefined;
  readonly name?: string | undefined;
}

export abstract class ControlCommand extends BaseCommand {
  static override baseFlags = {
    root: Flags.string({ char: 'd', helpValue: 'DIR', summary: 'A directory of the project, instead of this one.' }),
    name: Flags.string({ helpValue: 'NAME', summary: 'The name, or the pid, of the proclet that is meant.' }),
  };

  /** Talks to the run that is meant, if it answers, and closes the connection. */
  protected async talk<T>(where: Whereabouts, say: (client: ControlClient, run: LiveRun) => Promise<T>): Promise<T> {
    const run = runOf(where);
    const clock = createClock();
    try {
      const client = await reach(run, clock);
      return await say(client, run).finally(() => client.close());
    } finally {
      clock.close();
    }
  }

  protected print(text: string): void {
    process.stdout.write(`${text}\n`);
  }
}

/** Throws ProcletError when there is none, or more than one. */
export function runOf({ root, name = process.env['PROCLET_NAME'] || undefined }: Whereabouts): LiveRun {
  const directory = directoryOf(root ?? '.');
  try {
    return findRun({ name, directory }, liveRuns());
  } catch (error) {
    const isOver = error instanceof ProcletError && error.code === 'NOT_RUNNING';
    if (!isOver || keptLogs(directory, name ?? '') === undefined) throw error;
    const which = name === undefined ? '' : ` --name ${name}`;
    const hint = `proclet logs${which} shows what the last run said, and how it ended; proclet start begins another.`;
    throw new ProcletError(error.code, error.message, { hint, cause: error });
  }
}

export function directoryOf(text: string): string {
  const path = isAbsolute(text) ? text : join(workingDirectory(), text);
  try {
    return realpathSync(path);
  } catch (cause) {
    throw new ProcletError('USAGE', `the directory ${text} does not exist`, { cause });
  }
}
