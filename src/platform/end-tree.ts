/** The end of a tree from outside: for those who find what a run has left. */
import type { Millis, Survivor } from '../model.js';
import type { Clock } from '../ports.js';
import type { ProcessTrees, Seed } from './process-tree.js';
import { isDenied } from './survivors.js';

/** How long a process may outlive SIGKILL before it is given up. */
const patience: Millis = 5_000;

/** The same when only what this user may not signal is left. */
const deniedPatience: Millis = 200;

export interface Manner {
  readonly clock: Clock;
  /** Undefined: nothing is sent before SIGKILL. */
  readonly signal: NodeJS.Signals | undefined;
  /** Between the signal and SIGKILL. */
  readonly grace: Millis;
}

/** The signal, the grace, then SIGKILL until nothing is left. Answers what could not be ended. */
export function endTree(
  trees: ProcessTrees,
  seed: Seed,
  { clock, signal, grace }: Manner,
): Promise<readonly Survivor[]> {
  return new Promise((resolve) => {
    const cancels: (() => void)[] = [];
    const tree = trees.plant(seed, {
      orphaned() {},
      ended({ survivors }) {
        for (const cancel of cancels) cancel();
        resolve(survivors);
      },
    });
    if (signal !== undefined) tree.signal(signal);
    tree.leaderExited();
    cancels.push(clock.wakeAt(clock.now() + grace, tree.kill));
    cancels.push(
      clock.wakeAt(clock.now() + grace + deniedPatience, () => tree.pids().every(isDenied) && tree.abandon()),
    );
    cancels.push(clock.wakeAt(clock.now() + grace + patience, tree.abandon));
  });
}
