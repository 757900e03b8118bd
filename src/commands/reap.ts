import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { namedCleared, namedLeftover, namedRest } from '../cli/leftover-words.js';
import { clearNotes } from '../cli/state-dir.js';
import { ProcletError } from '../errors.js';
import { createClock } from '../platform/clock.js';
import { ownPlaces } from '../platform/home.js';
import { endLeftovers, findLeftovers } from '../platform/leftovers.js';
import { createProcessTable, type ProcessTable, tableKind } from '../platform/process-table.js';
import { liveRuns } from '../platform/runs.js';
import { runtimePlace } from '../platform/runtime-dir.js';
import { clearStaleFiles } from '../platform/stale-files.js';

export default class Reap extends BaseCommand {
  static override summary = 'Find what earlier runs left behind, and end it with --yes.';
  static override description =
    `Only processes that carry proclet's own mark, are in the control group of one of your runs, lead one of its services, have a pipe
open that was made for one, or came of such a process, and whose proclet and guardian are gone; never what a running proclet has started. A process that your
run started as another user is named if it is not yours to end, and the record of the run stays until it is gone: exit
status 1. Files that killed proclets left half made are removed at once.`;
  static override examples = [
    { description: 'what is left', command: '<%= config.bin %> reap' },
    { description: 'end it', command: '<%= config.bin %> reap --yes' },
  ];
  static override flags = {
    yes: Flags.boolean({ char: 'y', summary: 'End what was found.' }),
    json: Flags.boolean({ summary: 'Print what was found as JSON.' }),
  };

  async run(): Promise<number> {
    const { flags } = await this.parse(Reap);
    assertSeeing();
    const [directory, table] = [runtimePlace(), createProcessTable()];
    const clock = createClock();
    const leftovers = findLeftovers(directory, table);
    const cleared = clearFiles(directory, table);
    const print = (text: string) => void process.stdout.write(`${text}\n`);
    if (flags.json) print(JSON.stringify(leftovers, null, 2));
    else if (leftovers.length === 0 && cleared.length === 0) print('Nothing is left behind.');
    else for (const leftover of leftovers) print(namedLeftover(leftover, clock.wall()));
    if (!flags.json && cleared.length > 0) print(namedCleared(cleared));
    if (leftovers.length === 0) return 0;
    if (!flags.yes) {
      if (!flags.json) print('End them with: proclet reap --yes');
      return 0;
    }
    const survivors = await endLeftovers(leftovers, { clock, table, directory, grace: 1_000 });
    clock.close();
    const rest = findLeftovers(directory, table);
    clearFiles(directory, table);
    if (!flags.json) print(namedRest(survivors, rest) || 'All of it is gone.');
    return survivors.length === 0 && rest.length === 0 ? 0 : 1;
  }
}

/** A note of where logs are says nothing when these are cleared, and its directory goes with it. */
function clearFiles(directory: string, table: ProcessTable): string[] {
  const clear = () => clearStaleFiles({ ...ownPlaces(), runtime: directory }, table);
  const cleared = clear();
  const notes = clearNotes(liveRuns(directory, table));
  return notes.length === 0 ? cleared : [...cleared, ...notes, ...clear()];
}

function assertSeeing(): void {
  if (tableKind() !== 'groups') return;
  throw new ProcletError('OS', 'what is left behind cannot be seen here: no /proc and no ps shows a process');
}
