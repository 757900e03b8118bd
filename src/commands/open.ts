import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { directoryOf } from '../cli/control-command.js';
import { jsonFlag, printJson } from '../cli/json.js';
import { openInBrowser } from '../cli/open-in-browser.js';
import { projectAt } from '../cli/own-project.js';
import { pastOf } from '../cli/past.js';
import { createStarter } from '../cli/run-projects.js';
import { ProcletError } from '../errors.js';
import { createFleet } from '../fleet/fleet.js';
import { createLaunches } from '../fleet/launches.js';
import { plainText } from '../fleet/lines.js';
import { createClock } from '../platform/clock.js';
import { suggest } from '../procfile/suggest.js';

export default class Open extends BaseCommand {
  static override summary =
    'Open a service in the browser; what does not run is started, and ends when it is not used.';
  static override examples = [
    { description: 'the service web of this project', command: '<%= config.bin %> open web' },
    { description: 'its address alone, for a script', command: 'curl "$(<%= config.bin %> open web --print)"' },
  ];
  static override args = { tag: Args.string({ name: 'TAG', description: 'the service', required: true }) };
  static override flags = {
    root: Flags.string({ char: 'd', helpValue: 'DIR', summary: 'The directory of the project, instead of this one.' }),
    idle: Flags.string({
      ...{ helpValue: '10m', default: '10m' },
      summary: 'If it is started and says nothing of it: end it this long after its last use; 0 is never.',
    }),
    print: Flags.boolean({ summary: 'Print the address, and open nothing.' }),
    json: jsonFlag,
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Open);
    const project = await projectAt(directoryOf(flags.root ?? '.'));
    const tags = project.services.map(({ tag }) => tag);
    if (!tags.includes(args.tag)) {
      const hint = suggest(args.tag, tags) ?? `It has ${tags.join(', ')}.`;
      throw new ProcletError('NOT_FOUND', `${project.name} has no service ${args.tag}`, { hint });
    }
    const clock = createClock();
    const fleet = createFleet(clock);
    const starter = createStarter({ clock, lease: { idle: flags.idle }, spare: false });
    try {
      const launch = createLaunches(fleet, clock, { startRun: starter.startRun, past: pastOf }).launch(
        project,
        args.tag,
      );
      const state = await launch.finished;
      if (state.is === 'running') {
        throw new ProcletError('REFUSED', `${args.tag} runs, and listens nowhere: there is nothing to open`, {
          hint: 'See it with proclet logs, end it with proclet stop.',
        });
      }
      if (state.is !== 'ready') {
        const lines = launch.lines.slice(-20).map(({ text }) => plainText(text));
        const reason = state.is === 'failed' ? state.reason : 'it did not start';
        throw new ProcletError('FAILED', reason, { hint: lines.length === 0 ? undefined : lines.join('\n  ') });
      }
      const url = `http://${state.host === '127.0.0.1' ? 'localhost' : `[${state.host}]`}:${state.port}/`;
      if (flags.json) printJson({ project: project.name, tag: args.tag, url });
      else process.stdout.write(`${url}\n`);
      if (!flags.print && !flags.json) await openInBrowser(url);
      return 0;
    } finally {
      await starter.close();
      fleet.close();
      clock.close();
    }
  }
}
