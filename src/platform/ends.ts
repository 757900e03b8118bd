/** What a run may be bound to besides its services: a time, another process, its standard input. */
import { ProcletError } from '../errors.js';
import type { Millis, Moment } from '../model.js';
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

/**
 * Calls `over` once with a sentence, when the first of the bonds breaks. Answers the end of the watch.
 * Throws ProcletError for a process that is not there and a time that is past.
 */
export function watchBonds(
  bonds: Bonds,
  { clock, table }: { clock: Clock; table: ProcessTable },
  over: (why: string) => void,
): () => void {
  const ends: (() => void)[] = [];
  const close = () => {
    for (const end of ends.splice(0)) end();
  };
  const break_ = (why: string) => {
    close();
    over(why);
  };
  if (bonds.untilExit !== undefined) ends.push(watchProcess(bonds.untilExit, clock, table, break_));
  if (bonds.until !== undefined) ends.push(watchMoment(bonds.until, clock, break_));
  if (bonds.stdinQuit) ends.push(watchStdin(clock, break_));
  return close;
}

function watchProcess(pid: number, clock: Clock, table: ProcessTable, over: (why: string) => void): () => void {
  const row = table.find(pid);
  if (row === undefined) throw new ProcletError('USAGE', `--until-exit: there is no process ${pid}`);
  const command = table.command(pid);
  let cancel = () => {};
  const look = () => {
    if (!table.isSame(row) || table.find(pid) === undefined) over(`process ${pid} (${command}) has ended`);
    else cancel = clock.wakeAt(clock.now() + lookEvery, look);
  };
  look();
  return () => cancel();
}

/** Wall time may be set while we wait, so it is asked again. */
function watchMoment(until: Moment, clock: Clock, over: (why: string) => void): () => void {
  const at = 'at' in until ? until.at : nextOf(until, clock.wall());
  if (at <= clock.wall()) throw new ProcletError('USAGE', `--until: ${new Date(at).toLocaleString('sv')} is past`);
  const name = new Date(at).toLocaleString('sv');
  let cancel = () => {};
  const look = () => {
    const left = at - clock.wall();
    if (left <= 0) over(`it is ${name}`);
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

function watchStdin(clock: Clock, over: (why: string) => void): () => void {
  const end = () => over('the standard input was closed');
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
