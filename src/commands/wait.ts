import { Args, Flags } from '@oclif/core';
import { ControlCommand, runOf } from '../cli/control-command.js';
import { jsonFlag, printJson } from '../cli/json.js';
import { readyWords } from '../cli/ready-words.js';
import { timeoutOf } from '../cli/timeout.js';
import type { Waited } from '../control/protocol.js';
import { ProcletError } from '../errors.js';
import { reach } from '../fleet/reach.js';
import { createClock } from '../platform/clock.js';

export default class Wait extends ControlCommand {
  static override summary = 'Wait until services are ready; says what it waits for when the time is over.';
  static override description =
    `A service with ready: is ready when that says so. Without it, one that was given a port is ready when it
listens there, or at another port. If it does not within 30s, or rests for 5s without listening (a worker), it
counts as ready, too, and is said to be up (nothing listens). Any other is ready when it has run for a second.
A proclet that is only being started is waited for too. What sleeps until an access is ready.
Ends at once, with 1, when a service will not become ready: it failed, or somebody stopped it.`;
  static override examples = [
    { description: 'for all', command: '<%= config.bin %> start -D && <%= config.bin %> wait && npm run e2e' },
    { description: 'for one, half a minute', command: '<%= config.bin %> wait web --timeout 30s' },
  ];
  static override strict = false;
  static override args = { targets: Args.string({ name: 'TARGET', description: 'web, web.2, w* or all' }) };
  static override flags = {
    timeout: Flags.string({ char: 't', helpValue: '60s', default: '60s', summary: 'How long to wait.' }),
    quiet: Flags.boolean({ char: 'q', summary: 'Say nothing when they are ready.' }),
    json: jsonFlag,
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Wait);
    const targets = argv as string[];
    const timeout = timeoutOf(flags.timeout);
    const clock = createClock();
    const until = clock.now() + timeout;
    for (;;) {
      try {
        const client = await reach(runOf(flags), clock);
        const left = Math.max(0, until - clock.now());
        const waited = await client
          .request<Waited>({ verb: 'wait', targets, timeout: left })
          .finally(() => client.close());
        clock.close();
        if (flags.json) printJson(waited);
        else if (!flags.quiet) this.print(readyWords(waited));
        return 0;
      } catch (error) {
        // Being started, or so busy with it that it does not answer.
        if (!isComing(error) || clock.now() >= until) throw error;
        await new Promise<void>((go) => void clock.wakeAt(clock.now() + lookEvery, go));
      }
    }
  }
}

const lookEvery = 50;

/** Not one that has no socket: it will not answer later either. */
function isComing(error: unknown): boolean {
  if (!(error instanceof ProcletError) || error.reason === 'no-socket') return false;
  return error.code === 'NOT_RUNNING' || error.code === 'TIMEOUT';
}
