/** What a run may be bound to besides its services: a time, another process, its standard input. */
import { ProcletError } from '../errors.js';
import type { Millis, Moment, Why } from '../model.js';
import type { Clock } from '../ports.js';
import type { ProcessTable } from './process-table.js';
import { whileInFront } from './tty.js';

export interface Bonds {
  readonly until?: Moment;
  readonly untilExit?: number;
  readonly stdinQuit: boolean;
}

/** How often another process is looked at. */
const lookEvery: Millis = 250;

export interface BondTools {
  readonly clock: Clock;
  readonly table: ProcessTable;
  /** Called when the bond breaks; the text is a sentence. */
  readonly over: (why: Why, text: string) => void;
}

/** Answers the end of the watch. Throws ProcletError for a process that is not there. */
export function watchProcess(pid: number, { clock, table, over }: BondTools): () => void {
  const row = table.find(pid);
  if (row === undefined) throw new ProcletError('USAGE', `--until-exit: there is no process ${pid}`);
  const command = table.command(pid);
  let cancel = () => {};
  const look = () => {
    if (isGone()) over({ is: 'until-exit' }, `process ${pid} (${command}) has ended`);
    else cancel = clock.wakeAt(clock.now() + lookEvery, look);
  };
  const isGone = () => {
    try {
      return !table.isSame(row) || table.find(pid) === undefined;
    } catch {
      return false; // EMFILE: whoever cannot be seen has not ended
    }
  };
  look();
  return () => cancel();
}

/** Answers the end of the watch. Wall time may be set while we wait, so it is asked again. Throws ProcletError for what is past. */
export function watchMoment(until: Moment, { clock, over }: BondTools): () => void {
  const at = 'at' in until ? until.at : nextOf(until, clock.wall());
  if (at <= clock.wall()) throw new ProcletError('USAGE', `--until: ${new Date(at).toLocaleString('sv')} is past`);
  const name = new Date(at).toLocaleString('sv');
  let cancel = () => {};
  const look = () => {
    const left = at - clock.wall();
    if (left <= 0) over({ is: 'until' }, `it is ${name}`);
    else cancel = clock.wakeAt(clock.now() + Math.min(left, 60_000), look);
  };
  look();
  return () => cancel();
}

function nextOf({ hours, minutes, seconds }: Exclude<Moment, { at: number }>, now: number): number {
  const date = new Date(now);
  date.setHours(hours, minutes, seconds, 0);
  if (date.getTime() <= now) date.setDate(date.getDate() + 1);
  return date.getTime();
}

/** Answers the end of the watch. */
export function watchStdin({ clock, over }: Pick<BondTools, 'clock' | 'over'>): () => void {
  const end = () => over({ is: 'stdin-quit' }, 'the standard input was closed');
  const { stdin } = process;
  stdin.on('end', end).on('error', end);
  const acts = { enter: () => void stdin.resume(), leave: () => void stdin.pause() };
  const leave = stdin.isTTY ? whileInFront(clock, acts) : acts.leave;
  if (!stdin.isTTY) acts.enter();
  return () => {
    stdin.off('end', end).off('error', end);
    leave();
  };
}
