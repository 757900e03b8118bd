/** The runs of this user that live, and which of them is a project's. */
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { formatDuration } from '../duration.js';
import { ProcletError } from '../errors.js';
import { bootId } from './boot.js';
import { claim } from './claim.js';
import { createProcessTable, type ProcessTable } from './process-table.js';
import { type RunRecord, readRecords, runtimePlace, socketPath } from './runtime-dir.js';

/** A run that lives, and where it listens. */
export interface LiveRun extends RunRecord {
  readonly socket: string;
}

/** Oldest first. What the dead left is passed over. */
export function liveRuns(directory = runtimePlace(), table: ProcessTable = createProcessTable()): LiveRun[] {
  const boot = bootId();
  return readRecords(directory)
    .filter((record) => record.boot === boot && table.find(record.pid)?.started === record.started)
    .map((record) => ({ ...record, socket: socketPath(directory, record.run) }))
    .sort((a, b) => a.since - b.since);
}

/** Which run is meant: by name or pid, else by a directory in or below its project. */
export interface Whose {
  readonly name?: string | undefined;
  /** Absolute, without symbolic links. */
  readonly directory: string;
}

/** Throws ProcletError when none is meant, or more than one. */
export function findRun({ name, directory }: Whose, runs: readonly LiveRun[]): LiveRun {
  const found = name === undefined ? runsAt(directory, runs) : runsNamed(name, runs);
  const [first, ...more] = found;
  if (first === undefined) throw noneRuns({ name, directory }, runs);
  if (more.length === 0) return first;
  const [start, ...others] = found.filter(({ command, name: own }) => command === 'start' && own === '');
  if (start !== undefined && others.length === 0) return start;
  const names = found.map(({ name: own, pid, command }) => `${own || pid} (proclet ${command})`).join(', ');
  throw new ProcletError('USAGE', `more than one proclet runs here: ${names}`, {
    hint: 'Say which with --name and its name or pid.',
  });
}

/** Those of the nearest directory upwards that has any. */
function runsAt(directory: string, runs: readonly LiveRun[]): LiveRun[] {
  const here = runs.filter(({ root }) => root === directory);
  const above = dirname(directory);
  return here.length > 0 || above === directory ? here : runsAt(above, runs);
}

function runsNamed(name: string, runs: readonly LiveRun[]): LiveRun[] {
  const named = runs.filter((run) => run.name === name || String(run.pid) === name);
  return named.length > 0 ? named : runs.filter((run) => run.name === '' && run.root.split('/').at(-1) === name);
}

function noneRuns({ name, directory }: Whose, runs: readonly LiveRun[]): ProcletError {
  const what = name === undefined ? `no proclet runs for ${directory}` : `no proclet is named ${name}`;
  const hint = runs.length === 0 ? 'Start one with proclet start.' : 'proclet ps --all shows those that run.';
  return new ProcletError('NOT_RUNNING', what, { hint });
}

/** The claim of the project and name that a run has. */
export function claimPath(directory: string, { root, name }: Pick<RunRecord, 'root' | 'name'>): string {
  const key = createHash('sha256').update(`${root}\0${name}`).digest('hex').slice(0, 16);
  return join(directory, `${key}.claim`);
}

/**
 * Makes a run the only `start` of its project and name, and answers the end of that. Its record must be there.
 * Throws ProcletError when another one lives.
 */
export function claimProject(directory: string, record: RunRecord): () => void {
  const { root, name, run, pid, started, boot, since: now } = record;
  const assertStale = (text: string) => {
    const other = claimantIn(text, directory);
    if (other === undefined) return;
    const ago = formatDuration(Math.max(0, now - other.since));
    const what = name === '' ? root : `${name} in ${root}`;
    throw new ProcletError('REFUSED', `a proclet runs ${what} already (pid ${other.pid}, started ${ago} ago)`, {
      hint: 'See it with proclet ps, end it with proclet stop, or run this one beside it with --name NAME.',
    });
  };
  const text = `${run}\n${JSON.stringify({ pid, started, boot, since: now } satisfies Claimant)}\n`;
  return claim({ path: claimPath(directory, record), text, mode: 0o600, assertStale });
}

/** Who has a claim: it counts also while the record of its run is not there. */
type Claimant = Pick<RunRecord, 'pid' | 'started' | 'boot' | 'since'>;

/** Undefined when it does not live. An earlier version wrote the number of its run alone. */
function claimantIn(text: string, directory: string): Claimant | undefined {
  const [run, more = ''] = text.split('\n');
  if (more === '') return liveRuns(directory).find((live) => live.run === run);
  try {
    const claimant = JSON.parse(more) as Claimant;
    const isAlive = claimant.boot === bootId() && createProcessTable().find(claimant.pid)?.started === claimant.started;
    return isAlive ? claimant : undefined;
  } catch {
    return undefined; // half of one
  }
}
