import { Args, Flags } from '@oclif/core';
import { ControlCommand } from '../cli/control-command.js';
import { jsonFlag, printJson } from '../cli/json.js';
import { upAndSilent } from '../cli/ready-words.js';
import { timeoutOf } from '../cli/timeout.js';
import type { Reloaded } from '../control/protocol.js';

export default class Reload extends ControlCommand {
  static override summary = 'Begin a new generation of services that run, each by its own reload policy.';
  static override description =
    `With reload: handover the new one takes over once it is ready, as with a HUP of start_server; with
shotgun it begins at once, and not at the next access; otherwise the old one is stopped first.
Says what happened; the exit status is 1 if a new generation failed, whether or not the old one goes on.`;
  static override examples = [
    { description: 'one service', command: '<%= config.bin %> reload web' },
    { description: 'after a deployment, everything', command: '<%= config.bin %> reload --json' },
  ];
  static override strict = false;
  static override args = { targets: Args.string({ name: 'TARGET', description: 'web, web.2, w* or all' }) };
  static override flags = {
    timeout: Flags.string({ char: 't', helpValue: '60s', default: '60s', summary: 'How long to wait for them.' }),
    json: jsonFlag,
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Reload);
    const targets = argv as string[];
    const timeout = timeoutOf(flags.timeout);
    const { reloaded } = await this.talk(flags, (client) =>
      client.request<{ reloaded: readonly Reloaded[] }>({ verb: 'reload', targets, timeout }),
    );
    if (flags.json) printJson(reloaded);
    else for (const one of reloaded) this.print(describe(one));
    return reloaded.every(({ is }) => is === 'handed-over' || is === 'restarted') ? 0 : 1;
  }
}

function describe(one: Reloaded): string {
  const { id, is, generation, from, failed, how, silent, lastWords = [] } = one;
  const also = silent === true ? `; ${upAndSilent}` : '';
  const end = how === undefined ? '' : `: it ${how}`;
  const words = lastWords.map((line) => `\n  ${line}`).join('');
  switch (is) {
    case 'handed-over':
      return `${id}: generation ${generation} took over from generation ${from}${also}`;
    case 'restarted':
      return `${id}: restarted, generation ${generation}${also}`;
    case 'kept':
      return failed === undefined
        ? `${id}: generation ${generation} goes on; no other one was tried`
        : `${id}: generation ${failed} failed${end}; generation ${generation} goes on${words}`;
    case 'failed':
      return `${id}: generation ${generation} failed${end}${words}`;
    case 'stopped':
      return `${id}: it was stopped meanwhile`;
    default:
      return is satisfies never;
  }
}
