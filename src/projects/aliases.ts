/** Shell aliases for the services of projects, as text that a shell evaluates. Pure: whoever prints knows the projects. */
import type { Tag } from '../model.js';

export type Shell = 'bash' | 'zsh' | 'fish';

export const shells = ['bash', 'zsh', 'fish'] as const;

export interface AliasedProject {
  readonly name: string;
  /** Arguments that name the project. */
  readonly flags: readonly string[];
  readonly tags: readonly Tag[];
}

export interface Aliases {
  /** A line for each alias. */
  readonly text: string;
  /** Names that could not be given to everybody who wanted them, as sentences. */
  readonly problems: readonly string[];
}

/** `isCommand`: whether a name means something to the shell already. */
export function aliasesOf(
  projects: readonly AliasedProject[],
  shell: Shell,
  isCommand: (name: string) => boolean = () => false,
): Aliases {
  const taken = new Map<string, string>();
  const problems: string[] = [];
  const lines = projects.flatMap(({ name: project, flags, tags }) =>
    tags.flatMap((tag) => {
      const name = aliasName(project, tag);
      const whose = `${project}/${tag}`;
      const other = taken.get(name);
      if (other !== undefined) problems.push(`${name} is the alias of ${other} already, so ${whose} has none`);
      else if (isCommand(name)) problems.push(`${name} is a command already, so ${whose} has no alias`);
      if (other !== undefined || isCommand(name)) return [];
      taken.set(name, whose);
      return [`alias ${name}=${quoted(['proclet', 'run', tag, ...flags], shell)}\n`];
    }),
  );
  return { text: lines.join(''), problems };
}

/** What every shell takes for one word that is no option: letters, digits, - and _, and none of - in front. */
export function aliasName(project: string, tag: Tag): string {
  return `${project}-${tag}`.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^-+/, '');
}

/** The shell reads an alias twice: where it is defined, and where it is used. */
function quoted(words: readonly string[], shell: Shell): string {
  return inQuotes(words.map((word) => (/^[\w./:@%+-]+$/.test(word) ? word : inQuotes(word, shell))).join(' '), shell);
}

/** Single quotes: nothing in them means anything, but in fish the quote itself and the backslash. */
function inQuotes(text: string, shell: Shell): string {
  return shell === 'fish' ? `'${text.replace(/[\\']/g, '\\$&')}'` : `'${text.replaceAll("'", `'\\''`)}'`;
}
