import { Args } from '@oclif/core';
import { ControlCommand } from '../cli/control-command.js';
import { jsonFlag, printJson } from '../cli/json.js';
import type { Status } from '../control/protocol.js';
import { ProcletError } from '../errors.js';

export default class Scale extends ControlCommand {
  static override summary = 'Change how many instances of services run.';
  static override examples = [
    { description: 'three of one, none of another', command: '<%= config.bin %> scale web=3 clock=0' },
  ];
  static override strict = false;
  static override args = {
    counts: Args.string({ name: 'TAG=N', description: 'a service and how many of it', required: true }),
  };
  static override flags = { json: jsonFlag };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Scale);
    const counts = Object.fromEntries((argv as string[]).flatMap((text) => text.split(',')).map(countOf));
    const { services } = await this.talk(flags, (client) => client.request<Status>({ verb: 'scale', counts }));
    const now = Object.keys(counts).map((tag) => {
      const instances = services.find((service) => service.tag === tag)?.instances ?? [];
      return { tag, instances: instances.filter(({ role }) => role !== 'going').length };
    });
    if (flags.json) printJson(now);
    else
      for (const { tag, instances } of now)
        this.print(`${tag}: ${instances === 1 ? '1 instance' : `${instances} instances`}`);
    return 0;
  }
}

function countOf(text: string): [string, number] {
  const [, tag, count] = /^([A-Za-z0-9_-]+)=(\d{1,4})$/.exec(text) ?? [];
  if (tag !== undefined && Number(count) <= 1000) return [tag, Number(count)];
  throw new ProcletError('USAGE', `'${text}' is not tag=number; write web=3`);
}
