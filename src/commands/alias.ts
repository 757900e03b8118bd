import { statSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { flagsFor, knowProject } from '../cli/known-projects.js';
import { readProjects } from '../cli/projects.js';
import { aliasesOf, type Shell, shells } from '../projects/aliases.js';

export default class Alias extends BaseCommand {
  static override summary = 'Print a shell alias for each service of each registered project.';
  static override description =
    `For the start-up file of a shell. A name that is taken, by another service or by a command, is
left out and reported on stderr.`;
  static override examples = [
    { description: 'in ~/.bashrc or ~/.zshrc', command: 'eval "$(<%= config.bin %> alias)"' },
    { description: 'in ~/.config/fish/config.fish', command: '<%= config.bin %> alias --shell fish | source' },
  ];
  static override flags = {
    shell: Flags.string({
      options: [...shells],
      helpValue: shells.join('|'),
      summary: 'By default the one in $SHELL.',
    }),
  };

  async run(): Promise<number> {
    const { flags } = await this.parse(Alias);
    const projects = await Promise.all(readProjects().map(knowProject));
    for (const { name, problem } of projects) if (problem !== undefined) this.#report(`${name}: ${problem}`);
    const aliased = projects.map((project) => ({
      name: project.name,
      flags: flagsFor(project),
      tags: project.services.map(({ tag }) => tag),
    }));
    const { text, problems } = aliasesOf(aliased, (flags.shell as Shell | undefined) ?? ownShell(), isOnPath);
    for (const problem of problems) this.#report(problem);
    process.stdout.write(text);
    return 0;
  }

  #report(text: string): void {
    process.stderr.write(`${text.replace(/^/gm, 'proclet: ')}\n`);
  }
}

function ownShell(): Shell {
  const name = basename(process.env['SHELL'] ?? '');
  return shells.find((shell) => shell === name) ?? 'bash';
}

function isOnPath(name: string): boolean {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return directories.some((directory) => statSync(join(directory, name), { throwIfNoEntry: false })?.isFile() === true);
}
