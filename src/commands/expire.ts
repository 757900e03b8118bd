import { LeaseCommand, needed } from '../cli/lease-command.js';

export default class Expire extends LeaseCommand {
  // oclif reads these from the class itself.
  static override strict = LeaseCommand.strict;
  static override args = LeaseCommand.args;
  static override flags = LeaseCommand.flags;
  static override summary = 'End services as the end of their lease would; an access wakes those that wake.';
  static override examples = [
    { description: 'one service', command: '<%= config.bin %> expire web' },
    { description: 'every service', command: '<%= config.bin %> expire all' },
  ];

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Expire);
    const targets = argv as string[];
    needed(targets[0], 'expire what?', 'proclet expire web, or proclet expire all');
    return this.change(flags, { verb: 'expire', targets }, ({ tag }) => `${tag} expires now`);
  }
}
