import { LeaseCommand, leaseInWords } from '../cli/lease-command.js';

export default class Touch extends LeaseCommand {
  // oclif reads these from the class itself.
  static override strict = LeaseCommand.strict;
  static override args = LeaseCommand.args;
  static override flags = LeaseCommand.flags;
  static override summary = 'Count as an access: idle windows begin anew, and what sleeps wakes.';
  static override examples = [
    { description: 'one service', command: '<%= config.bin %> touch web' },
    { description: 'every service', command: '<%= config.bin %> touch all' },
  ];

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Touch);
    const targets = argv as string[];
    return this.change(flags, { verb: 'touch', targets }, ({ tag, lease }) => `${tag} ${leaseInWords(lease)}`);
  }
}
