import { isAbsolute, relative, resolve } from 'node:path';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { directoryOf } from '../../cli/control-command.js';
import { jsonFlag, printJson } from '../../cli/json.js';
import { knowProject } from '../../cli/known-projects.js';
import { changeProjects, shownPath } from '../../cli/projects.js';
import { ProcletError } from '../../errors.js';
import { addProject, suggestedName } from '../../projects/registry.js';

export default class ProjectAdd extends BaseCommand {
  static override summary = 'Register a project, for the launcher and the aliases.';
  static override examples = [
    { description: 'the project in this directory', command: '<%= config.bin %> project add' },
    { description: 'another, by another name', command: '<%= config.bin %> project add ~/project/Hoge --name hoge' },
  ];
  static override args = { directory: Args.string({ name: 'DIR', description: 'its directory', default: '.' }) };
  static override flags = {
    name: Flags.string({ helpValue: 'NAME', summary: "What to call it; by default as its directory's name." }),
    procfile: Flags.string({
      char: 'f',
      helpValue: 'FILE',
      summary: 'Another Procfile than the usual one, by its path in DIR.',
    }),
    json: jsonFlag,
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(ProjectAdd);
    const root = directoryOf(args.directory);
    const procfile = flags.procfile === undefined ? undefined : relative(root, resolve(root, flags.procfile));
    if (procfile?.startsWith('..') || isAbsolute(procfile ?? '')) {
      throw new ProcletError('USAGE', `${flags.procfile} is not in ${root}`);
    }
    const name = flags.name ?? suggestedName(root);
    const project = { name, root, ...(procfile !== undefined && { procfile }) };
    const { problem, services } = await knowProject(project);
    if (problem !== undefined) throw new ProcletError('CONFIG', `${name} was not registered: ${problem}`);
    let before: string | undefined;
    await changeProjects((projects) => {
      before = projects.find((one) => one.root === root)?.name;
      return addProject(projects, project);
    });
    const tags = services.map(({ tag }) => tag);
    const earlier = before === undefined || before === name ? '' : `; it was ${before}`;
    if (flags.json) printJson({ ...project, services: tags });
    else process.stdout.write(`${name}: ${tags.join(', ')} (${shownPath(root)})${earlier}\n`);
    return 0;
  }
}
