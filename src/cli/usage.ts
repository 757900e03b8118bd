/** The command line's own errors, as sentences that name what was typed and what to type instead. Pure. */
import { ProcletError } from '../errors.js';
import { suggest } from '../procfile/suggest.js';

/** What other tools call the commands of proclet. */
const foreignWords: Readonly<Record<string, string>> = {
  up: 'start',
  serve: 'start',
  dev: 'start',
  down: 'stop',
  kill: 'stop',
  quit: 'stop',
  halt: 'stop',
  shutdown: 'stop',
  delete: 'stop',
  status: 'ps',
  list: 'ps',
  ls: 'ps',
  top: 'ps',
  connect: 'attach',
  console: 'attach',
  exec: 'run',
  log: 'logs',
  tail: 'logs',
  echo: 'logs',
  monit: 'ps --watch',
  clean: 'reap',
  prune: 'reap',
  validate: 'check',
  lint: 'check',
  config: 'check',
  link: 'project add',
  add: 'project add',
  unlink: 'project remove',
  remove: 'project remove',
  projects: 'project list',
  daemon: 'launcher',
  ui: 'launcher',
  browse: 'open',
};

/** Says that a word is no command, and which one was probably meant. */
export function unknownCommand([word = '', ...more]: readonly string[], commands: readonly string[]): ProcletError {
  const topic = commands.flatMap((name) => (name.startsWith(`${word}:`) ? [name.slice(word.length + 1)] : []));
  if (topic.length > 0) {
    const [verb] = more;
    if (verb === undefined) return usage(`${word} needs a command: ${topic.join(', ')}`, `proclet ${word} --help`);
    const near = suggest(verb, topic) ?? `proclet ${word} --help lists them`;
    return usage(`there is no command ${word} ${verb}`, near);
  }
  const ours = Object.hasOwn(foreignWords, word) ? foreignWords[word] : undefined;
  if (ours !== undefined) return usage(`there is no command ${word}`, `here it is called: proclet ${ours}`);
  return usage(`there is no command ${word}`, suggest(word, commands) ?? 'proclet --help lists them');
}

/** The fields of oclif's errors that say what they are about. */
interface ParseError {
  readonly message: string;
  readonly flags?: readonly string[];
  readonly args?: readonly (string | { readonly name: string })[];
  readonly parse?: { readonly input?: { readonly flags?: Readonly<Record<string, { readonly char?: string }>> } };
}

/** Makes oclif's error about the words behind a command ours. */
export function misuse({ message, flags, args, parse }: ParseError, command: string): ProcletError {
  const help = `proclet ${command} --help`;
  const known = Object.keys(parse?.input?.flags ?? {}).map((name) => `--${name}`);
  const [flag] = flags ?? [];
  if (flag !== undefined)
    return usage(`${command} has no flag ${flag}`, suggest(flag, [...known, '--help']) ?? `${help} lists them`);
  const words = (args ?? []).map((arg) => (typeof arg === 'string' ? { surplus: arg } : { missing: arg.name }));
  const missing = words.flatMap((word) => ('missing' in word ? [word.missing.toUpperCase()] : []));
  if (missing.length > 0) return usage(`${command} needs ${missing.join(' and ')}`, help);
  const surplus = words.flatMap((word) => ('surplus' in word ? [word.surplus] : []));
  if (surplus.length > 0) return usage(`${command} takes fewer arguments: ${surplus.join(' ')} is too many`, help);
  const [sentence = ''] = message.split('\nSee more help');
  return usage(`${command}: ${sentence.replace(/^Flag /, '')}`, help);
}

function usage(message: string, hint: string): ProcletError {
  return new ProcletError('USAGE', message, { hint });
}
