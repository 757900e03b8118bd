/** `ps --watch`: the table again and again, in place where there is a terminal. */
import { fromTargets } from '../control/matching.js';
import type { Status } from '../control/protocol.js';
import type { InstanceSnapshot, Millis, Usage } from '../model.js';
import { createClock } from '../platform/clock.js';
import { onSignals } from '../platform/signals.js';
import { toLine } from '../wire.js';
import type { Sight, SilentRun } from './look-at-runs.js';

type Measured = InstanceSnapshot & { readonly usage?: Usage };

export interface Watched {
  look(): Promise<Sight>;
  text(sight: Sight, cpuOf: (instance: Measured) => number | undefined): string;
  readonly json: boolean;
}

const every: Millis = 1000;

/** The services that are meant; throws ProcletError for a word that names none. */
export function chosenServices(status: Status | undefined, targets: readonly string[]): Status['services'] {
  return status === undefined ? [] : fromTargets(status.services, targets);
}

/** Every run, those that do not answer last. */
export function jsonOf({ statuses, silent }: Sight): readonly (Status | SilentRun)[] {
  return [...statuses, ...silent];
}

/** Until q, a signal, or the end of the run. */
export async function watchTable({ look, text, json }: Watched): Promise<number> {
  const clock = createClock();
  const isTTY = process.stdout.isTTY === true && !json;
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  let isOver = false;
  const deafen = onSignals(['SIGINT', 'SIGTERM', 'SIGHUP'], () => {
    isOver = true;
    stop();
  });
  const { hearKeys } = await import('../platform/tty.js');
  const silence = hearKeys(clock, (key) => {
    if (key === 'q') process.kill(process.pid, 'SIGINT');
  });
  if (isTTY) process.stdout.write('\x1b[?1049h\x1b[?25l');
  try {
    let before: Reading = { at: clock.now(), cpu: new Map() };
    while (!isOver) {
      const sight = await look();
      const now: Reading = { at: clock.now(), cpu: cpuIn(sight) };
      const shown = json ? toLine(jsonOf(sight)) : `${text(sight, cpuSince(before, now))}\n`;
      // Home, each row cleared to its end, then everything below.
      process.stdout.write(isTTY ? `\x1b[H${shown.replaceAll('\n', '\x1b[K\n')}\x1b[J` : shown);
      before = now;
      await Promise.race([stopped, new Promise<void>((go) => void clock.wakeAt(clock.now() + every, go))]);
    }
  } finally {
    if (isTTY) process.stdout.write('\x1b[?25h\x1b[?1049l');
    silence?.();
    deafen();
    clock.close();
  }
  return 0;
}

interface Reading {
  readonly at: Millis;
  /** Processor time by mark. */
  readonly cpu: ReadonlyMap<string, Millis>;
}

function cpuIn({ statuses }: Sight): Map<string, Millis> {
  const instances = statuses.flatMap(({ services }) => services.flatMap((service) => service.instances));
  return new Map(instances.flatMap(({ mark, usage }) => (mark && usage ? [[mark, usage.cpu] as const] : [])));
}

/** In percent of one processor since the last look. */
function cpuSince(before: Reading, now: Reading) {
  return ({ mark = '', usage, age }: Measured): number | undefined => {
    const was = before.cpu.get(mark);
    if (usage === undefined) return undefined;
    if (was === undefined) return age ? (100 * usage.cpu) / age : undefined;
    return Math.max(0, (100 * (usage.cpu - was)) / Math.max(1, now.at - before.at));
  };
}
