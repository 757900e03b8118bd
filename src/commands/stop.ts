import { Args, Flags } from '@oclif/core';
import { ControlCommand } from '../cli/control-command.js';
import { jsonFlag, printJson } from '../cli/json.js';
import type { Ended, WouldEnd } from '../control/protocol.js';
import { formatDuration } from '../duration.js';
import { untilGone } from '../platform/until-gone.js';

export default class Stop extends ControlCommand {
  static override summary = 'Stop services, or everything and proclet itself; returns when all of it is gone.';
  static override examples = [
    { description: 'everything', command: '<%= config.bin %> stop' },
    { description: 'one service; the others run on', command: '<%= config.bin %> stop web' },
    { description: 'which process would get which signal', command: '<%= config.bin %> stop --dry-run' },
  ];
  static override strict = false;
  static override args = { targets: Args.string({ name: 'TARGET', description: 'web, web.2, w* or all' }) };
  static override flags = {
    'dry-run': Flags.boolean({ summary: 'Show which processes would get which signal, and stop nothing.' }),
    json: jsonFlag,
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Stop);
    const targets = argv as string[];
    const dryRun = flags['dry-run'];
    const answer = await this.talk(flags, async (client, run) => {
      const done = await client.request<{ ended?: Ended[]; wouldEnd?: WouldEnd[] }>({ verb: 'stop', targets, dryRun });
      // So that what comes next in a script does not find a proclet that is about to go.
      if (targets.length === 0 && !dryRun) await untilGone(run);
      return done;
    });
    if (flags.json) printJson(answer.ended ?? answer.wouldEnd);
    else if (dryRun) this.#printWouldEnd(answer.wouldEnd ?? []);
    else this.#printEnded(answer.ended ?? []);
    return answer.ended?.some(({ survivors }) => survivors.length > 0) ? 1 : 0;
  }

  #printWouldEnd(would: readonly WouldEnd[]): void {
    if (would.length === 0) this.print('Nothing runs, so nothing would be stopped.');
    for (const { id, signal, to, grace, processes } of would) {
      const then = grace === null ? 'and would be waited for' : `and SIGKILL after ${formatDuration(grace)}`;
      this.print(`${id}: ${signal} to ${whom(to, processes.length)}, ${then}`);
      for (const { pid, command } of processes) this.print(`  ${String(pid).padStart(7)}  ${command}`);
    }
  }

  #printEnded(ended: readonly Ended[]): void {
    if (ended.length === 0) this.print('Nothing ran.');
    for (const end of ended) {
      const { id, processes, survivors } = end;
      const count = processes === 1 ? '1 process' : `${processes} processes`;
      const left = survivors.length === 0 ? '' : `; could not be ended: pid ${survivors.join(', ')}`;
      this.print(`${id} ${howItEnded(end, count)}${left}`);
    }
  }
}

function howItEnded({ how, cause, forced, signal, took, processes }: Ended, count: string): string {
  const time = formatDuration(took);
  if (processes === 0 && cause !== undefined) return 'stopped: it was waiting to be started again';
  if (forced === 'grace') return `ignored ${signal} for its grace, so it was killed (${count}, ${time})`;
  if (forced === 'request') return `was killed, as a second stop asked (${count}, ${time})`;
  return cause === undefined ? `${how} (${count})` : `stopped (${count}, ${time})`;
}

/** Who gets the stop signal, in words that follow `SIGTERM to`. */
function whom(to: WouldEnd['to'], processes: number): string {
  if (processes === 1) return '1 process';
  if (to === 'tree') return `${processes} processes`;
  const others = processes === 2 ? 'the other one' : `the other ${processes - 1}`;
  return `the first of ${processes} processes, to ${others} when that has gone`;
}
