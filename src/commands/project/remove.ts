import { isAbsolute, join } from 'node:path';
import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { jsonFlag, printJson } from '../../cli/json.js';
import { changeProjects } from '../../cli/projects.js';
import { removeProject } from '../../projects/registry.js';
import { directoryOrRoot } from '../../working-directory.js';

export default class ProjectRemove extends BaseCommand {
  static override summary = 'Forget a registered project. Its files stay, and so does what runs.';
  static override examples = [
    { description: 'by its name', command: '<%= config.bin %> project remove hoge' },
    { description: 'by its directory', command: '<%= config.bin %> project remove .' },
  ];
  static override args = {
    project: Args.string({ name: 'NAME', description: 'its name or its directory', required: true }),
  };

  static override flags = { json: jsonFlag };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(ProjectRemove);
    const directory = isAbsolute(args.project) ? args.project : join(directoryOrRoot(), args.project);
    await changeProjects((projects) => removeProject(projects, args.project, directory));
    if (flags.json) printJson({ removed: args.project });
    else process.stdout.write(`${args.project} is not registered any more\n`);
    return 0;
  }
}
