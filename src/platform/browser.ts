/** The user's browser: `$BROWSER` as a program, else what the system has for that. */
import { execa } from 'execa';
import type { Millis } from '../model.js';
import { createClock } from './clock.js';

const systems: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  linux: ['xdg-open'],
};

/** An opener that has not failed by then has opened something, or is the browser itself. */
const patience: Millis = 2_000;

/** Why it could not be opened, or undefined. */
export async function openAddress(url: string): Promise<string | undefined> {
  const own = process.env['BROWSER'];
  const [program, ...args] = own ? [own] : (systems[process.platform] ?? ['xdg-open']);
  const opener = execa(program, [...args, url], { stdio: 'ignore', detached: true, cleanup: false, reject: false });
  opener.unref();
  const clock = createClock();
  const isOpen = new Promise<undefined>((go) => void clock.wakeAt(clock.now() + patience, () => go(undefined)));
  const failed = opener.then(({ failed, code, shortMessage = '' }) => {
    if (!failed) return undefined;
    return code === 'ENOENT' ? `there is no ${program}` : shortMessage;
  });
  const problem = await Promise.race([isOpen, failed]);
  clock.close();
  return problem;
}
