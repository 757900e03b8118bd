/** The name that was probably meant. Owns how near is near enough. */
import { closestMatch } from 'leven';

/** A hint such as `did you mean restart?`, or undefined when no known name is close. */
export function suggest(written: string, known: readonly string[]): string | undefined {
  // Far longer than any name of ours: the distance of such a text is slow to compute and never small.
  if (written.length > 64) return undefined;
  const maxDistance = Math.max(2, Math.floor(written.length / 3));
  const match = closestMatch(written, known, { maxDistance });
  return match === undefined ? undefined : `did you mean ${match}?`;
}
