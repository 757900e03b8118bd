/** What the buttons of the page do. Each names a service of a registered project, or one of a run that is there. */
import { ProcletError } from '../errors.js';
import type { Tag } from '../model.js';
import type { LauncherParts, LauncherProject } from './ports.js';

export const actNames = ['start', 'stop', 'restart', 'reload', 'extend', 'keep', 'start-all', 'stop-all'] as const;

export interface Act {
  readonly act: (typeof actNames)[number];
  readonly project?: string | undefined;
  /** The number of a run. */
  readonly run?: string | undefined;
  /** '' where all services of a project are meant. */
  readonly service: Tag;
}

/** Reads a form; undefined when a field is missing or is none of the known ones. */
export function readAct(form: Readonly<Record<string, unknown>>): Act | undefined {
  const { act, project, run, service } = form;
  const known = actNames.find((name) => name === act);
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
  const isForAll = known === 'start-all' || known === 'stop-all';
  const tag = isForAll ? '' : text(service);
  return known === undefined || tag === undefined
    ? undefined
    : { act: known, project: text(project), run: text(run), service: tag };
}

/** Throws ProcletError for what is not there or refuses. */
export async function perform(asked: Act, parts: LauncherParts): Promise<void> {
  const { fleet, launches, told } = parts;
  const { act, service } = asked;
  await fleet.look();
  const project = asked.project === undefined ? undefined : await projectOf(asked.project, parts);
  if (act === 'start-all' || act === 'stop-all') return performForAll(act, project, parts);
  const run = fleet.runs.find(
    (one) =>
      one.services.some(({ tag }) => tag === service) &&
      (asked.run === undefined ? one.root === project?.root : one.run === asked.run),
  );
  told(`${act}: ${project?.name ?? run?.root ?? 'a run that has ended'}/${service}`);
  if (act === 'start' && project !== undefined) {
    if (project.problem !== undefined) throw new ProcletError('REFUSED', project.problem);
    if (!project.services.some(({ tag }) => tag === service)) throw unknownService(project, service);
    launches.launch(project, service);
    return;
  }
  if (run === undefined) throw new ProcletError('NOT_RUNNING', `${service} does not run any more`);
  const verb = act === 'start' ? 'restart' : act;
  await fleet.ask(run.run, {
    ...{ verb, targets: [service], from: 'launcher' },
    ...(verb === 'extend' && { by: parts.extension }),
    // What becomes of it is shown when it is known.
    ...(verb === 'reload' && { wait: false }),
  });
}

async function performForAll(
  act: 'start-all' | 'stop-all',
  project: LauncherProject | undefined,
  { fleet, launches, told, clock }: LauncherParts,
): Promise<void> {
  if (project === undefined) throw new ProcletError('NOT_FOUND', 'which project?');
  if (project.problem !== undefined) throw new ProcletError('REFUSED', project.problem);
  told(`${act === 'start-all' ? 'start' : 'stop'}: ${project.name}`);
  const own = () => fleet.runs.filter(({ root }) => root === project.root);
  if (act === 'stop-all') {
    await Promise.all(own().map(({ run }) => fleet.ask(run, { verb: 'stop', targets: ['all'], from: 'launcher' })));
    return;
  }
  const [first, ...others] = project.services.flatMap(({ tag }) =>
    launches.isUnderWay(project.root, tag) ? [] : [tag],
  );
  if (first === undefined) return;
  const launch = launches.launch(project, first);
  // The others join its run: two at once would each begin one.
  while (own().length === 0 && launch.state.is === 'booting') {
    await new Promise<void>((go) => void clock.wakeAt(clock.now() + lookEvery, go));
    await fleet.look();
  }
  for (const tag of others) launches.launch(project, tag);
}

/** How often it is looked whether the run is there. */
const lookEvery = 50;

async function projectOf(name: string, { projects }: LauncherParts): Promise<LauncherProject> {
  const project = await projects.current(name);
  if (project === undefined) throw new ProcletError('NOT_FOUND', `no project is registered as ${name}`);
  return project;
}

export function unknownService({ name, services }: LauncherProject, tag: string): ProcletError {
  const known = services.map((service) => service.tag).join(', ');
  return new ProcletError('NOT_FOUND', `${name} has no service ${tag}; it has ${known}`);
}
