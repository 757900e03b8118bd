/** The sentences about the end of a life: how it ended, why, what it took, what follows. Pure. */
import { formatDuration } from '../duration.js';
import { describeExit, isSuccess } from '../exit-status.js';
import type { Happening, InstanceId, Nested, Next, Survivor } from '../model.js';
import type { Mark } from './palette.js';
import { whyInWords } from './why.js';

/** One row of what proclet says. */
export interface Sentence {
  readonly text: string;
  readonly mark: Mark;
  /** Whose last words belong behind it. */
  readonly lastWordsOf?: InstanceId;
}

/** An `exited` event and what was told about the same life before. */
export type End = Extract<Happening, { type: 'exited' }> & {
  readonly killed: Extract<Happening, { type: 'killed' }> | undefined;
  /** Whether its exit has been told, because it left processes behind. */
  readonly orphaned: boolean;
  /** Lines that were those of the life before, and not shown. */
  readonly repeated: number;
};

/** The sentence about an end, and another if something would not end. */
export function sentenceOfEnd(end: End): readonly Sentence[] {
  if (end.role === 'coming' || (end.role === 'going' && end.cause?.reason === 'replaced')) {
    const named: End = { ...end, role: 'serving', id: `${end.id} (generation ${end.generation})` };
    return sentenceOfEnd(named).map((one) => (one.lastWordsOf === undefined ? one : { ...one, lastWordsOf: end.id }));
  }
  const sentences = [end.cause === undefined ? byItself(end) : byUs(end, end.cause)];
  for (const one of end.nested ?? []) sentences.push({ text: nestedSentence(end.id, one), mark: 'warning' });
  if (end.survivors.length > 0) sentences.push({ text: survivorsSentence(end), mark: 'failure' });
  return sentences;
}

/** The program ended although nobody asked it to. */
function byItself(end: End): Sentence {
  const { id, exit, next } = end;
  const forced = end.unready ? forcedBy(end) : undefined;
  const ending = `${id} ${endingOf(end)}${ranFor(end)}${forced === undefined ? '' : `: it ${forced}`}`;
  const how = end.orphaned ? leftOversGone(end) : ending;
  const told = withNote(how, heldPort(end));
  const good = end.unready !== true && (isSuccess(exit) || end.expected === true);
  switch (next.is) {
    case 'restart':
      return { text: told + repetition(end) + restarting(next), mark: good ? 'plain' : 'warning' };
    case 'done':
      return { text: `${told}: done`, mark: 'plain' };
    case 'down':
      return { text: told, mark: 'failure', lastWordsOf: id };
    case 'failed': {
      // After a change that has mended nothing, its words were shown a moment ago.
      const again = next.awaitsChange ? repetition(end) : '';
      const failed = withNote(failedSentence(end, next.failures) + again, heldPort(end));
      return {
        text: failed + (next.awaitsChange ? '; waiting for a change' : ''),
        mark: 'failure',
        ...(again === '' && { lastWordsOf: id }),
      };
    }
    default:
      return next satisfies never;
  }
}

/** It was asked to end. */
function byUs(end: End, cause: NonNullable<End['cause']>): Sentence {
  const { id, next } = end;
  const forced = forcedBy(end);
  const again = (next.is === 'restart' ? ', starting again' : '') + asked(cause);
  const mark = end.killed === undefined ? 'plain' : 'warning';
  const bill = forced === undefined ? ` (${billOf(end)})` : '';
  if (cause.why?.is === 'unneeded') return { text: `${id} ${forced ?? `stopped${bill}`}${again}`, mark };
  switch (cause.reason) {
    case 'ttl': {
      const expired = `${id} expired after ${formatDuration(cause.window)}`;
      return { text: `${expired}${bill}${forced === undefined ? '' : `: it ${forced}`}${again}`, mark };
    }
    case 'idle': {
      const since = cause.since === undefined ? 'never used' : `last used ${formatDuration(cause.since)} ago`;
      const expired = `${id} expired: idle for ${formatDuration(cause.window)}, ${since}`;
      return { text: `${expired}${bill}${forced === undefined ? '' : `: it ${forced}`}${again}`, mark };
    }
    case 'changed':
      return { text: `${id} ${forced ?? `stopped for a change${bill}`}${again}`, mark };
    case 'replaced':
      return { text: `${id} ${forced ?? `was replaced${bill}`}${again}`, mark };
    case 'expired':
      return { text: `${id} ${forced ?? `expired on request${bill}`}${again}`, mark };
    case 'requested':
    case 'reconfigured':
    case 'shutdown':
      return { text: `${id} ${forced ?? `stopped${bill}`}${again}`, mark };
    default:
      return cause satisfies never;
  }
}

/** What ends with the run ends for the reason that was told of it. */
function asked({ reason, why }: NonNullable<End['cause']>): string {
  return why === undefined || reason === 'shutdown' ? '' : `: ${whyInWords(why)}`;
}

/** `ignored SIGTERM for 5s, so it was killed (3 processes)`, if it did not end by the signal it was sent. */
function forcedBy({ killed, exit, signal, processes, forced }: End): string | undefined {
  if (killed !== undefined) {
    return `ignored ${killed.signal} for ${formatDuration(killed.after)}, so it was killed (${counted(processes)})`;
  }
  if (forced === 'request') return `was killed, as a second stop asked (${counted(processes)})`;
  const atOnce = exit.how === 'signal' && exit.signal === 'SIGKILL' && signal !== 'SIGKILL';
  return atOnce ? `was killed (${counted(processes)})` : undefined;
}

/** Why a service that failed may have: somebody else has its port. */
function heldPort({ port, exit, expected }: End): string {
  const isSuspect = exit.how === 'code' && !isSuccess(exit) && !expected && port?.holder !== undefined;
  return isSuspect
    ? `port ${port.number} is held by ${port.holder}; if the program reads PORT, -p auto takes a free one`
    : '';
}

/** One bracket, also where the sentence ends with one. */
function withNote(sentence: string, note: string): string {
  if (note === '') return sentence;
  return sentence.endsWith(')') ? `${sentence.slice(0, -1)}; ${note})` : `${sentence} (${note})`;
}

function leftOversGone({ id, killed, signal, took = 0 }: End): string {
  if (killed === undefined) return `what ${id} left behind is gone (${short(signal)} ${formatDuration(took)})`;
  return `what ${id} left behind ignored ${killed.signal} for ${formatDuration(killed.after)}, so it was killed`;
}

function failedSentence(end: End, failures: number): string {
  const { id, exit } = end;
  if (failures < 2) return `${id} failed: it ${endingOf(end)}${ranFor(end)}`;
  const start = `${id} failed: ${failures} starts in a row ended too early, the last`;
  if (end.unready) return `${start} because it was not ready${ranFor(end)}`;
  switch (exit.how) {
    case 'code':
      return `${start} with code ${exit.code}${hintFor(exit.code)}`;
    case 'signal':
      return `${start} by ${exit.signal}`;
    case 'hangup':
      return `${start}: it ${describeExit(exit)}`;
    case 'spawn-error':
      return `${start} because it could not be started: ${exit.message}`;
    default:
      return exit satisfies never;
  }
}

function endingOf({ exit, expected, unready }: End): string {
  if (unready) return 'was stopped, because it was not ready';
  if (expected) return `${describeExit(exit)} (expected)`;
  return exit.how === 'code' ? describeExit(exit) + hintFor(exit.code) : describeExit(exit);
}

/** What a shell means by these two. */
function hintFor(code: number): string {
  if (code === 127) return ' (command not found)';
  return code === 126 ? ' (not executable)' : '';
}

function ranFor({ exit, ran, unready }: End): string {
  if (unready) return ` in ${formatDuration(ran)}`;
  return exit.how === 'spawn-error' ? '' : ` after ${formatDuration(ran)}`;
}

function repetition({ repeated, orphaned }: End): string {
  if (repeated === 0 || orphaned) return '';
  return repeated === 1 ? ' with the same line again' : ` with the same ${repeated} lines again`;
}

function restarting({ delay, failures }: Extract<Next, { is: 'restart' }>): string {
  const when = delay > 0 ? `restarting in ${formatDuration(delay)}` : 'restarting';
  return failures > 0 ? `, ${when} (${ordinal(failures)} failure)` : `, ${when}`;
}

function survivorsSentence({ id, survivors }: End): string {
  const named = survivors.map(({ pid, state, command }: Survivor) => `pid ${pid} (${state}, ${command})`);
  const denied = survivors.filter(({ denied }) => denied).map(({ pid }) => pid);
  return `${id}: ${counted(survivors.length)} could not be ended: ${named.join(', ')}${adviceFor(denied)}`;
}

/** What to do about processes of another user; '' when there are none. */
export function adviceFor(pids: readonly number[]): string {
  if (pids.length === 0) return '';
  const whose = pids.length === 1 ? 'is' : 'are';
  return `; ${pids.join(' and ')} ${whose} of another user, end with: sudo kill -KILL ${pids.join(' ')}`;
}

function nestedSentence(id: InstanceId, { processes, pid, root }: Nested): string {
  const whose = pid === undefined ? 'a proclet' : `a proclet (pid ${pid}, ${root})`;
  return `${id}: ${counted(processes)} of ${whose} that was killed inside it, together with its guardian, had to be ended`;
}

/** What a stop took: `2 processes, TERM 0.1s`. */
function billOf({ processes, signal, took = 0, port }: End): string {
  if (processes === 0) return 'it was waiting to be started again';
  return `${counted(processes)}, ${short(signal)} ${formatDuration(took)}${port ? `, ${freedom(port)}` : ''}`;
}

function freedom({ number, holder }: NonNullable<End['port']>): string {
  return holder === undefined ? `port ${number} is free` : `port ${number} is held by ${holder}`;
}

function counted(processes: number): string {
  return processes === 1 ? '1 process' : `${processes} processes`;
}

function short(signal: NodeJS.Signals): string {
  return signal.replace(/^SIG/, '');
}

function ordinal(n: number): string {
  const tens = n % 100;
  if (tens >= 11 && tens <= 13) return `${n}th`;
  return `${n}${{ 1: 'st', 2: 'nd', 3: 'rd' }[n % 10] ?? 'th'}`;
}
