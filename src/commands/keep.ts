import { LeaseCommand, leaseInWords } from '../cli/lease-command.js';

export default class Keep extends LeaseCommand {
  // oclif reads these from the class itself.
  static override strict = LeaseCommand.strict;
  static override args = LeaseCommand.args;
  static override flags = LeaseCommand.flags;
  static override summary = 'Take the end from the leases of services: they run until they are stopped.';
  static override examples = [
    { description: 'one service', command: '<%= config.bin %> keep web' },
    { description: 'every service', command: '<%= config.bin %> keep all' },
  ];

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Keep);
    const targets = argv as string[];
    return this.change(flags, { verb: 'keep', targets }, ({ tag, lease }) => `${tag} ${leaseInWords(lease)}`);
  }
}
