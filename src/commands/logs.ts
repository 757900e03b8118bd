import { Args, Flags } from '@oclif/core';
import { ControlCommand, directoryOf, runOf } from '../cli/control-command.js';
import { countOf } from '../cli/count-flag.js';
import { createLines, eventOf, type LoggedLine, linesInFiles, matcherOf, sinceOf } from '../cli/logged-lines.js';
import { keptLogs } from '../cli/state-dir.js';
import { createView, type View } from '../cli/view.js';
import type { Status } from '../control/protocol.js';
import { parseDuration } from '../duration.js';
import { ProcletError } from '../errors.js';
import { reach } from '../fleet/reach.js';
import { ownName } from '../observers/margin.js';
import { createClock } from '../platform/clock.js';
import { targetPattern } from '../target-pattern.js';
import { eventToWire, toLine } from '../wire.js';

const shownAtFirst = 100;

export default class Logs extends ControlCommand {
  static override summary = 'Show what services have printed and what became of them; with -f as it happens.';
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
  static override args = {
    targets: Args.string({
      name: 'TARGET',
      description: 'web, web.2, w*, all, or proclet for what proclet itself said',
    }),
  };
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
      const ids = [...new Set(lines.map(({ id }) => id))].filter((id) => id !== ownName);
      lines.forEach(
        printer(createView({ ...look, services: ids.map((id, position) => ({ position, instances: [{ id }] })) })),
      );
      return 0;
    }
    const clock = createClock();
    const client = await reach(run, clock);
    const { services } = await client.request<Status>({ verb: 'ps' });
    const print = printer(createView({ ...look, services }));
    // proclet's own lines are of no service, unless one has that name.
    const isService = services.some(({ tag }) => tag === ownName);
    const tags = isService ? wanted.targets : wanted.targets.filter((target) => target !== ownName);
    const message = { verb: 'events', targets: tags, ...(tags.length < wanted.targets.length && { targets: [] }) };
    const past: LoggedLine[] = [];
    const linesOf = createLines();
    const { logFiles, completeSince = -Infinity } = await client.request<Past>(
      { ...message, since: 0 },
      (item) => void ('event' in item && past.push(...linesOf(item.event))),
    );
    const recent = past.filter(({ at }) => at >= wanted.since);
    const isShort = recent.length < count && completeSince > wanted.since;
    const older = isShort ? linesInFiles(logFiles, { since: wanted.since, until: completeSince }) : [];
    const newer = isShort && logFiles.length > 0 ? recent.filter(({ at }) => at > completeSince) : recent;
    // What proclet says about a service is asked for with it: the run has chosen.
    const asked = { ...wanted, targets: tags.length > 0 ? [...wanted.targets, ownName] : wanted.targets };
    selected([...older, ...newer], asked).forEach(print);
    if (follow) {
      const last = past.at(-1)?.at ?? 0;
      await client.request({ ...message, follow: true, since: last + 1 }, (item) => {
        if ('skipped' in item)
          process.stderr.write(`proclet: ${item.skipped} lines were left out, because they were not read in time\n`);
        else if ('event' in item) selected(linesOf(item.event), { ...asked, count: Infinity }).forEach(print);
      });
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

/** Of the newest run that has ended and kept its output, what is in its files. */
function ended(
  { root = '.', name = '' }: { root?: string | undefined; name?: string | undefined },
  since: number,
): LoggedLine[] {
  const directory = directoryOf(root);
  const kept = keptLogs(directory, name);
  if (kept === undefined) {
    throw new ProcletError('NOT_RUNNING', `no proclet runs for ${directory}, and none has left a log`, {
      hint: 'A run keeps its output with --log-dir DIR, or with -D.',
    });
  }
  const began = kept.since === 0 ? '' : ` and began at ${new Date(kept.since).toLocaleString('sv')}`;
  process.stderr.write(
    `proclet: no proclet runs for ${directory}; this is of the last run that kept its output${began}\n`,
  );
  return linesInFiles(kept.files, { since: Math.max(since, kept.since), until: Infinity });
}
