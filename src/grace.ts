/** How the grace of a stop is divided. */
import type { Millis } from './model.js';

/** How much of the grace the other processes have, when the leader was asked first and takes its time. */
export function lastChance(grace: Millis): Millis {
  return Math.min(1_000, grace / 5);
}
