import { constants } from 'node:os';
import { Args, Flags } from '@oclif/core';
import { ControlCommand } from '../cli/control-command.js';
import { jsonFlag, printJson } from '../cli/json.js';
import { ProcletError } from '../errors.js';
import type { InstanceId } from '../model.js';

export default class Signal extends ControlCommand {
  static override summary = 'Send a signal to every process of services, without stopping them.';
  static override usage = ['signal SIGNAL [TARGET...] [FLAGS]'];
  static override examples = [
    { description: 'to one service', command: '<%= config.bin %> signal HUP web' },
    { description: 'to the first process alone', command: '<%= config.bin %> signal USR1 web --leader' },
  ];
  static override strict = false;
  static override args = {
    signal: Args.string({ description: 'HUP, USR1, …', required: true }),
    targets: Args.string({ name: 'TARGET', description: 'web, web.2, w* or all' }),
  };
  static override flags = {
    leader: Flags.boolean({ summary: 'Only to the process that was started.' }),
    json: jsonFlag,
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Signal);
    const [text = '', ...targets] = argv as string[];
    const signal = signalOf(text);
    const to = flags.leader ? 'leader' : 'tree';
    const { ids } = await this.talk(flags, (client) =>
      client.request<{ ids: InstanceId[] }>({ verb: 'signal', signal, targets, to }),
    );
    if (flags.json) printJson({ signal, ids });
    else this.print(ids.length === 0 ? 'Nothing runs that could get it.' : `${signal} to ${ids.join(', ')}`);
    return ids.length === 0 ? 1 : 0;
  }
}

function signalOf(text: string): string {
  const byNumber = Object.entries(constants.signals).find(([, number]) => String(number) === text)?.[0];
  const name = byNumber ?? `SIG${text.toUpperCase().replace(/^SIG/, '')}`;
  if (Object.hasOwn(constants.signals, name)) return name;
  throw new ProcletError('USAGE', `'${text}' is not a signal; write HUP, USR1, TERM, …`);
}
