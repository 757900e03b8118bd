import { BaseCommand } from '../cli/base-command.js';
import { flagsOf, givensOf } from '../cli/flags.js';
import { withFreePorts } from '../cli/free-ports.js';
import { loadProject } from '../cli/load-project.js';
import { lookOf } from '../cli/look.js';
import { onStray } from '../cli/strays.js';
import { ProcletError } from '../errors.js';
import { buildRunPlan, type RunTarget } from '../plan/build-plan.js';
import { startCommand } from '../runtime.js';

export default class Run extends BaseCommand {
  static override summary = 'Run one service, or any command, in the project’s environment with the terminal attached.';
  static override usage = ['run TAG [FLAGS]', 'run [FLAGS] -- COMMAND [ARGUMENT...]'];
  static override examples = [
    { description: 'one service, for half an hour at most', command: '<%= config.bin %> run psgi --ttl 30m' },
    { description: 'a command with the project’s .env', command: '<%= config.bin %> run -- python3 manage.py shell' },
  ];
  static override strict = false;
  static override flags = flagsOf('run');

  async run(): Promise<number> {
    const end = this.argv.indexOf('--');
    const own = end < 0 ? this.argv : this.argv.slice(0, end);
    const command = end < 0 ? undefined : this.argv.slice(end + 1);
    const { flags, argv } = await this.parse(Run, own);
    const target = targetOf(argv as string[], command);
    const procfile = target.is === 'service' ? 'needed' : 'optional';
    const project = await loadProject({ flags: givensOf(flags), procfile });
    for (const remark of project.remarks) process.stderr.write(`proclet: ${remark}\n`);
    const look = lookOf(project.settings);
    const { finished } = await withFreePorts(project, (input) =>
      startCommand({ plan: buildRunPlan(input, target), look }, { onStray }),
    );
    return finished;
  }
}

/** `words` stand before `--`, `command` behind it. */
function targetOf(words: readonly string[], command: readonly string[] | undefined): RunTarget {
  const [tag, ...more] = words;
  if (command === undefined) {
    if (tag === undefined) throw usage('run what?', 'proclet run TAG, or proclet run -- COMMAND');
    if (more.length > 0)
      throw usage(`one service at a time, and without arguments; to run a command: proclet run -- ${words.join(' ')}`);
    return { is: 'service', tag };
  }
  const [program, ...args] = command;
  if (program === undefined) throw usage('there is no command after --');
  if (tag !== undefined) throw usage(`either the service ${tag} or the command after --, not both`);
  return { is: 'command', argv: [program, ...args] };
}

const usage = (message: string, hint?: string) => new ProcletError('USAGE', message, { hint });
