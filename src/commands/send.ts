import { Args } from '@oclif/core';
import { ControlCommand } from '../cli/control-command.js';
import { ProcletError } from '../errors.js';

export default class Send extends ControlCommand {
  static override summary = 'Send a line to the standard input of a service.';
  static override usage = ['send TARGET TEXT [FLAGS]'];
  static override examples = [{ description: 'a line to one', command: '<%= config.bin %> send console "reload!"' }];
  static override strict = false;
  static override args = {
    target: Args.string({ description: 'web, web.2 or w*', required: true }),
    text: Args.string({ description: 'the line; - reads them from standard input' }),
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Send);
    const [target = '', ...words] = argv as string[];
    if (words.length === 0)
      throw new ProcletError('USAGE', 'send what?', { hint: 'proclet send web "a line", or - for standard input' });
    return this.talk(flags, async (client) => {
      const send = (text: string) => client.request({ verb: 'send', targets: [target], text });
      if (words.join(' ') !== '-') await send(`${words.join(' ')}\n`);
      else
        for await (const chunk of process.stdin.setEncoding('utf8'))
          for (const text of pieces(String(chunk))) await send(text);
      return 0;
    });
  }
}

/** So short that each fits into a request, however it is escaped. */
function pieces(text: string): string[] {
  return text.match(/[\s\S]{1,8000}/gu) ?? [];
}
