import { BaseCommand } from '../../cli/base-command.js';
import { jsonFlag } from '../../cli/json.js';
import { type KnownProject, knowProject } from '../../cli/known-projects.js';
import { readProjects, shownPath } from '../../cli/projects.js';

export default class ProjectList extends BaseCommand {
  static override summary = 'List the registered projects with their services, and what is wrong with them.';
  static override examples = [{ description: 'for programs', command: '<%= config.bin %> project list --json' }];
  static override flags = { json: jsonFlag };

  async run(): Promise<number> {
    const { flags } = await this.parse(ProjectList);
    const projects = await Promise.all(readProjects().map(knowProject));
    process.stdout.write(`${flags.json ? jsonOf(projects) : textOf(projects)}\n`);
    return 0;
  }
}

function jsonOf(projects: readonly KnownProject[]): string {
  const shown = projects.map(({ name, root, procfile, problem, services }) => ({
    ...{ name, root, procfile, problem },
    services: services.map(({ tag }) => tag),
  }));
  return JSON.stringify(shown, undefined, 2);
}

function textOf(projects: readonly KnownProject[]): string {
  if (projects.length === 0) return 'No project is registered. Register one with proclet project add DIR.';
  const rows = projects.map(({ name, root, services, problem }) => [
    name,
    shownPath(root),
    problem ?? services.map(({ tag }) => tag).join(', '),
  ]);
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const [first, second] = [width(0), width(1)];
  return rows
    .map(([name = '', root = '', rest = '']) => {
      const [line, ...more] = rest.split('\n');
      const indent = ' '.repeat(first + second + 4);
      return [`${name.padEnd(first)}  ${root.padEnd(second)}  ${line}`, ...more.map((each) => indent + each)].join(
        '\n',
      );
    })
    .join('\n');
}
