/**
 * What the guardian becomes when its proclet is gone: ends what the run has left by the rules that proclet itself goes
 * by, then removes the run's traces. They stay for `proclet reap` where something is left, or where it could not look.
 *
 * A program of its own, which Node reads from standard input: see guardian.ts for what it is given.
 */
import { dirname } from 'node:path';
import { cgroupAt, removeCgroups } from './cgroup.js';
import { createClock } from './clock.js';
import { endTree } from './end-tree.js';
import type { Trust } from './guardian.js';
import { createGuests } from './guests.js';
import { type GuardedLife, lifeOf } from './lives.js';
import { createProcessTable } from './process-table.js';
import { ProcessTrees, type Seed } from './process-tree.js';
import { forgetRun, searchRun } from './run-search.js';

/** Who would end it means proclet, or its terminal. */
const deafTo = ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGTSTP'] as const;

/** A service that was just being started may have no mark yet, so one search that finds nothing is not the end. */
const calmSearches = 3;
const mostSearches = 100;
const pause = 10;

/** What came of no life that proclet has told of gets this grace, at most. */
const untoldGrace = 1_000;

for (const signal of deafTo) process.on(signal, () => {});

const { run, grace, cgroup, record }: Trust = JSON.parse(process.env['PROCLET_GUARDED'] ?? '');
const lives = (process.env['LIVES'] ?? '').split(' ').filter(Boolean).map(lifeOf);
const clock = createClock();
const table = createProcessTable();
const trees = new ProcessTrees(clock, table, createGuests(table));
const whole = { leader: 0, mark: run, ownsGroup: false, ...(cgroup !== '' && { cgroup: cgroupAt(cgroup) }) };

void end().finally(() => clock.close());

async function end(): Promise<void> {
  const ends = lives.map((life) => endTree(trees, seedOf(life), { clock, ...life.terms }));
  const told = new Set(lives.map(({ mark }) => mark));
  const marks = searchRun({ run, cgroup }, table.read()).rows.map(({ mark }) => mark);
  for (const mark of new Set(marks)) {
    if (mark === undefined || told.has(mark)) continue;
    const seed = { leader: 0, mark, ownsGroup: false };
    ends.push(endTree(trees, seed, { clock, signal: 'SIGTERM', to: 'tree', grace: Math.min(grace, untoldGrace) }));
  }
  const survivors = (await Promise.all(ends)).flat();
  if (survivors.length === 0 && (await isOver())) await forget();
}

function seedOf({ pid, started, inside, cgroup: group, pipes, terms: _, ...life }: GuardedLife): Seed {
  const leader = inside === undefined ? { leader: pid, started } : { leader: inside.pid, started: inside.started };
  return {
    ...{ ...life, ...leader, pipes: new Set(pipes) },
    ...(group !== '' && { cgroup: cgroupAt(group) }),
    ...(inside !== undefined && { holder: { pid, started } }),
  };
}

/** Searches until nothing is found any more, and ends what is. */
async function isOver(): Promise<boolean> {
  let calm = 0;
  for (let n = 0; calm < calmSearches && n < mostSearches; n += 1) {
    const { rows, trouble } = searchRun({ run, cgroup }, table.read());
    if (trouble !== undefined) return false;
    calm = rows.length === 0 ? calm + 1 : 0;
    if (rows.length === 0) await new Promise<void>((go) => void clock.wakeAt(clock.now() + pause, go));
    else if ((await endTree(trees, whole, { clock, signal: 'SIGKILL', to: 'nobody', grace: 0 })).length > 0)
      return false;
  }
  return calm === calmSearches;
}

/** A control group stays for a moment after its last process, until that one has been waited for. */
async function forget(): Promise<void> {
  const isGone = () => (record === '' ? removeCgroups(cgroup) : forgetRun(dirname(record), { run, cgroup }));
  for (let n = 0; n < mostSearches && !isGone(); n += 1) {
    await new Promise<void>((go) => void clock.wakeAt(clock.now() + pause, go));
  }
}
