/**
 * When two signals are one gesture. A Ctrl-C reaches proclet from the terminal, which signals the whole group, and once
 * more from a parent that passes it on, as npm does; a process manager signals a group and its leader.
 */
import type { Millis } from './model.js';

/** How long after its first signal others still belong to a gesture. */
export const gestureLasts: Millis = 300;

/** What somebody asked for at `first`, and again now, was asked for twice. */
export function isAskedAgain(first: Millis | undefined, now: Millis): boolean {
  return first !== undefined && now - first >= gestureLasts;
}
