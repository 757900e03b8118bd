import { BaseCommand } from '../cli/base-command.js';
import { flagsOf, givensOf } from '../cli/flags.js';
import { jsonFlag, printJson } from '../cli/json.js';
import { loadProject, type Project, planInput } from '../cli/load-project.js';
import { ProcletError } from '../errors.js';
import { buildPlan } from '../plan/build-plan.js';

export default class Check extends BaseCommand {
  static override summary = 'Validate the Procfile, proclet.yml, env files and formation without starting anything.';
  static override examples = [
    { description: 'the project in this directory', command: '<%= config.bin %> check' },
    { description: 'another Procfile', command: '<%= config.bin %> check -f Procfile.dev' },
  ];
  static override flags = { ...flagsOf('check'), json: jsonFlag };

  async run(): Promise<number> {
    const { flags } = await this.parse(Check);
    const project = await this.#load(flags).catch((error: unknown) => {
      if (flags['json'] === true && error instanceof ProcletError) printJson({ problems: problemsOf(error) });
      throw error;
    });
    for (const remark of project.remarks) process.stderr.write(`proclet: ${remark}\n`);
    const tags = project.procfile.entries.map(({ tag }) => tag);
    if (flags['json'] === true) printJson({ root: project.root, procfile: project.procfile.path, services: tags });
    else process.stdout.write(`The Procfile is valid (${tags.join(', ')})\n`);
    return 0;
  }

  async #load(flags: Parameters<typeof givensOf>[0]): Promise<Project> {
    const project = await loadProject({ flags: givensOf(flags) });
    buildPlan(planInput(project));
    return project;
  }
}

/** Prints the problems for programs; people read the same on the standard error. */
function problemsOf({ problems, message, hint }: ProcletError) {
  return problems.length > 0 ? problems : [{ message, ...(hint !== undefined && { hint }) }];
}
