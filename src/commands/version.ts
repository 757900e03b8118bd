import { BaseCommand } from '../cli/base-command.js';

export default class Version extends BaseCommand {
  static override summary = 'Print the version of proclet, Node and the platform.';
  static override examples = [{ description: 'for a bug report', command: '<%= config.bin %> version' }];

  async run(): Promise<number> {
    await this.parse(Version);
    process.stdout.write(`${this.config.userAgent}\n`);
    return 0;
  }
}
