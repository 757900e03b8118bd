/** The name that was probably meant. Owns how near is near enough. */
import { closestMatch } from 'leven';

/** A hint such as `did you mean restart?`, or undefined when no known name is close. */
export function suggest(written: string, known: readonly string[]): string | undefined {
  // Far longer than any name of ours: the distance of such a text is slow to compute and never small.
  if (written.length > 64) return undefined;
  const maxDistance = Math.max(2, Math.floor(written.length / 3));
  // Swapped letters are the likeliest slip, and count as two here: `prot` is as far from `root` as from `port`.
  const near = known.filter((name) => lettersOf(name) === lettersOf(written));
  const match = closestMatch(written, near, { maxDistance }) ?? closestMatch(written, known, { maxDistance });
  return match === undefined ? undefined : `did you mean ${match}?`;
}

function lettersOf(name: string): string {
  return [...name].sort().join('');
}
