import { Args, Flags } from '@oclif/core';
import { ControlCommand, runOf } from '../cli/control-command.js';
import { jsonFlag, printJson } from '../cli/json.js';
import { lookAtRuns, type Sight } from '../cli/look-at-runs.js';
import { chosenServices, jsonOf, watchTable } from '../cli/watch-table.js';
import type { Status } from '../control/protocol.js';
import { formatDuration } from '../duration.js';
import { answersWithin } from '../fleet/reach.js';
import { describeSilence } from '../fleet/silence.js';
import { wantsColor } from '../observers/palette.js';
import { statusTable, type TableOptions } from '../observers/status-table.js';
import { createClock } from '../platform/clock.js';
import { liveRuns } from '../platform/runs.js';

export default class Ps extends ControlCommand {
  static override summary =
    'Show how the services of the running proclet stand; with --all, those of every proclet of yours.';
  static override examples = [
    { description: 'this project', command: '<%= config.bin %> ps' },
    { description: 'every proclet of this user, again and again', command: '<%= config.bin %> ps --all --watch' },
  ];
  static override strict = false;
  static override args = { targets: Args.string({ name: 'TARGET', description: 'web, web.2, w* or all' }) };
  static override flags = {
    all: Flags.boolean({ char: 'a', summary: 'Every running proclet of this user.' }),
    watch: Flags.boolean({ char: 'w', summary: 'Show it anew each second, until q or Ctrl-C.' }),
    json: jsonFlag,
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Ps);
    const targets = argv as string[];
    const clock = createClock();
    const look = () => (flags.all ? lookAtRuns(liveRuns(), clock, answersWithin) : lookAtRuns([runOf(flags)], clock));
    const isTTY = process.stdout.isTTY === true;
    const color = wantsColor({ setting: 'auto', env: process.env, isTTY });
    const text = (sight: Sight, cpuOf?: TableOptions['cpuOf']) => {
      const columns = isTTY ? process.stdout.columns || 80 : Infinity;
      return textOf(sight, { targets, all: flags.all, table: { columns, color, ...(cpuOf && { cpuOf }) } });
    };
    try {
      if (flags.watch) return await watchTable({ look, text, json: flags.json });
      const sight = await look();
      const [only] = jsonOf(sight);
      if (!flags.json) this.print(text(sight));
      else if (flags.all) printJson(jsonOf(sight));
      else printJson({ ...only, services: chosenServices(sight.statuses[0], targets) });
      return flags.all || sight.silent.length === 0 ? 0 : 1;
    } finally {
      clock.close();
    }
  }
}

interface Shown {
  readonly targets: readonly string[];
  readonly all: boolean;
  readonly table: TableOptions;
}

function textOf({ statuses, silent }: Sight, { targets, all, table }: Shown): string {
  const [only] = statuses;
  const silence = silent.map((run) => `${describeSilence(run, run.silence).text}\n  ${run.hint}`);
  if (!all) return [...(only ? [statusTable(chosenServices(only, targets), table)] : []), ...silence].join('\n');
  if (statuses.length + silent.length === 0) return 'No proclet runs.';
  const blocks = statuses.map(
    (status) => `${headingOf(status)}\n${statusTable(chosenServices(status, targets), table)}`,
  );
  return [...blocks, ...silence].join('\n\n');
}

function headingOf({ root, name, pid, since, command }: Status): string {
  const ago = formatDuration(Math.max(0, Math.round((createClock().wall() - since) / 1000) * 1000));
  return `${root}${name === '' ? '' : ` (${name})`}: proclet ${command}, pid ${pid}, for ${ago}`;
}
