import { Args, Flags } from '@oclif/core';
import { ControlCommand, directoryOf, runOf } from '../cli/control-command.js';
import { countOf } from '../cli/count-flag.js';
import { eventOf, type LoggedLine, linesInFiles, linesOf, matcherOf, sinceOf } from '../cli/logged-lines.js';
import { keptLogs } from '../cli/state-dir.js';
import { createView, type View } from '../cli/view.js';
import type { Status } from '../control/protocol.js';
import { parseDuration } from '../duration.js';
import { ProcletError } from '../errors.js';
import { reach } from '../fleet/reach.js';
import { createClock } from '../platform/clock.js';
import { targetPattern } from '../target-pattern.js';
import { eventToWire, toLine } from '../wire.js';

const shownAtFirst = 100;

export default class Logs extends ControlCommand {
  static override summary = 'Show what services have printed, and with -f what they print.';
  static override description =
    'From the memory of the run, and from its log files if it has any; of a detached run also when it has ended.';
  static override examples = [
    { description: 'one service, on and on', command: '<%= config.bin %> logs -f web' },
    {
      description: 'errors of the last ten minutes',
      command: '<%= config.bin %> logs --since 10m --grep "ERROR|WARN"',
    },
  ];
  static override strict = false;
  static override args = { targets: Args.string({ name: 'TARGET', description: 'web, web.2, w* or all' }) };
  static override flags = {
    follow: Flags.boolean({ char: 'f', summary: 'Go on with what they print, until the run ends.' }),
    lines: Flags.string({
      char: 'n',
      helpValue: 'N',
      summary: 'The last N lines; without --since and --grep 100.',
    }),
    since: Flags.string({ helpValue: '10m', summary: 'Only what was printed since: 10m, or a date and time.' }),
    grep: Flags.string({ helpValue: 'REGEX', summary: 'Only lines that match.' }),
    color: Flags.boolean({ allowNo: true, summary: 'Colour the output; by default if the terminal shows it.' }),
    timestamp: Flags.boolean({ default: true, allowNo: true, summary: 'Show the time before each line.' }),
    json: Flags.boolean({ summary: 'Print an event a line, for programs.' }),
  };

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(Logs);
    const { since: given, grep, follow, lines } = flags;
    const unasked = given === undefined && grep === undefined ? shownAtFirst : Infinity;
    const count = lines === undefined ? unasked : countOf('--lines', lines);
    const wanted = {
      since: sinceOf(given, createClock().wall(), parseDuration),
      matches: matcherOf(grep),
      count,
      targets: argv as string[],
    };
    const look = { color: flags.color, timestamp: flags.timestamp };
    const printer = (view: View | undefined) => (line: LoggedLine) => {
      if (flags.json) process.stdout.write(toLine(eventToWire(eventOf(line))));
      else view?.show(eventOf(line));
    };
    const run = runOrNone(flags);
    if (run === undefined) {
      const lines = selected(ended(flags, wanted.since), wanted);
      const ids = [...new Set(lines.map(({ id }) => id))];
      lines.forEach(
        printer(createView({ ...look, services: ids.map((id, position) => ({ position, instances: [{ id }] })) })),
      );
      return 0;
    }
    const clock = createClock();
    const client = await reach(run, clock);
    const status = await client.request<Status>({ verb: 'ps' });
    const print = printer(createView({ ...look, services: status.services }));
    const past: LoggedLine[] = [];
    const { logFiles, completeSince = -Infinity } = await client.request<Past>(
      { verb: 'events', targets: wanted.targets, only: 'output', since: Math.floor(wanted.since) },
      (item) => void ('event' in item && past.push(...linesOf(item.event))),
    );
    const isShort = past.length < count && completeSince > wanted.since;
    const older = isShort ? linesInFiles(logFiles, { since: wanted.since, until: completeSince }) : [];
    const newer = isShort && logFiles.length > 0 ? past.filter(({ at }) => at > completeSince) : past;
    selected([...older, ...newer], wanted).forEach(print);
    if (follow) {
      const last = past.at(-1)?.at ?? 0;
      await client.request(
        { verb: 'events', targets: wanted.targets, only: 'output', follow: true, since: last + 1 },
        (item) => {
          if ('skipped' in item)
            process.stderr.write(`proclet: ${item.skipped} lines were left out, because they were not read in time\n`);
          else if ('event' in item) linesOf(item.event).filter(wanted.matches).forEach(print);
        },
      );
    }
    client.close();
    clock.close();
    return 0;
  }
}

interface Past {
  readonly logFiles: readonly string[];
  readonly completeSince?: number;
}

interface Wanted {
  readonly matches: (line: LoggedLine) => boolean;
  readonly count: number;
  readonly targets: readonly string[];
}

function selected(lines: readonly LoggedLine[], { matches, count, targets }: Wanted): LoggedLine[] {
  const patterns = targets.map(targetPattern);
  const isMeant = ({ id }: LoggedLine) =>
    patterns.length === 0 || patterns.some((pattern) => pattern.test(id) || pattern.test(id.replace(/\.\d+$/, '')));
  const chosen = lines.filter((line) => isMeant(line) && matches(line));
  return count === 0 ? [] : chosen.slice(-Math.min(count, chosen.length));
}

function runOrNone(flags: { root?: string | undefined; name?: string | undefined }) {
  try {
    return runOf(flags);
  } catch (error) {
    if (error instanceof ProcletError && error.code === 'NOT_RUNNING') return undefined;
    throw error;
  }
}

/** Of a run that has ended, what it has left in files. */
function ended(
  { root = '.', name = '' }: { root?: string | undefined; name?: string | undefined },
  since: number,
): LoggedLine[] {
  const files = keptLogs(directoryOf(root), name);
  if (files.length === 0) {
    throw new ProcletError('NOT_RUNNING', `no proclet runs for ${directoryOf(root)}, and none has left a log`, {
      hint: 'A run keeps its output with --log-dir DIR, or with -D.',
    });
  }
  return linesInFiles(files, { since, until: Infinity });
}
