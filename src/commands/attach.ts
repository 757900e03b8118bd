import { Args } from '@oclif/core';
import { ControlCommand } from '../cli/control-command.js';
import { shareTerminal } from '../cli/share-terminal.js';
import { createView } from '../cli/view.js';
import type { ControlClient } from '../control/client.js';
import type { Status } from '../control/protocol.js';
import { ProcletError } from '../errors.js';
import { onSignals } from '../platform/signals.js';
import { eventFromWire } from '../wire.js';

const shownAtFirst = 20;

export default class Attach extends ControlCommand {
  static override summary =
    'Show the output of the running proclet as if it were in front, or share the terminal of one service.';
  static override description =
    `Ctrl-C leaves the run as it is. With a TARGET that has tty: true, keys go to it until Ctrl-];
lines that are typed go to another TARGET.`;
  static override examples = [
    { description: 'a detached run', command: '<%= config.bin %> attach' },
    { description: 'a debugger in a service', command: '<%= config.bin %> attach web' },
  ];
  static override args = { target: Args.string({ name: 'TARGET', description: 'web, or web.2' }) };

  async run(): Promise<number> {
    const { flags, args } = await this.parse(Attach);
    const { target } = args;
    return this.talk(flags, async (client) => {
      try {
        if (target !== undefined) return await shareTerminal(client, target);
      } catch (error) {
        if (!(error instanceof ProcletError) || error.reason !== 'no-terminal') throw error;
      }
      return follow(client, target);
    });
  }
}

async function follow(client: ControlClient, target: string | undefined): Promise<number> {
  const { services } = await client.request<Status>({ verb: 'ps' });
  const view = createView({ services, timestamp: true });
  let status = 0;
  const leave = new Promise<void>((resolve) => void onSignals(['SIGINT', 'SIGTERM', 'SIGHUP'], () => resolve()));
  if (target !== undefined) {
    process.stdin.setEncoding('utf8').on('data', (text) => {
      client.request({ verb: 'send', targets: [target], text: String(text) }).catch((error: Error) => {
        process.stderr.write(`proclet: ${error.message}\n`);
      });
    });
  }
  const targets = target === undefined ? [] : [target];
  const over = client.request({ verb: 'events', targets, follow: true, open: true, last: shownAtFirst }, (item) => {
    if ('skipped' in item) process.stderr.write(`proclet: ${item.skipped} events were left out\n`);
    const event = 'event' in item ? eventFromWire(item.event) : undefined;
    if (event?.type === 'stopped') status = event.status;
    if (event) view.show(event);
  });
  await Promise.race([
    over,
    leave.then(() => process.stderr.write('\nproclet: the run goes on; proclet stop ends it\n')),
  ]);
  return status;
}
