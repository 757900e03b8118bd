import { realpathSync } from 'node:fs';
import { Args, Flags } from '@oclif/core';
import { awaitStart, type Begun } from '../cli/await-start.js';
import { BaseCommand } from '../cli/base-command.js';
import { detachedInto, startDetached, tellStarted } from '../cli/detached.js';
import { untilAllListed, untilEarlierEnded } from '../cli/earlier-run.js';
import { flagsOf, givensOf } from '../cli/flags.js';
import { withFreePorts } from '../cli/free-ports.js';
import { printJson } from '../cli/json.js';
import { loadProject, type Project, planInput } from '../cli/load-project.js';
import { eventOf } from '../cli/logged-lines.js';
import { detachedLook, lookOf } from '../cli/look.js';
import { upAndSilent } from '../cli/ready-words.js';
import { noteLogs, stateDirectory } from '../cli/state-dir.js';
import { onStray } from '../cli/strays.js';
import { createView } from '../cli/view.js';
import { ProcletError } from '../errors.js';
import type { PhaseName, Settings } from '../model.js';
import { logPathsOf } from '../observers/log-files.js';
import { ownName } from '../observers/margin.js';
import { buildPlan } from '../plan/build-plan.js';
import { describePlan, planAsData } from '../plan/describe-plan.js';
import { createClock } from '../platform/clock.js';
import { createProcessTable } from '../platform/process-table.js';
import { type Reread, startServices } from '../runtime.js';

/** What proclet says of a run's beginning; of one that is not well, what was printed, too. */
function showBegin({ services, troubled, starting, silent, lines }: Begun): void {
  const shown = troubled.length === 0 ? lines.filter(({ id }) => id === ownName) : lines;
  const view = createView({ services, timestamp: true });
  for (const line of shown.slice(-mostShown)) view.show(eventOf(line));
  for (const { id, phase } of starting) process.stdout.write(`${id} ${standing[phase]}: proclet wait waits for it\n`);
  if (silent.length > 0) process.stdout.write(`${silent.join(', ')}: ${upAndSilent}\n`);
}

const mostShown = 40;

const standing: Readonly<Record<PhaseName, string>> = {
  down: 'waits for others',
  starting: 'is still starting',
  up: 'does not listen yet',
  stopping: 'is still being stopped',
  backoff: 'has crashed and waits to be started again',
  failed: 'has failed',
};

export default class Start extends BaseCommand {
  static override summary = 'Run the services of a Procfile until they end, expire or you press Ctrl-C.';
  static override description =
    `Each service runs with its output behind its name. What crashes is started again after a growing delay.
Whatever ends a service ends its whole process tree.`;
  static override examples = [
    { description: 'every service', command: '<%= config.bin %> start' },
    { description: 'two of them, for half an hour', command: '<%= config.bin %> start web worker --ttl 30m' },
    { description: 'three of one, none of another', command: '<%= config.bin %> start -m all=1,web=3,clock=0' },
    { description: 'what would be started', command: '<%= config.bin %> start --dry-run' },
  ];
  static override strict = false;
  static override args = { tags: Args.string({ name: 'TAG', description: 'services to run; all when none is named' }) };
  static override flags = {
    ...flagsOf('start'),
    'dry-run': Flags.boolean({ summary: 'Print the plan and start nothing.' }),
    detach: Flags.boolean({
      char: 'D',
      summary: 'Run in the background, with the output in files: see logs, attach, stop.',
    }),
    json: Flags.boolean({ summary: 'With --detach or --dry-run: print JSON for programs.' }),
  };

  async run(): Promise<number> {
    const into = detachedInto();
    const { flags, argv } = await this.parse(Start);
    const wish = { flags: givensOf(flags), tags: argv as string[], pipes: new Map<string, string>() };
    const project = await loadProject(wish);
    const isJson = flags['json'] === true;
    if (isJson && !flags.detach && flags['dry-run'] !== true) {
      throw new ProcletError('USAGE', '--json goes with --detach or --dry-run', {
        hint: 'For the output of the services as JSON: proclet start --log-format json',
      });
    }
    if (flags['dry-run'] === true) {
      const plan = buildPlan(planInput(project));
      if (isJson) printJson(planAsData(plan));
      else process.stdout.write(describePlan(plan));
      return 0;
    }
    if (flags.detach && into === undefined) {
      buildPlan(planInput(project));
      return this.#detach(project, isJson);
    }
    await untilAllListed();
    await untilEarlierEnded(realpathSync(project.root), (pid) => {
      process.stderr.write(`proclet: waiting for the end of what an earlier run (pid ${pid}) has left here\n`);
    });
    const look = (settings: Settings) => (into === undefined ? lookOf(settings) : detachedLook(lookOf(settings), into));
    const { finished } = await withFreePorts(project, (input, recorded) => {
      const reread: Reread = async (counts, positions) => {
        const again = await loadProject({ ...wish, manner: 'careful' });
        const { formation, ...settings } = again.settings;
        const scaled = { ...formation, tags: { ...formation.tags, ...counts } };
        // Those that were free when the run began are its own now.
        const port = settings.port === 'auto' ? input.settings.port : settings.port;
        const own = { ...settings, formation: scaled, ...(port !== undefined && { port }) };
        const plan = buildPlan({ ...planInput({ ...again, settings: own }), positions });
        return { plan, look: look(again.settings), remarks: again.remarks };
      };
      const { remarks } = project;
      const first = { plan: buildPlan(input), look: look(project.settings), remarks };
      const noted = () => {
        recorded();
        const files = logPathsOf({ plan: first.plan, logDirectory: first.look.logDirectory });
        noteLogs(realpathSync(project.root), project.settings.name, { files, since: createClock().wall() });
      };
      return startServices(first, { reread, recorded: noted, onStray });
    });
    if (into !== undefined) tellStarted();
    return finished;
  }

  async #detach({ root, settings }: Project, isJson: boolean): Promise<number> {
    const name = settings.name;
    const directory = realpathSync(root);
    const kept = stateDirectory(directory, name);
    const pid = await startDetached(this.argv, kept);
    const clock = createClock();
    const begun = await awaitStart(pid, clock).finally(() => clock.close());
    const isWell = begun === undefined || begun.troubled.length === 0;
    if (isJson) {
      printJson({ pid, root: directory, name, services: begun?.services ?? null });
      return isWell ? 0 : 1;
    }
    if (begun !== undefined) showBegin(begun);
    const which = name === '' ? '' : ` --name ${name}`;
    process.stdout.write(`${inBackground({ pid, which, kept, isReached: begun !== undefined })}\n`);
    return isWell ? 0 : 1;
  }
}

interface Second {
  readonly pid: number;
  /** The flag that names it to other commands, with a space before it; '' where it needs none. */
  readonly which: string;
  /** The directory of its output. */
  readonly kept: string;
  readonly isReached: boolean;
}

/** Says how a run in the background stands, and which commands reach it. */
function inBackground({ pid, which, kept, isReached }: Second): string {
  const runs = `proclet runs in the background (pid ${pid})`;
  if (isReached) return `${runs}: proclet ps${which}, proclet logs -f${which}, proclet stop${which}`;
  if (createProcessTable().find(pid) === undefined) {
    return `proclet ran in the background, and has ended: proclet logs${which}`;
  }
  return `${runs}, and no other command reaches it: kill ${pid} ends it and its services, ${kept}/proclet.out says why`;
}
