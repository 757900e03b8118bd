/**
 * A function of a script as a program of its own: the script is run once more, with a variable that says which function
 * is meant. fork(2) would keep the memory; Node has no fork, so what the script does before `run()` happens again.
 */
import { ProcletError } from '../errors.js';
import type { Env } from '../model.js';

const variable = 'PROCLET_CODE';

/** Which function of which of the script's runs. */
export interface Call {
  readonly run: number;
  readonly tag: string;
}

export interface OwnProgram {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

/** The program that is a function. Throws ProcletError where there is no script that could be run again. */
export function ownProgram({ run, tag }: Call): OwnProgram {
  const [, script, ...rest] = process.argv;
  if (script === undefined) {
    throw new ProcletError(
      'CONFIG',
      `the code of ${tag} is a function, and there is no script that could be run for it`,
      {
        hint: 'write the function into a file that Node runs, or give a command',
      },
    );
  }
  // Two debuggers cannot listen on one port.
  const options = process.execArgv.filter((option) => !option.startsWith('--inspect'));
  return { argv: [process.execPath, ...options, script, ...rest], env: { [variable]: `${run}:${tag}` } };
}

let call: Call | undefined | 'unread' = 'unread';

/** The function that this process is, if it is one. What it starts does not see the variable. */
export function ownCall(): Call | undefined {
  if (call !== 'unread') return call;
  const [, run, tag] = /^(\d+):(.+)$/.exec(process.env[variable] ?? '') ?? [];
  delete process.env[variable];
  call = run === undefined || tag === undefined ? undefined : { run: Number(run), tag };
  return call;
}

/** Is the function, until it returns; the process ends with it. What it throws is printed, as of any script. */
export async function becomeCode(code: () => unknown): Promise<never> {
  call = undefined; // a run that it makes itself is its own
  await code();
  process.exit();
}

export function environment(): Env {
  return { ...process.env };
}
