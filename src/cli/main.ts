/**
 * The command line's entry. Hands the arguments to oclif, prints what went wrong in the user's words, and
 * ends the process only when everything that was written has left it.
 */
import { Config, run } from '@oclif/core';
import { ProcletError } from '../errors.js';
import { createClock } from '../platform/clock.js';
import { exitWith, spareTerminalAtExit } from '../platform/exit.js';
import { homeDirectory } from '../platform/home.js';
import { wasEndAsked } from '../platform/signals.js';
import { type Closed, flushed, statusOfClosed, whyClosed } from '../platform/stdout.js';
import { causeWithPath, isSystemError, nextStep } from '../system-error.js';
import { directoryGone, isDirectoryGone } from '../working-directory.js';
import { hoistFlags } from './argv.js';
import { awaitJob } from './detached.js';
import { onStray } from './strays.js';
import { misuse, unknownCommand } from './usage.js';

/** Every command, loaded when it is asked for: what it does not need is not started with it. */
const loaders = {
  alias: () => import('../commands/alias.js'),
  attach: () => import('../commands/attach.js'),
  check: () => import('../commands/check.js'),
  doctor: () => import('../commands/doctor.js'),
  events: () => import('../commands/events.js'),
  expire: () => import('../commands/expire.js'),
  extend: () => import('../commands/extend.js'),
  keep: () => import('../commands/keep.js'),
  launcher: () => import('../commands/launcher.js'),
  logs: () => import('../commands/logs.js'),
  open: () => import('../commands/open.js'),
  'project:add': () => import('../commands/project/add.js'),
  'project:list': () => import('../commands/project/list.js'),
  'project:remove': () => import('../commands/project/remove.js'),
  ps: () => import('../commands/ps.js'),
  reap: () => import('../commands/reap.js'),
  reload: () => import('../commands/reload.js'),
  restart: () => import('../commands/restart.js'),
  run: () => import('../commands/run.js'),
  scale: () => import('../commands/scale.js'),
  send: () => import('../commands/send.js'),
  signal: () => import('../commands/signal.js'),
  start: () => import('../commands/start.js'),
  stop: () => import('../commands/stop.js'),
  touch: () => import('../commands/touch.js'),
  version: () => import('../commands/version.js'),
  wait: () => import('../commands/wait.js'),
} as const;

const commandNames = Object.keys(loaders);

/** oclif finds the commands here: see `oclif` in package.json. Filled before it looks. */
export let COMMANDS: Readonly<Record<string, unknown>> = {};

async function loadAll(): Promise<void> {
  const entries = Object.entries(loaders).map(async ([name, load]) => [name, (await load()).default] as const);
  COMMANDS = Object.fromEntries(await Promise.all(entries));
}

/**
 * Runs one command and ends the process with its status.
 * `root` is the package's directory; `done` is called when the command has ended, before the process does.
 */
export async function main(argv: readonly string[], root: string, done: () => void): Promise<void> {
  spareTerminalAtExit();
  // This listener alone decides what follows from an error of stdout.
  let closed: Closed | undefined;
  const isOwnAffair = outlivesItsReader.has(named(hoistFlags(argv))[0] ?? '');
  process.stdout.removeAllListeners('error').on('error', (error) => {
    closed ??= whyClosed(process.stdout, error);
    // Nobody reads any more: what would go on is over. A pipe that is closed early is the usual end of `| head`.
    if (closed.why !== 'error' && !isOwnAffair) exitWith(closed.why === 'hung-up' ? statusOfClosed(closed) : 0);
  });
  // Nor there: then nobody can be told.
  process.stderr.removeAllListeners('error').on('error', () => {});
  onStray((error) => exitWith(report(error, '')));
  let status = await execute(argv, root);
  const written = Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  await (wasEndAsked() ? Promise.race([written, later(farewell)]) : written);
  if (status === 0 && closed?.why === 'error') {
    process.stderr.write(`proclet: the output cannot be written: ${closed.error.message}\n`);
    status = 1;
  }
  done();
  exitWith(status);
}

/** These end their services first. */
const outlivesItsReader: ReadonlySet<string> = new Set(['start', 'run', 'launcher']);

/** How long somebody who was asked to end waits for a reader. */
const farewell = 1_000;

function later(wait: number): Promise<void> {
  const clock = createClock();
  return new Promise((resolve) => void clock.wakeAt(clock.now() + wait, resolve));
}

async function execute(typed: readonly string[], root: string): Promise<number> {
  const argv = (await awaitJob(async () => (await import('./warm-up.js')).warmUp())) ?? typed;
  try {
    const [first = '', ...others] = hoistFlags(argv);
    const [name = '', ...rest] = named(wordsOf(first, others));
    const load = loaderOf(name);
    if (load && !asksForHelp(rest))
      return await new (await deaf(load)).default(rest, new BareConfig({ root })).execute();
    const isTopic = asksForHelp(rest) && commandNames.some((each) => each.startsWith(`${name}:`));
    if (!load && !isTopic && name !== '' && !name.startsWith('-')) throw unknownCommand([name, ...rest], commandNames);
    await deaf(loadAll);
    // oclif asks the system for what is not set, and fails where that does not know the user.
    process.env['HOME'] ||= homeDirectory();
    process.env['SHELL'] ??= '';
    const words = load ? [name, '--help'] : [name, ...rest];
    const status: unknown = await run(words.filter(Boolean), { root });
    return typeof status === 'number' ? status : 0;
  } catch (error) {
    return report(error, named(hoistFlags(argv))[0]?.replace(':', ' ') ?? '');
  }
}

/** Loads what would throw whatever goes wrong with stdout, as oclif's Command does, without its listeners. */
async function deaf<T>(load: () => Promise<T>): Promise<T> {
  const before = process.stdout.listeners('error');
  const loaded = await load();
  const added = process.stdout.listeners('error').filter((listener) => !before.includes(listener));
  for (const listener of added) process.stdout.off('error', listener as () => void);
  return loaded;
}

/** The words of a command that has two, as one. */
function named(argv: readonly string[]): readonly string[] {
  const [first, second, ...rest] = argv;
  return Object.hasOwn(loaders, `${first}:${second}`) ? [`${first}:${second}`, ...rest] : argv;
}

/** Words that stand for a command or for `--help`, wherever people are used to write them. */
function wordsOf(first: string, others: readonly string[]): readonly string[] {
  if (first === 'help') return [...others, '--help'];
  if (first === '-h') return ['--help', ...others];
  if (first === '-v' || first === '--version') return ['version', ...others];
  return [first, ...others];
}

/** oclif's list of all commands costs as much as all else; who named one and wants no help does not need it. */
function loaderOf(name: string): Load | undefined {
  return Object.hasOwn(loaders, name) ? (loaders as unknown as Record<string, Load>)[name] : undefined;
}

type Load = () => Promise<{ readonly default: new (argv: string[], config: Config) => { execute(): Promise<number> } }>;

function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? argv.length : end).some((word) => word === '--help' || word === '-h');
}

/** oclif's configuration without its plugins and hooks, of which proclet has none. */
class BareConfig extends Config {
  override bin = 'proclet';

  override async runHook(): ReturnType<Config['runHook']> {
    return { successes: [], failures: [] };
  }
}

/** Prints an error for people and answers the exit status it stands for. */
function report(error: unknown, command: string): number {
  if (error instanceof ProcletError) {
    const hint = error.hint === undefined ? '' : `\n  ${error.hint}`;
    process.stderr.write(`${error.message.replace(/^/gm, 'proclet: ')}${hint}\n`);
    return error.status;
  }
  if (isDirectoryGone(error)) return report(directoryGone(error), command);
  if (isSystemError(error)) {
    const hint = nextStep(error);
    process.stderr.write(`proclet: ${causeWithPath(error)}${hint === undefined ? '' : `\n  ${hint}`}\n`);
    return 1;
  }
  const status = (error as { oclif?: { exit?: number } }).oclif?.exit;
  if (status === undefined) {
    process.stderr.write(
      `proclet: this is a bug in proclet: ${error instanceof Error ? error.stack : String(error)}\n`,
    );
    return 1;
  }
  if (status === 0) return 0;
  return report(misuse(error as Error, command), command);
}
