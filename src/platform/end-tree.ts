/** The end of a tree from outside: for those who find what a run has left. */
import { lastChance } from '../grace.js';
import type { Millis, Survivor } from '../model.js';
import type { Clock, StopTerms } from '../ports.js';
import type { PlantedTree, ProcessTrees, Seed } from './process-tree.js';
import { isDenied } from './survivors.js';

/** How long a process may outlive SIGKILL before it is given up. */
const patience: Millis = 5_000;

/** The same when only what this user may not signal is left. */
const deniedPatience: Millis = 200;

/** Between two looks at a leader, which is nobody's child here. */
const pause: Millis = 10;

export interface Manner extends StopTerms {
  readonly clock: Clock;
}

/** The signal, the grace, then SIGKILL until nothing is left. Answers what could not be ended. */
export function endTree(trees: ProcessTrees, seed: Seed, manner: Manner): Promise<readonly Survivor[]> {
  const { clock, grace } = manner;
  return new Promise((resolve) => {
    const cancels: (() => void)[] = [];
    const tree = trees.plant(seed, {
      orphaned() {},
      ended({ survivors }) {
        for (const cancel of cancels) cancel();
        resolve(survivors);
      },
    });
    cancels.push(ask(tree, manner));
    tree.leaderExited();
    cancels.push(clock.wakeAt(clock.now() + grace, tree.kill));
    cancels.push(
      clock.wakeAt(clock.now() + grace + deniedPatience, () => tree.pids().every(isDenied) && tree.abandon()),
    );
    cancels.push(clock.wakeAt(clock.now() + grace + patience, tree.abandon));
  });
}

/** The leader first, where it is to be so, and the rest when that has gone, ignores the signal, or takes its time. */
function ask(tree: PlantedTree, { clock, signal, to, grace }: Manner): () => void {
  if (to === 'nobody') return () => {};
  if (to === 'tree') {
    tree.signal(signal);
    return () => {};
  }
  const isHeard = to === 'rest' || tree.pass(signal);
  const spreadsAt = clock.now() + grace - lastChance(grace);
  let cancel = () => {};
  const look = () => {
    if (isHeard && tree.isLed() && clock.now() < spreadsAt) cancel = clock.wakeAt(clock.now() + pause, look);
    else tree.signal(signal, 'rest');
  };
  look();
  return () => cancel();
}
