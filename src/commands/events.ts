import { Args, Flags } from '@oclif/core';
import { ControlCommand } from '../cli/control-command.js';
import { countOf } from '../cli/count-flag.js';
import { toLine } from '../wire.js';

export default class Events extends ControlCommand {
  static override summary = 'Print what happened as JSON, an event a line, and with -f what happens.';
  static override examples = [
    { description: 'everything, from now on', command: '<%= config.bin %> events -f -n 0' },
    {
      description: 'the ends of one service',
      command: '<%= config.bin %> events web | jq \'select(.type == "exited")\'',
    },
  ];
  static override strict = false;
  static override args = { targets: Args.string({ name: 'TARGET', description: 'web, web.2, w* or all' }) };
  static override flags = {
    follow: Flags.boolean({ char: 'f', summary: 'Go on with what happens, until the run ends.' }),
    last: Flags.string({
      char: 'n',
      helpValue: 'N',
      default: '100000',
      summary: 'Of what happened, the last N.',
    }),
    output: Flags.boolean({ default: true, allowNo: true, summary: 'With the output of the services.' }),
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Events);
    const message = { verb: 'events', targets: argv, follow: flags.follow, last: countOf('--last', flags.last) };
    return this.talk(flags, async (client) => {
      await client.request(message, (item) => {
        if ('skipped' in item) process.stdout.write(toLine({ type: 'skipped', events: item.skipped }));
        else if ('event' in item && (flags.output || item.event['type'] !== 'output'))
          process.stdout.write(toLine(item.event));
      });
      return 0;
    });
  }
}
