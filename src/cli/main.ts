/**
 * The command line's entry. Hands the arguments to oclif, prints what went wrong in the user's words, and
 * ends the process only when everything that was written has left it.
 */
import { Config, run } from '@oclif/core';
import Attach from '../commands/attach.js';
import Check from '../commands/check.js';
import Doctor from '../commands/doctor.js';
import Events from '../commands/events.js';
import Expire from '../commands/expire.js';
import Extend from '../commands/extend.js';
import Keep from '../commands/keep.js';
import Logs from '../commands/logs.js';
import Ps from '../commands/ps.js';
import Reap from '../commands/reap.js';
import Restart from '../commands/restart.js';
import Run from '../commands/run.js';
import Scale from '../commands/scale.js';
import Send from '../commands/send.js';
import Signal from '../commands/signal.js';
import Start from '../commands/start.js';
import Stop from '../commands/stop.js';
import Touch from '../commands/touch.js';
import Version from '../commands/version.js';
import Wait from '../commands/wait.js';
import { ProcletError } from '../errors.js';
import { settingNames } from '../plan/setting-table.js';
import { suggest } from '../procfile/suggest.js';
import { hoistFlags } from './argv.js';

/** oclif finds the commands here: see `oclif` in package.json. */
export const COMMANDS = {
  attach: Attach,
  check: Check,
  doctor: Doctor,
  events: Events,
  expire: Expire,
  extend: Extend,
  keep: Keep,
  logs: Logs,
  ps: Ps,
  reap: Reap,
  restart: Restart,
  run: Run,
  scale: Scale,
  send: Send,
  signal: Signal,
  start: Start,
  stop: Stop,
  touch: Touch,
  version: Version,
  wait: Wait,
};

/**
 * Runs one command and ends the process with its status.
 * `root` is the package's directory; `done` is called when the command has ended, before the process does.
 */
export async function main(argv: readonly string[], root: string, done: () => void): Promise<void> {
  // oclif throws whatever goes wrong with stdout; what follows from it is for us to say.
  let failure: NodeJS.ErrnoException | undefined;
  process.stdout.removeAllListeners('error').on('error', (error) => {
    failure ??= error;
  });
  let status = await execute(argv, root);
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // A reader that went away wanted no more.
  if (status === 0 && failure !== undefined && failure.code !== 'EPIPE') {
    process.stderr.write(`proclet: the output cannot be written: ${failure.message}\n`);
    status = 1;
  }
  done();
  process.exit(status);
}

async function execute(argv: readonly string[], root: string): Promise<number> {
  try {
    const [first = '', ...others] = hoistFlags(argv);
    const [name = '', ...rest] = first === 'help' ? [...others, '--help'] : [first, ...others];
    const Quick = asksForHelp(rest) ? undefined : quick.get(name);
    if (Quick) return await new Quick(rest, new BareConfig({ root })).execute();
    const status: unknown = await run([name, ...rest].filter(Boolean), { root });
    return typeof status === 'number' ? status : 0;
  } catch (error) {
    return report(error);
  }
}

/** The commands that people wait for. oclif's list of all commands, which costs as much as all else, is not for them. */
const quick = new Map<string, Quick>(
  Object.entries({ start: Start, run: Run, ps: Ps, stop: Stop, wait: Wait, touch: Touch }),
);

type Quick = new (argv: string[], config: Config) => { execute(): Promise<number> };

function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? argv.length : end).includes('--help');
}

/** oclif's configuration without its plugins and hooks, of which proclet has none. */
class BareConfig extends Config {
  override bin = 'proclet';

  override async runHook(): ReturnType<Config['runHook']> {
    return { successes: [], failures: [] };
  }
}

/** Prints an error for people and answers the exit status it stands for. */
function report(error: unknown): number {
  if (error instanceof ProcletError) {
    const hint = error.hint === undefined ? '' : `\n  ${error.hint}`;
    process.stderr.write(`${error.message.replace(/^/gm, 'proclet: ')}${hint}\n`);
    return error.status;
  }
  const status = (error as { oclif?: { exit?: number } }).oclif?.exit;
  if (status === undefined) {
    process.stderr.write(
      `proclet: this is a bug in proclet: ${error instanceof Error ? error.stack : String(error)}\n`,
    );
    return 1;
  }
  if (status === 0) return 0;
  process.stderr.write(`proclet: ${plainly((error as Error).message)}\n`);
  return 2;
}

/** oclif's words for a slip of the pen, in ours and with a suggestion. */
function plainly(message: string): string {
  const command = /^command (.+) not found/.exec(message)?.[1];
  if (command !== undefined) {
    // oclif takes the arguments of a command that has none for the rest of its name.
    const [name = '', ...words] = command.split(':');
    if (Object.hasOwn(COMMANDS, name)) return `${name} takes no argument, and there is ${words.join(' ')}`;
    return unknown('command', name, Object.keys(COMMANDS), 'proclet --help');
  }
  const flag = /^Nonexistent flags?: (\S+)/.exec(message)?.[1];
  if (flag !== undefined) return unknown('flag', flag, flagNames, '--help of the command');
  return message.replace('\nSee more help with --help', '');
}

const flagNames = [
  ...settingNames.map((name) => `--${name}`),
  ...['--help', '--version', '--dry-run', '--detach', '--json', '--follow', '--all', '--since', '--grep', '--watch'],
];

function unknown(what: string, name: string, known: readonly string[], help: string): string {
  return `there is no ${what} ${name}; ${suggest(name, known) ?? `${help} lists them`}`;
}

/** Resolves when everything written so far was handed to the system, or nobody reads it any more. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) return resolve();
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}
