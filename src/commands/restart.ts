import { Args, Flags } from '@oclif/core';
import { ControlCommand } from '../cli/control-command.js';
import { jsonFlag, printJson } from '../cli/json.js';
import { readyWords } from '../cli/ready-words.js';
import { timeoutOf } from '../cli/timeout.js';
import type { Waited } from '../control/protocol.js';
import type { InstanceId } from '../model.js';

export default class Restart extends ControlCommand {
  static override summary = 'Restart services, start those that are down, and wait until they are ready.';
  static override examples = [
    { description: 'one service', command: '<%= config.bin %> restart web' },
    { description: 'all of them', command: '<%= config.bin %> restart' },
  ];
  static override strict = false;
  static override args = { targets: Args.string({ name: 'TARGET', description: 'web, web.2, w* or all' }) };
  static override flags = {
    timeout: Flags.string({ char: 't', helpValue: '60s', default: '60s', summary: 'How long to wait for them.' }),
    wait: Flags.boolean({ default: true, allowNo: true, summary: 'Wait until they are ready.' }),
    json: jsonFlag,
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Restart);
    const targets = argv as string[];
    const timeout = timeoutOf(flags.timeout);
    const waited = await this.talk(flags, async (client) => {
      const { ids } = await client.request<{ ids: InstanceId[] }>({ verb: 'restart', targets });
      return flags.wait ? client.request<Waited>({ verb: 'wait', targets: ids, timeout }) : { ids };
    });
    if (flags.json) printJson(waited);
    else this.print(flags.wait ? readyWords(waited) : `${waited.ids.join(', ')}: restarting`);
    return 0;
  }
}
