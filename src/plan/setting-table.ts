/**
 * The table of settings: one row for each thing a user can ask for, whatever the way of asking. Plain data,
 * so that flags, environment variables, files, help and completion are made from the same rows. How a text
 * becomes a value is in `settings.ts`; nothing here has behaviour.
 */

export type CommandName = 'start' | 'run' | 'check';

export interface Setting {
  /** The long flag without dashes, the key in `proclet.yml`, and `PROCLET_<NAME>` in capitals. */
  readonly name: string;
  /** Other long flags for the same. */
  readonly aliases?: readonly string[];
  readonly char?: string;
  readonly charAliases?: readonly string[];
  readonly summary: string;
  /** A text; a comma-separated list, which a flag may also build up by being repeated; or on and off. */
  readonly kind: 'text' | 'list' | 'switch';
  /** What stands for the value in help. */
  readonly placeholder?: string;
  /** The only texts it takes. */
  readonly options?: readonly string[];
  /** What is read when nobody says anything. Without one, absence means something. */
  readonly fallback?: string;
  readonly commands: readonly CommandName[];
}

export const ON_EXIT = ['restart', 'stop', 'ignore'] as const;
export const LOG_FORMATS = ['text', 'json'] as const;
export const STOP_POLICIES = ['leader', 'tree'] as const;
export const START_POLICIES = ['always', 'on-access', 'manual'] as const;

export type SettingName = (typeof settingTable)[number]['name'];

const settingTable = [
  {
    name: 'procfile',
    char: 'f',
    summary: 'The Procfile to read',
    kind: 'text',
    placeholder: 'FILE',
    commands: ['start', 'run', 'check'],
  },
  {
    name: 'root',
    char: 'd',
    summary: "The project's directory, if it is not the Procfile's",
    kind: 'text',
    placeholder: 'DIR',
    commands: ['start', 'run', 'check'],
  },
  {
    name: 'env',
    char: 'e',
    summary: 'Env files to read instead of .env; a later one wins',
    kind: 'list',
    placeholder: 'FILE',
    commands: ['start', 'run', 'check'],
  },
  {
    name: 'formation',
    aliases: ['concurrency'],
    char: 'm',
    charAliases: ['c'],
    summary: 'How many of each service to run',
    kind: 'list',
    placeholder: 'web=2',
    fallback: '',
    commands: ['start', 'check'],
  },
  {
    name: 'port',
    char: 'p',
    summary: 'The first port; each further line of the Procfile gets 100 more; or auto',
    kind: 'text',
    placeholder: 'PORT',
    commands: ['start', 'run', 'check'],
  },
  {
    name: 'ttl',
    aliases: ['alarm'],
    summary: 'End services this long after their start; 0 is never',
    kind: 'list',
    placeholder: '30m|web=30m',
    fallback: '',
    commands: ['start', 'run', 'check'],
  },
  {
    name: 'idle',
    summary: 'End services this long after their last use; 0 is never',
    kind: 'list',
    placeholder: '10m|web=10m',
    fallback: '',
    commands: ['start', 'run', 'check'],
  },
  {
    name: 'start',
    summary: 'When services start: always, on-access, or manual (when they are needed)',
    kind: 'list',
    placeholder: 'manual|web=always',
    fallback: '',
    commands: ['start'],
  },
  {
    name: 'watch',
    char: 'R',
    summary: 'Reload services when such files change: a path, or a pattern as in .gitignore',
    kind: 'list',
    placeholder: 'GLOB|web=GLOB',
    fallback: '',
    commands: ['start', 'check'],
  },
  {
    name: 'watch-poll',
    summary: 'Look at watched files this often, where the kernel does not tell of changes',
    kind: 'list',
    placeholder: '1s|web=1s',
    fallback: '',
    commands: ['start', 'check'],
  },
  {
    name: 'on-exit',
    summary: 'What follows when a service ends by itself',
    kind: 'text',
    options: ON_EXIT,
    fallback: 'restart',
    commands: ['start'],
  },
  {
    name: 'timeout',
    char: 't',
    summary: 'Time between the stop signal and SIGKILL, for every service',
    kind: 'text',
    placeholder: '5s',
    fallback: '',
    commands: ['start', 'run'],
  },
  {
    name: 'stop',
    summary: 'Whom the stop signal goes to first: leader, or tree (every process at once)',
    kind: 'list',
    placeholder: 'tree|web=tree',
    fallback: '',
    commands: ['start', 'run'],
  },
  {
    name: 'expire-status',
    summary: 'Exit status when every service was ended by its ttl',
    kind: 'text',
    placeholder: 'N',
    fallback: '0',
    commands: ['start', 'run'],
  },
  {
    name: 'shell',
    summary: 'The shell that runs the commands, with -c',
    kind: 'text',
    placeholder: 'PROGRAM',
    fallback: 'sh',
    commands: ['start', 'run'],
  },
  {
    name: 'quiet',
    char: 'q',
    summary: 'Services whose output is not shown',
    kind: 'list',
    placeholder: 'TAG',
    fallback: '',
    commands: ['start'],
  },
  {
    name: 'color',
    summary: 'Colour the output; by default if the terminal shows it',
    kind: 'switch',
    fallback: 'auto',
    commands: ['start', 'run', 'check'],
  },
  {
    name: 'timestamp',
    summary: 'Show the time before each line',
    kind: 'switch',
    fallback: 'true',
    commands: ['start'],
  },
  {
    name: 'log-format',
    summary: 'Lines for people, or one JSON event a line',
    kind: 'text',
    options: LOG_FORMATS,
    fallback: 'text',
    commands: ['start'],
  },
  {
    name: 'pid-file',
    summary: "Keep proclet's pid in this file while it runs",
    kind: 'text',
    placeholder: 'FILE',
    commands: ['start'],
  },
  {
    name: 'name',
    summary: 'A name for this run, by which the other commands find it',
    kind: 'text',
    placeholder: 'NAME',
    fallback: '',
    commands: ['start', 'run'],
  },
  {
    name: 'until',
    summary: 'End the run at this time of day, or at this date and time',
    kind: 'text',
    placeholder: '18:00',
    commands: ['start', 'run'],
  },
  {
    name: 'until-exit',
    summary: 'End the run when this process has ended: an editor, a shell, an agent',
    kind: 'text',
    placeholder: 'PID',
    commands: ['start', 'run'],
  },
  {
    name: 'stdin-quit',
    summary: 'End the run when its standard input is closed',
    kind: 'switch',
    fallback: 'false',
    commands: ['start'],
  },
  {
    name: 'on-event',
    summary: 'Run this command for each event, with the event as JSON on its stdin',
    kind: 'text',
    placeholder: 'COMMAND',
    commands: ['start'],
  },
  {
    name: 'log-dir',
    summary: 'Keep the output in this directory too, in a file for each service',
    kind: 'text',
    placeholder: 'DIR',
    commands: ['start'],
  },
  {
    name: 'keys',
    summary: 'Act on keys while in front of a terminal',
    kind: 'switch',
    fallback: 'true',
    commands: ['start'],
  },
] as const satisfies readonly Setting[];

/** The same rows, every column present or not, for those who walk over them. */
export const settings: readonly Setting[] = settingTable;

/** Every name and alias, for files that may only hold those. */
export const settingNames: readonly string[] = settings.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
