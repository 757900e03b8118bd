import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BaseCommand } from '../cli/base-command.js';
import { jsonFlag, printJson } from '../cli/json.js';

export default class Version extends BaseCommand {
  static override summary = 'Print the version of proclet, Node and the platform.';
  static override examples = [{ description: 'for a bug report', command: '<%= config.bin %> version' }];
  static override flags = { json: jsonFlag };

  async run(): Promise<number> {
    const { flags } = await this.parse(Version);
    const { version } = JSON.parse(readFileSync(join(this.config.options.root, 'package.json'), 'utf8'));
    const { version: node, platform, arch } = process;
    if (flags.json) printJson({ proclet: version, node: node.slice(1), platform, arch });
    else process.stdout.write(`proclet/${version} ${platform}-${arch} node-${node}\n`);
    return 0;
  }
}
