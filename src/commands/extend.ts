import { LeaseCommand, leaseInWords, needed } from '../cli/lease-command.js';
import { parseDuration } from '../duration.js';
import { ProcletError } from '../errors.js';

export default class Extend extends LeaseCommand {
  // oclif reads these from the class itself.
  static override strict = LeaseCommand.strict;
  static override args = LeaseCommand.args;
  static override flags = LeaseCommand.flags;
  static override summary = 'Give services more time.';
  static override description =
    `The end of their ttl, and of their idle window, moves by so much; what was kept ends so much from now.`;
  static override usage = ['extend [TARGET...] DURATION [FLAGS]'];
  static override examples = [
    { description: 'twenty minutes for one', command: '<%= config.bin %> extend web 20m' },
    { description: 'an hour for all', command: '<%= config.bin %> extend 1h' },
  ];

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Extend);
    const words = argv as string[];
    const text = needed(words.at(-1), 'extend by how much?', 'proclet extend web 20m');
    const by = parseDuration(text);
    if (by === undefined || by === 0) {
      throw new ProcletError('USAGE', `'${text}' is not a duration`, {
        hint: 'The time comes last: proclet extend web 20m',
      });
    }
    const message = { verb: 'extend', targets: words.slice(0, -1), by };
    return this.change(flags, message, ({ tag, lease }) => `${tag} ${leaseInWords(lease)}`);
  }
}
