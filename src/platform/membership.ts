/**
 * Which processes belong to a service, now. Pure: a table in, rows out.
 *
 * A process is a member when it is in the tree's control group, when it carries the tree's mark, when it was a
 * member before (same pid, same start), when it is in the leader's process group or session, when it has no mark and
 * one of the tree's pipes open, when it is a child of a member, or in a session that a member leads.
 * What carries the mark of another run belongs to that run's own proclet and is left alone, with everything below it;
 * such a run is a guest of the tree. A guest whose proclet and guardian are gone has nobody else to end it, so its
 * processes are members.
 */
import { guardianMark, runOf } from './mark.js';
import type { Processes, ProcessRow } from './process-table.js';

export interface Tree {
  /** The mark of a life; eleven digits stand for every life of a run. */
  readonly mark: string;
  leader: number;
  /** pid to start time of everything that has been a member; the leader is in it from the beginning. */
  readonly known: Map<number, string>;
  /**
   * Whether the leader's pid still names the group and session it made. The system does not give a pid away
   * while a group bears its number, so this holds from the spawn until the group is once seen empty.
   */
  ownsGroup: boolean;
  /** The pipes that proclet made for the leader's streams, by `pipeKey`. */
  readonly pipes?: ReadonlySet<string> | undefined;
  /** The runs of other proclets that were started from within the tree. */
  readonly guests: Set<string>;
  /** Those of them whose proclet and guardian are gone: what they left belongs to the tree. */
  readonly orphaned: Set<string>;
}

interface Kin {
  readonly children: ReadonlyMap<number, readonly ProcessRow[]>;
  readonly sessions: ReadonlyMap<number, readonly ProcessRow[]>;
}

/** Who is whose child, and in which session: worked out once, when first asked. */
export type Kinship = () => Kin;

/**
 * The live members of a tree, which are added to `tree.known`. `self` (proclet) is never one; `grouped` are the
 * pids in the tree's control group. Several trees in one table can share the `kinship`.
 */
export function membersOf(
  tree: Tree,
  processes: Processes,
  self: number,
  grouped: readonly number[] = [],
  kinship: Kinship = kinshipIn(processes),
): ProcessRow[] {
  const members = new Map<number, ProcessRow>();
  const queue: ProcessRow[] = [];
  const heir = processes.get(tree.leader);
  if (heir && heir.started !== tree.known.get(tree.leader)) tree.ownsGroup = false;

  const admit = (row: ProcessRow | undefined) => {
    if (!row || members.has(row.pid) || row.pid === self || isNobodys(row)) return;
    if (isForeign(tree, row)) {
      const run = runOf(row.mark);
      if (run !== undefined && !tree.mark.startsWith(run)) tree.guests.add(run);
      return;
    }
    members.set(row.pid, row);
    queue.push(row);
  };
  for (const pid of grouped) admit(processes.get(pid));
  for (const row of processes.values()) if (isMember(tree, row)) admit(row);
  // No member was found, so there is nobody whose children could be: the common case of a tree that is gone.
  if (queue.length === 0) return [];
  const kin = kinship();
  for (let row = queue.pop(); row !== undefined; row = queue.pop()) {
    for (const child of kin.children.get(row.pid) ?? []) admit(child);
    if (row.sid === row.pid) for (const peer of kin.sessions.get(row.sid) ?? []) admit(peer);
  }
  for (const { pid, started } of members.values()) tree.known.set(pid, started);
  return [...members.values()];
}

/** The system's first process, and with it all that nobody waits for. */
function isNobodys({ pid }: ProcessRow): boolean {
  return pid === 0 || pid === 1;
}

/** Whether a process is a member by what it is itself, whoever started it. */
export function isMember(tree: Tree, row: ProcessRow): boolean {
  return (
    bears(row, tree.mark) ||
    isOrphaned(tree, row) ||
    isInGroup(tree, row) ||
    tree.known.get(row.pid) === row.started ||
    holdsPipe(row, tree)
  );
}

/** Whether a process is in the group or session that the leader made. */
export function isInGroup(tree: Tree, row: ProcessRow): boolean {
  return tree.ownsGroup && (row.pgid === tree.leader || row.sid === tree.leader);
}

/** Whether a process belongs to a run that was started from within the tree. */
export function isGuest(tree: Tree, row: ProcessRow): boolean {
  const run = runOf(row.mark);
  return run !== undefined && tree.guests.has(run);
}

/** Whether a process carries the mark of another run, or is a guardian. */
export function isForeign(tree: Tree, row: ProcessRow): boolean {
  const run = runOf(row.mark);
  if (run === undefined) return false;
  return row.mark === guardianMark(run) || !(tree.mark.startsWith(run) || tree.orphaned.has(run));
}

/** Whether a process was left by a guest that nobody attends to any more. */
export function isOrphaned(tree: Tree, row: ProcessRow): boolean {
  const run = runOf(row.mark);
  return run !== undefined && tree.orphaned.has(run);
}

function bears(row: ProcessRow, mark: string): boolean {
  return runOf(row.mark) !== undefined && row.mark?.startsWith(mark) === true;
}

function holdsPipe({ pipes = [] }: ProcessRow, tree: Tree): boolean {
  return tree.pipes !== undefined && pipes.some((pipe) => tree.pipes?.has(pipe));
}

export function kinshipIn(processes: Processes): Kinship {
  let kin: Kin | undefined;
  return () => {
    kin ??= kinOf(processes);
    return kin;
  };
}

function kinOf(processes: Processes): Kin {
  const children = new Map<number, ProcessRow[]>();
  const sessions = new Map<number, ProcessRow[]>();
  for (const row of processes.values()) {
    push(children, row.ppid, row);
    push(sessions, row.sid, row);
  }
  return { children, sessions };
}

function push(index: Map<number, ProcessRow[]>, key: number, row: ProcessRow): void {
  const list = index.get(key);
  if (list) list.push(row);
  else index.set(key, [row]);
}
