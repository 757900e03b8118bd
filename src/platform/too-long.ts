/** Why the system does not take a command line and an environment. */
import type { Env } from '../model.js';

/** execve(2): MAX_ARG_STRLEN of Linux, with the zero byte at its end. */
const mostInOne = 131_072;

/** For a command line and environment that the system refused: what is too long, as far as that is one thing. */
export function tooLong(argv: readonly string[], env: Env): string {
  const sized = (name: string, text: string) => ({ name, size: Buffer.byteLength(text) + 1 });
  const all = [
    ...argv.map((word) => sized('its command line has a word', word)),
    ...Object.entries(env).flatMap(([key, value]) =>
      value === undefined ? [] : [sized(`its environment has a variable ${key}`, `${key}=${value}`)],
    ),
  ];
  const longest = all.reduce((one, other) => (other.size > one.size ? other : one), sized('', ''));
  if (longest.size > mostInOne) {
    const most = `the system takes ${mostInOne - 1} at most (E2BIG); put it into a file`;
    return `${longest.name} of ${longest.size - 1} bytes, and ${most}`;
  }
  const total = all.reduce((sum, { size }) => sum + size, 0);
  return `its command line and environment have ${total} bytes, more than the system takes (E2BIG); make them shorter`;
}
